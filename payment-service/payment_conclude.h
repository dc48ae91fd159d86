/*
 * Payment conclusion: what a bank said becomes what we know.
 *
 * The same words may come three times - as the answer to the call, as a webhook, as the answer to
 * the reconcile worker's question - at the same moment, late, or in any order. All of them come
 * here, and the payment's revision lets one of them have the effect. So a conclusion is drawn from
 * what is known at that revision, and whoever loses reads again and finds that nothing is left to
 * do.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_CONCLUDE_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_CONCLUDE_H

#include "payment-service/payment_change.h"
#include "payment-service/payment_service.h"

/*
 * Draws the conclusion for the attempt of the record, which was read or has just been made;
 * afterwards the record is as things are now. Any thread.
 */
MUST_CHECK bool payment_conclude(const struct payment_service *service,
                                 struct attempt_record *record, const struct gateway_notice *notice,
                                 struct deadline deadline, struct error *err);

/* Commits a change with its events; `done` is false when somebody was faster. Any thread. */
MUST_CHECK bool payment_commit(const struct payment_service *service,
                               const struct payment_change *change, struct deadline deadline,
                               bool *done, struct error *err);

#endif
