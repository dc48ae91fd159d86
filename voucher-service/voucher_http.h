/*
 * Voucher HTTP: the routes of vouchers and their rules. A handler parses, calls one use case, and
 * replies.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_HTTP_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_HTTP_H

#include "voucher-service/voucher_service.h"

/* The service is borrowed for the backbone's life. */
void voucher_http_add_routes(struct backbone *backbone, struct voucher_service *service);

#endif
