/*
 * Payment events: what a change of a payment or a refund announces.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_EVENTS_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_EVENTS_H

#include "payment-service/refund.h"
#include "shared/events/event.h"

/* Makes the announcement of the object as it is now. The caller releases it after the commit. */
void payment_announce(struct announcement *announcement, const struct payment *payment,
                      const char *type, const struct trace *trace);
void refund_announce(struct announcement *announcement, const struct refund *refund,
                     const char *type, const struct trace *trace);

#endif
