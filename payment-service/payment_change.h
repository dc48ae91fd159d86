/*
 * Payment change: the writes of payment-service.
 *
 * There are three. payment_insert() makes a payment with its first attempt, its key, and its share
 * of the order. payment_update() changes one: the payment, the attempt that ended, the attempt that
 * follows, its refund and its order, all in one statement that takes effect only if the payment's
 * revision is the one that was read. attempt_reschedule() says when a bank is asked again, and
 * changes nothing else. Each is committed by the journal or a consumer, with what it announces.
 *
 * Order of locks: the order's row, then the payment's; see write_also().
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_CHANGE_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_CHANGE_H

#include "payment-service/attempt.h"
#include "payment-service/refund.h"
#include "shared/db/write.h"
#include "shared/http/request.h"

/*
 * Inserts payment and attempt; `sealed` is the card's number, or empty. Refused when the key was
 * used, the id is there already, or the order has no room for it (any more). ERROR_DATA in the rare
 * case that two make the same id at the same moment.
 */
void payment_insert(struct write *write, const struct payment *payment,
                    const struct attempt *attempt, struct span sealed,
                    const struct idempotency *idempotency);

/*
 * What changes together, and what is announced of it; `payment` is as it shall be, its revision one
 * more than it is.
 */
struct payment_change {
    const struct payment *payment;
    int64_t reserved_before, paid_before;  /* payment_reserved() and _paid() of how it was */
    const struct attempt *ended;           /* an attempt that changes, or NULL */
    const struct attempt *next;            /* one that is made, or NULL */
    const struct refund *refund;           /* one that is made (version 1) or changes, or NULL */
    const struct idempotency *idempotency; /* or NULL */
    int status;                            /* what is answered under the key: about the refund if
                                              there is one, else about the payment */
    const char *payment_event, *refund_event; /* types of events; NULL: none */
    const struct trace *trace;                /* that the events belong to */
};

/* Refused when the payment is not at that revision any more, or the key was used. */
void payment_update(struct write *write, const struct payment_change *change);

/*
 * Sets status, tries and time of an attempt that has not ended and was asked about `tries_before`
 * times; refused when it has, or somebody else did.
 */
void attempt_reschedule(struct write *write, int stream, const struct attempt *attempt,
                        int64_t tries_before);

#endif
