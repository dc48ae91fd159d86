/*
 * Order HTTP: the routes of orders. A handler parses, calls one use case, and replies.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_HTTP_H
#define CHECKOUT_ORDER_SERVICE_ORDER_HTTP_H

#include "order-service/order_service.h"

/* The service is borrowed for the backbone's life. */
void order_http_add_routes(struct backbone *backbone, struct order_service *service);

#endif
