/*
 * Order events: what a change of an order announces.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_EVENTS_H
#define CHECKOUT_ORDER_SERVICE_ORDER_EVENTS_H

#include "order-service/order.h"
#include "shared/events/event.h"

/* An order changed without moving: metadata, payment status. */
#define ORDER_UPDATED "order.updated"

/*
 * Makes the announcement of the order as it is now, its public object in it. `type` is
 * order_status_event() or ORDER_UPDATED. The caller releases it after the commit.
 */
void order_announce(struct announcement *announcement, const struct order *order, const char *type,
                    const struct trace *trace);

#endif
