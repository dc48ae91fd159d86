#include "payment-service/gateway.h"

const char *const gateway_outcome_words[GATEWAY_OUTCOME_COUNT] = {
    [GATEWAY_APPROVED] = "approved",   [GATEWAY_DECLINED] = "declined",
    [GATEWAY_PENDING] = "pending",     [GATEWAY_VOIDED] = "voided",
    [GATEWAY_NOT_FOUND] = "not_found", [GATEWAY_NOTHING] = "nothing",
    [GATEWAY_UNKNOWN] = "unknown",
};

const char *const gateway_operation_words[GATEWAY_OPERATION_COUNT] = {
    [GATEWAY_AUTHORIZE] = "authorize", [GATEWAY_TRANSFER] = "transfer",
    [GATEWAY_CAPTURE] = "capture",     [GATEWAY_VOID] = "void",
    [GATEWAY_REFUND] = "refund",
};

static bool takes_currency(const struct gateway *gateway, struct currency currency)
{
    if (gateway->all_currencies)
        return true;
    for (size_t i = 0; i < gateway->currency_count; i++)
        if (currency_equal(gateway->currencies[i], currency))
            return true;
    return false;
}

/* What follows a payment needs no method: the payment had it. */
static bool takes_method(const struct gateway *gateway, enum gateway_operation operation)
{
    if (operation == GATEWAY_AUTHORIZE)
        return gateway->takes_cards;
    return operation != GATEWAY_TRANSFER || gateway->takes_transfers;
}

const char *gateway_refusal(const struct gateway *gateway, struct money money,
                            enum gateway_operation operation)
{
    if (!takes_currency(gateway, money.currency))
        return "currency";
    if (money.amount < gateway->amount_min || money.amount > gateway->amount_max)
        return "amount";
    return takes_method(gateway, operation) ? NULL : "method";
}

bool gateway_supports(const struct gateway *gateway, struct money money,
                      enum gateway_operation operation)
{
    return !gateway_refusal(gateway, money, operation);
}

static int64_t operation_timeout_ms(const struct gateway_timeouts *timeouts,
                                    enum gateway_operation operation)
{
    switch (operation) {
    case GATEWAY_CAPTURE:
        return timeouts->capture_ms;
    case GATEWAY_VOID:
        return timeouts->void_ms;
    case GATEWAY_REFUND:
        return timeouts->refund_ms;
    case GATEWAY_AUTHORIZE:
    case GATEWAY_TRANSFER:
    case GATEWAY_OPERATION_COUNT:
        break;
    }
    return timeouts->authorize_ms;
}

static int64_t question_timeout_ms(const struct gateway *gateway, enum gateway_question question,
                                   enum gateway_operation operation)
{
    switch (question) {
    case GATEWAY_LOOK_UP:
        return gateway->timeouts.look_up_ms;
    case GATEWAY_VOID_REFERENCE:
        return gateway->timeouts.void_ms;
    case GATEWAY_PERFORM:
        break;
    }
    return operation_timeout_ms(&gateway->timeouts, operation);
}

struct deadline gateway_deadline(const struct gateway *gateway, enum gateway_question question,
                                 const struct gateway_call *call)
{
    int64_t timeout_ms = question_timeout_ms(gateway, question, call->operation);

    return deadline_earlier(call->deadline, deadline_in_ms(timeout_ms));
}
