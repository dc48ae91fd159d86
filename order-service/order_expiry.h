/*
 * Order expiry: ends prepaid orders that nobody paid in time.
 *
 * Every instance runs it. Two that find the same order both try, and the version decides, so no
 * lease is needed.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_EXPIRY_H
#define CHECKOUT_ORDER_SERVICE_ORDER_EXPIRY_H

#include "order-service/order_service.h"

/* How late an order expires at worst while the service is idle. */
enum { ORDER_EXPIRY_EVERY_MS = 1000 };

/* The worker for backbone_add_worker(); the service is borrowed for its life. */
struct work order_expiry_work(struct order_service *service);

#endif
