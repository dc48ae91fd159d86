/*
 * Order timeline: all that happened around one order, in one list, oldest first.
 *
 *     the order's own events                                        from our log
 *     the events of its payments and refunds                        from payment-service
 *     every attempt at a bank, and who was passed over and why      from payment-service
 *     the events of vouchers that it earned, and of the one it uses from voucher-service
 *
 * The other services are asked over HTTP as the caller, one after the other, and each has a part of
 * the request's time. One that is away, too slow, or refuses the caller is named in `incomplete`,
 * as is one that has more to tell than is shown: what the others tell is shown all the same.
 *
 * Times are those of different machines, so what follows from one another within a millisecond is
 * put in the order in which it can have happened.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_TIMELINE_H
#define CHECKOUT_ORDER_SERVICE_ORDER_TIMELINE_H

#include "order-service/order_peer.h"

/* How long one service may take for all that it is asked; and a third of what time is left. */
enum { ORDER_TIMELINE_PEER_MS = 1500 };

/* Payments, refunds and vouchers of one order that are told of, those made last. */
enum { ORDER_TIMELINE_SUBJECTS_MAX = 20 };

/* Events that one question is answered with, and entries of the whole list. */
enum { ORDER_TIMELINE_EVENTS_MAX = 500, ORDER_TIMELINE_ENTRIES_MAX = 2000 };

struct order_service;

/*
 * Writes {"order_id", "entries": [{"time", "type", "source", "sequence", "version", "trace_id",
 * "data"}], "incomplete": ["payment-service"]}. An attempt is of type "payment.attempt" and has
 * neither sequence nor version. ERROR_NOT_FOUND for an order that the caller does not have.
 */
MUST_CHECK bool order_timeline_write(const struct order_service *service,
                                     const struct caller *caller, struct id id, struct buffer *body,
                                     struct error *err);

#endif
