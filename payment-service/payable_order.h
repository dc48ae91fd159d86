/*
 * Payable order: what of an order is due, and what of that is spoken for.
 *
 * payment-service learns of orders from their events: order.created makes the row; an order that is
 * canceled, expired or returned is closed, which takes no more payments and gives back those it
 * has. All other events are read past: the amount that is due never changes.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYABLE_ORDER_H
#define CHECKOUT_PAYMENT_SERVICE_PAYABLE_ORDER_H

#include "payment-service/payment.h"
#include "shared/db/pool.h"
#include "shared/events/consumer.h"
#include "shared/http/request.h"

struct payable_order {
    int stream;
    struct id id;
    struct money due;
    int64_t amount_reserved; /* by payments that are unresolved, authorized or succeeded */
    int64_t amount_paid;     /* by those that succeeded */
    bool closed;
};

/* Every type of event that orders have; NULL ends. */
extern const struct consumed_type payable_order_types[];

/*
 * The handler of the order log's events, without context; any thread. ERROR_VALIDATION or
 * ERROR_MALFORMED for an event whose data is no order.
 */
MUST_CHECK bool payable_order_handle(void *ctx, struct effects *effects, const struct event *event,
                                     struct error *err);

/* `found` is false for an order that is not known (yet), or another merchant's. */
MUST_CHECK bool payable_order_find(struct pool *pool, const struct caller *caller, struct id id,
                                   bool *found, struct payable_order *out, struct error *err);

/*
 * What a payment of `wanted` (amount 0: what is open; currency "": the order's) comes to.
 * ERROR_CONFLICT "order_not_payable", "order_already_paid", "payment_in_progress";
 * ERROR_VALIDATION at /amount or /currency.
 */
MUST_CHECK bool payable_order_claim(const struct payable_order *order, const struct money *wanted,
                                    struct money *out, struct error *err);

/* A write that notes that an ended order has nothing left to undo. */
void payable_order_done(struct write *write, int stream, struct id id);

#endif
