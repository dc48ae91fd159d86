/*
 * Voucher redeeming: what the events of orders mean for the vouchers that they use.
 *
 *     order.created                    redeems the voucher that was reserved for the order
 *     order.canceled, order.expired    roll that back
 *
 * An order is in the log, so it has its discount: its voucher is redeemed whether the reservation
 * is over or not, as long as nobody else has it. That somebody else has it is what reservations
 * exist to prevent; it makes a dead letter.
 *
 * An order redeems once at most: one that did, or that ended before it could, leaves a row in
 * `redemptions`, and its order.created means nothing any more. So the log can be replayed.
 *
 * Most orders use no voucher, and their events are not even parsed.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_REDEEMING_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_REDEEMING_H

#include "shared/events/consumer.h"

/* Handle the order log's events, within the consumer's transaction. Any thread. */
MUST_CHECK bool voucher_redeeming_created(struct effects *effects, const struct event *event,
                                          struct error *err);
MUST_CHECK bool voucher_redeeming_ended(struct effects *effects, const struct event *event,
                                        struct error *err);

#endif
