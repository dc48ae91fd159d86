/*
 * Voucher events: what a change of a voucher announces.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_EVENTS_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_EVENTS_H

#include "shared/events/consumer.h"
#include "voucher-service/voucher.h"

/*
 * Makes the announcement of the voucher as it is now. `type` is VOUCHER_ISSUED, whose public object
 * has the whole code, or what voucher_use() told, whose has not. The caller releases it after the
 * commit.
 */
void voucher_announce(struct announcement *announcement, const struct voucher *voucher,
                      const char *type, const struct trace *trace);

/* Makes `effect` the change of a voucher that was decided on, in the trace of the event that caused
 * it. */
void voucher_effect(struct effect *effect, const struct voucher *voucher, const char *type,
                    const struct event *cause);

/* Announces it only: the effect's write is the caller's. */
void voucher_announce_effect(struct effect *effect, const struct voucher *voucher, const char *type,
                             const struct event *cause);

#endif
