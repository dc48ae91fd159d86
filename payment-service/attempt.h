/*
 * Attempt: one thing that a bank was asked to do, under the id that the bank knows it by.
 *
 * The row is committed before the bank is called, so whatever dies in between, somebody asks the
 * bank what became of it: the request that made it, a webhook, or the reconcile worker, when it is
 * due. When that is the database's clock tells, which all instances share: a process whose own
 * clock is days away asks no sooner and no later. It ends once: approved, declined, or error, which
 * means that it certainly did nothing and never will.
 *
 *     sent       its first call runs, or was cut off by a crash
 *     unknown    the call was made, and nobody knows
 *     pending    the bank has it and will tell: a challenge, a transfer, a refund that takes time
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_ATTEMPT_H
#define CHECKOUT_PAYMENT_SERVICE_ATTEMPT_H

#include "payment-service/gateway.h"
#include "payment-service/payment.h"
#include "shared/runtime/trace.h"

enum attempt_status {
    ATTEMPT_SENT,
    ATTEMPT_PENDING,
    ATTEMPT_UNKNOWN,
    ATTEMPT_APPROVED,
    ATTEMPT_DECLINED,
    ATTEMPT_ERROR,
    ATTEMPT_STATUS_COUNT
};

extern const char *const attempt_status_words[ATTEMPT_STATUS_COUNT];

/* How long the first call may take, until somebody else looks after it: longer than the timeouts of
 * all gateways together, which a request's own deadline bounds. */
enum { ATTEMPT_CALL_MS = 5000 };

/* How long a worker that has taken an attempt on may take for it. */
enum { ATTEMPT_CLAIM_MS = 10000 };

/* After so many questions a capture, void or refund that is refused each time is given up. */
enum { ATTEMPT_REFUSALS_MAX = 5 };

struct attempt {
    struct id id;
    struct id payment_id;
    bool has_refund;
    struct id refund_id;
    enum gateway_operation operation;
    char gateway[GATEWAY_NAME_SIZE];
    enum attempt_status status;
    struct money money;
    char bank_id[64]; /* "" until it is known */
    struct payment_failure failure;
    struct span skipped; /* JSON array, borrowed */
    int64_t tries;       /* how often the bank was asked what became of it */
    char traceparent[TRACEPARENT_SIZE];
    struct instant created_at, updated_at;
    int64_t wait_ms; /* to be written: how long from then until the bank is asked (again) */
    bool due;        /* as it was read: the time to ask has come */
};

/* True once nothing more is to come of it. */
bool attempt_has_ended(const struct attempt *attempt);

/* Puts down what the bank said, and when it is to be asked again, if it is. */
void attempt_take(struct attempt *attempt, const struct gateway_result *result, struct instant now);

/* When the bank is asked for the next time, after `tries` times: 2, 5, 15, 40 s, 5 min, 1 h, then
 * daily. */
int64_t attempt_wait_ms(int64_t tries);

#endif
