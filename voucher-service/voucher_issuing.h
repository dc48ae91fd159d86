/*
 * Voucher issuing: what the events of orders mean for vouchers.
 *
 *     order.sent                       a voucher, if a rule applies and the order has none by it
 *     order.canceled, order.returned   the order's voucher is voided; one in use, when it comes
 * back all others                       nothing; but see voucher_redeeming.h
 *
 * An order.sent costs no round trip: the rules are kept in memory, read again for the first event
 * that is younger than what is kept. So a batch of events reads them at most once (its events are
 * all older than the reading), and a rule holds for every order that was sent after the rule was
 * answered.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_ISSUING_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_ISSUING_H

#include "shared/events/consumer.h"

/* How long rules are believed at most, whatever the clocks of other machines say. */
enum { VOUCHER_RULES_KEPT_MS = 1000 };

struct voucher_issuing;

struct voucher_issuing *voucher_issuing_create(void);

/* Takes NULL. */
void voucher_issuing_destroy(struct voucher_issuing *issuing);

/*
 * The handler of the order log's events, with a struct voucher_issuing as context; any thread.
 * ERROR_VALIDATION or ERROR_MALFORMED for an event whose data is no order.
 */
MUST_CHECK bool voucher_issuing_handle(void *issuing, struct effects *effects,
                                       const struct event *event, struct error *err);

/* Every type of event that orders have; NULL ends. */
extern const struct consumed_type voucher_issuing_types[];

#endif
