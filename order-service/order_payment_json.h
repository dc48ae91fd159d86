/*
 * Order payment JSON: what an order needs to know of a payment's public object.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_PAYMENT_JSON_H
#define CHECKOUT_ORDER_SERVICE_ORDER_PAYMENT_JSON_H

#include "order-service/order_payment.h"
#include "shared/json/json_reader.h"

/* Members that are not needed are not looked at: payment-service may have added them. */
MUST_CHECK bool order_payment_read(struct span text, struct order_payment *out, struct error *err);

#endif
