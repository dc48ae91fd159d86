#include "payment-service/attempt.h"

const char *const attempt_status_words[ATTEMPT_STATUS_COUNT] = {
    [ATTEMPT_SENT] = "sent",         [ATTEMPT_PENDING] = "pending",   [ATTEMPT_UNKNOWN] = "unknown",
    [ATTEMPT_APPROVED] = "approved", [ATTEMPT_DECLINED] = "declined", [ATTEMPT_ERROR] = "error",
};

static const int64_t waits_ms[] = { 2000, 5000, 15000, 40000, 300000, 3600000, 86400000 };

/* What an outcome makes of an attempt. */
static const enum attempt_status outcome_statuses[GATEWAY_OUTCOME_COUNT] = {
    [GATEWAY_APPROVED] = ATTEMPT_APPROVED, [GATEWAY_DECLINED] = ATTEMPT_DECLINED,
    [GATEWAY_PENDING] = ATTEMPT_PENDING,   [GATEWAY_VOIDED] = ATTEMPT_ERROR,
    [GATEWAY_NOT_FOUND] = ATTEMPT_UNKNOWN, [GATEWAY_NOTHING] = ATTEMPT_ERROR,
    [GATEWAY_UNKNOWN] = ATTEMPT_UNKNOWN,
};

bool attempt_has_ended(const struct attempt *attempt)
{
    return attempt->status == ATTEMPT_APPROVED || attempt->status == ATTEMPT_DECLINED ||
           attempt->status == ATTEMPT_ERROR;
}

int64_t attempt_wait_ms(int64_t tries)
{
    size_t last = COUNT_OF(waits_ms) - 1;

    return waits_ms[tries >= 0 && (size_t)tries < last ? (size_t)tries : last];
}

void attempt_take(struct attempt *attempt, const struct gateway_result *result, struct instant now)
{
    attempt->status = outcome_statuses[result->outcome];
    attempt->updated_at = now;
    if (result->bank_id[0] != '\0')
        text_copy(attempt->bank_id, sizeof(attempt->bank_id), result->bank_id);
    text_copy(attempt->failure.code, sizeof(attempt->failure.code), result->failure_code);
    text_copy(attempt->failure.decline_code, sizeof(attempt->failure.decline_code),
              result->decline_code);
    attempt->wait_ms = attempt_wait_ms(attempt->tries);
}
