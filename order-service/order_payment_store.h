/*
 * Order payment store: the table `order_payments`, the newest version of each payment of an order.
 *
 * All of it is done inside a consumer's transaction, with the order's row locked before
 * (order_store_lock()): so what is summed up are all payments that there are.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_PAYMENT_STORE_H
#define CHECKOUT_ORDER_SERVICE_ORDER_PAYMENT_STORE_H

#include "order-service/order_payment.h"
#include "shared/db/row.h"
#include "shared/db/write.h"

/* Keeps the payment as it was at `time`; refused when this version or a newer one is kept already.
 */
void order_payment_keep(struct write *write, int stream, const struct order_payment *payment,
                        struct instant time);

/* The payments of an order, for order_payments_from_rows(). */
const struct statement *order_payment_store_of(struct parameters *parameters, int stream,
                                               struct id order_id);

/* What they come to. */
struct order_payments order_payments_from_rows(const struct rows *rows);

#endif
