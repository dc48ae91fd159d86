/*
 * Payment answer: what a request about a payment or a refund is answered with.
 *
 * A key stands for an intent whose outcome came later, so a repeat is answered with the object as
 * it is by now; while the first request still waits for its bank it is told to come again.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_ANSWER_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_ANSWER_H

#include "payment-service/payment_service.h"

/* The payment with this status, or 202 while it is processing or something is done with it. */
void payment_answer(struct answer *out, int status, const struct payment *payment);

/* The refund: 201, or 202 while it is pending. */
void refund_answer(struct answer *out, const struct refund *refund);

/*
 * Answers as things are now, if the command's key was used before; otherwise `out` stays without a
 * status. ERROR_CONFLICT "idempotency_key_in_use" while the first request runs; ERROR_VALIDATION
 * "idempotency_key_reused" when it was about something else.
 */
MUST_CHECK bool payment_replay(const struct payment_service *service,
                               const struct payment_command *command, struct answer *out,
                               struct error *err);
MUST_CHECK bool refund_replay(const struct payment_service *service,
                              const struct payment_command *command, struct answer *out,
                              struct error *err);

/*
 * A command was refused, and `err` says why. A repeat of it that was faster, and is what now stands
 * in its way, shows by its key: then true with the answer, or false with what the key says.
 * Otherwise false with `err` as it was.
 */
MUST_CHECK bool payment_refused(const struct payment_service *service,
                                const struct payment_command *command, struct answer *out,
                                struct error *err);
MUST_CHECK bool refund_refused(const struct payment_service *service,
                               const struct payment_command *command, struct answer *out,
                               struct error *err);

#endif
