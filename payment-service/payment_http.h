/*
 * Payment HTTP: the routes of payments, refunds, gateways and banks' webhooks.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_HTTP_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_HTTP_H

#include "payment-service/payment_service.h"

/* The service is borrowed for the backbone's life. */
void payment_http_add_routes(struct backbone *backbone, struct payment_service *service);

#endif
