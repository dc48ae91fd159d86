/*
 * Voucher events: what a change of a voucher announces.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_EVENTS_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_EVENTS_H

#include "shared/events/event.h"
#include "voucher-service/voucher.h"

/*
 * Makes the announcement of the voucher as it is now. `type` is VOUCHER_ISSUED, whose public object
 * has the whole code, or what voucher_use() told, whose has not. The caller releases it after the
 * commit.
 */
void voucher_announce(struct announcement *announcement, const struct voucher *voucher,
                      const char *type, const struct trace *trace);

#endif
