/*
 * Payment calls: asking banks, for attempts whose rows are committed.
 *
 * A payment goes through the chain of gateways: to the next one only while the one before certainly
 * did nothing, and each with an attempt, and so a reference, of its own. What follows a payment
 * goes where it was made. Every call ends in a conclusion (payment_conclude.h).
 *
 * Requests wait for banks in their own threads, so only so many may at a time: who comes then is
 * refused before anything is written. Any thread.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_CALLS_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_CALLS_H

#include "payment-service/payment_service.h"

/* A place to wait for a bank in; ERROR_OVERLOADED "payments_busy" when all are taken. */
MUST_CHECK bool payment_calls_acquire(const struct payment_service *service, struct error *err);
void payment_calls_release(const struct payment_service *service);

/* Makes the next attempt of a payment, to be committed with what leads to it. */
void payment_attempt_begin(struct attempt *attempt, const struct payment *payment,
                           enum gateway_operation operation, const struct trace *trace,
                           struct instant now);

/*
 * Begins a refund of the record's payment, with its attempt; `draft` has amount (0: all that is
 * left), reason and whether it is automatic. ERROR_CONFLICT or ERROR_VALIDATION as
 * payment_begin_refund().
 */
MUST_CHECK bool payment_refund_begin(struct attempt_record *record, const struct refund *draft,
                                     const struct trace *trace, struct error *err);

/*
 * Calls the gateway of the record's attempt, an authorization or a transfer that was just
 * committed, and goes on to others as long as that helps. The leave to call it was given by
 * gateway_chain_next(). `card` is NULL for a transfer.
 */
MUST_CHECK bool payment_calls_pay(const struct payment_service *service,
                                  struct attempt_record *record, const struct card *card,
                                  struct deadline deadline, struct error *err);

/* Does what the record's attempt says: a capture, a void or a refund; repeated, it has one effect.
 */
MUST_CHECK bool payment_calls_follow(const struct payment_service *service,
                                     struct attempt_record *record, struct deadline deadline,
                                     struct error *err);

/*
 * Asks what became of the record's attempt, and draws the conclusion. What the bank does not know
 * is made dead (a payment, which may then go to another bank) or done again (what follows one).
 */
MUST_CHECK bool payment_calls_resolve(const struct payment_service *service,
                                      struct attempt_record *record, struct deadline deadline,
                                      struct error *err);

#endif
