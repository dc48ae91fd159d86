/*
 * Payment service: what can be done with payments, one function per use case.
 *
 * Whatever asks a bank for something goes the same way:
 *
 *     intent       committed first: the attempt's row, with the id that the bank is given
 *     call         the bank is asked, by this thread, until its time is over
 *     conclusion   what it said is committed (payment_conclude.h)
 *
 * When the call's outcome is unknown, or this process dies, the reconcile worker or a webhook
 * brings the conclusion; the client got 202, or asks again with its key and gets the payment as it
 * is by then. While the first request still runs such a repeat is told so: 409
 * "idempotency_key_in_use".
 *
 * Answers are released by the caller. Any thread.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_SERVICE_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_SERVICE_H

#include <semaphore.h>

#include "payment-service/gateway_chain.h"
#include "payment-service/payable_order.h"
#include "payment-service/payment_json.h"
#include "payment-service/payment_store.h"
#include "shared/crypto/hash.h"
#include "shared/crypto/seal.h"
#include "shared/events/answers.h"
#include "shared/events/backbone.h"

/* How often a change is decided anew when others are faster. */
enum { PAYMENT_ATTEMPTS_MAX = 8 };

/* How long the banks may take for one request, all of them together; and what of the request's time
 * they must leave for writing down what they said. */
enum { PAYMENT_BANK_MS = 3000, PAYMENT_REST_MS = 700 };

/* The time that banks have for a request. */
struct deadline payment_bank_deadline(const struct caller *caller);

/* For how long after it was made a payment whose bank did nothing may still go to another one. */
enum { PAYMENT_ELSEWHERE_MS = 60000 };

struct payment_service {
    struct backbone *backbone;
    struct gateway_chain *chain;
    struct seal_key card_key;    /* seals card numbers */
    struct seal_key print_key;   /* makes fingerprints of them */
    struct seal_key request_key; /* makes hashes of requests, which hold card numbers */
    sem_t *calls;                /* requests that may wait for a bank at the same time */
};

/* Who wants something done, under which key, and to what. */
struct payment_command {
    const struct caller *caller;
    struct idempotency idempotency; /* its hash is made with our key: payment_command_of() */
    struct id id;
};

/* The command of a request. A body with a card in it must not be guessed from its hash. */
void payment_command_of(const struct payment_service *service, const struct request *req,
                        struct payment_command *out);

/*
 * Pays what the draft says. ERROR_CONFLICT "payment_in_progress", "order_already_paid",
 * "order_not_payable", "payment_id_used"; ERROR_VALIDATION for what does not fit the order;
 * ERROR_NOT_FOUND "order_not_found"; ERROR_UNAVAILABLE "source_unavailable",
 * "gateways_unavailable"; ERROR_OVERLOADED "payments_busy".
 */
MUST_CHECK bool payment_service_create(const struct payment_service *service,
                                       const struct payment_command *command,
                                       const struct payment_draft *draft, struct answer *out,
                                       struct error *err);

/* Captures `amount` (0: all) of an authorized payment; the rest is released. */
MUST_CHECK bool payment_service_capture(const struct payment_service *service,
                                        const struct payment_command *command, int64_t amount,
                                        struct answer *out, struct error *err);

/* Voids an authorized payment, or gives up one that waits for its customer. */
MUST_CHECK bool payment_service_cancel(const struct payment_service *service,
                                       const struct payment_command *command, struct answer *out,
                                       struct error *err);

/* Gives money back: `draft` has amount (0: all that is left) and reason. Answers the refund. */
MUST_CHECK bool payment_service_refund(const struct payment_service *service,
                                       const struct payment_command *command,
                                       const struct refund *draft, struct answer *out,
                                       struct error *err);

MUST_CHECK bool payment_service_read(const struct payment_service *service,
                                     const struct caller *caller, struct id id, struct answer *out,
                                     struct error *err);
MUST_CHECK bool payment_service_read_refund(const struct payment_service *service,
                                            const struct caller *caller, struct id id,
                                            struct answer *out, struct error *err);

/* Write pages; `filter->window.limit` are shown, and whether more follow. */
MUST_CHECK bool payment_service_list(const struct payment_service *service,
                                     const struct caller *caller,
                                     const struct payment_filter *filter, struct buffer *body,
                                     struct error *err);
MUST_CHECK bool payment_service_list_refunds(const struct payment_service *service,
                                             const struct caller *caller,
                                             const struct payment_filter *filter,
                                             struct buffer *body, struct error *err);

/* Writes {"data": [...]}, oldest first. */
MUST_CHECK bool payment_service_list_attempts(const struct payment_service *service,
                                              const struct caller *caller, struct id id,
                                              struct buffer *body, struct error *err);

#endif
