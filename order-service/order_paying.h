/*
 * Order paying: what the events of payments mean for orders.
 *
 * Every event of a payment for an order is kept in its newest version, and the order's payment
 * status follows from what all its payments come to (order_payment.h). The sums are looked at after
 * every event, also one that came before: so repeats and late ones change nothing, and whatever the
 * status should be, it becomes.
 *
 * The order's row is locked before, as a change over HTTP does it: whoever comes second sees what
 * the first has written. Events of refunds are read past: what they mean for the order comes with
 * the payment.updated that goes with them.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_PAYING_H
#define CHECKOUT_ORDER_SERVICE_ORDER_PAYING_H

#include "shared/events/consumer.h"

/*
 * The handler of the payment log's events, without a context; any thread. ERROR_VALIDATION or
 * ERROR_MALFORMED for an event whose data is no payment, of an order that there is not
 * ("payment_of_unknown_order"), or that does not fit its order.
 */
MUST_CHECK bool order_paying_handle(void *ctx, struct effects *effects, const struct event *event,
                                    struct error *err);

/* The topics of payment-service, and every type of event that it has; NULL ends. */
extern const char *const order_paying_filters[];
extern const struct consumed_type order_paying_types[];

#endif
