#include "payment-service/gateway_record.h"

const char *const gateway_record_operation_words[GATEWAY_RECORD_OPERATION_COUNT] = {
    [GATEWAY_AUTHORIZE] = "authorize", [GATEWAY_TRANSFER] = "transfer",
    [GATEWAY_CAPTURE] = "capture",     [GATEWAY_VOID] = "void",
    [GATEWAY_REFUND] = "refund",       [GATEWAY_RECORD_VOID_REFERENCE] = "void_reference",
};

const char *const gateway_record_status_words[GATEWAY_RECORD_STATUS_COUNT] = {
    [GATEWAY_APPROVED] = "approved",
    [GATEWAY_DECLINED] = "declined",
    [GATEWAY_PENDING] = "pending",
    [GATEWAY_VOIDED] = "voided",
};

/* A decline without a reason is a decline all the same. */
static const char UNEXPLAINED[] = "declined";

bool gateway_text_is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

bool gateway_url_is_plain(const char *text)
{
    return (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0) &&
           gateway_text_is_plain(text);
}

const char *gateway_code_or_none(const char *code)
{
    size_t digits = 0;

    if (strlen(code) >= GATEWAY_CODE_SIZE || !gateway_text_is_plain(code))
        return "none";
    for (const char *at = code; *at != '\0'; at++)
        digits += *at >= '0' && *at <= '9';
    return digits < CARD_NUMBER_MIN ? code : "none";
}

bool gateway_record_needs_money(size_t status)
{
    return status != GATEWAY_VOIDED;
}

bool gateway_record_needs_authorization(size_t operation)
{
    return operation == GATEWAY_CAPTURE || operation == GATEWAY_VOID || operation == GATEWAY_REFUND;
}

void gateway_result_set(struct gateway_result *out, enum gateway_outcome outcome,
                        const char *format, ...)
{
    va_list arguments;

    *out = (struct gateway_result){ .outcome = outcome };
    va_start(arguments, format);
    text_format_list(out->detail, sizeof(out->detail), format, arguments);
    va_end(arguments);
}

void gateway_record_tell(const struct gateway_record *record, struct gateway_result *out)
{
    *out = (struct gateway_result){ .outcome = (enum gateway_outcome)record->status };
    text_copy(out->bank_id, sizeof(out->bank_id), record->id);
    switch (out->outcome) {
    case GATEWAY_APPROVED:
        out->captured = record->operation == GATEWAY_AUTHORIZE && record->captured;
        break;
    case GATEWAY_DECLINED:
        text_copy(out->failure_code, sizeof(out->failure_code),
                  *record->failure_code != '\0' ? gateway_code_or_none(record->failure_code)
                                                : UNEXPLAINED);
        text_copy(out->decline_code, sizeof(out->decline_code),
                  gateway_code_or_none(record->decline_code));
        break;
    case GATEWAY_PENDING:
        text_copy(out->action_url, sizeof(out->action_url), record->action_url);
        break;
    default:
        break;
    }
}

static bool is_money(const struct gateway_record *record, struct money money)
{
    return record->money.amount == money.amount &&
           currency_equal(record->money.currency, money.currency);
}

/* In what the record contradicts the call; NULL when it is about it. */
static const char *contradiction(const struct gateway_record *record,
                                 const struct gateway_call *call)
{
    if (!id_equal(record->reference, call->reference))
        return "reference";
    if (record->status == GATEWAY_VOIDED)
        return NULL; /* it never took effect: its amount, or that of nothing, does not matter */
    if (record->operation != (size_t)call->operation)
        return "operation";
    if (!is_money(record, call->money))
        return "amount";
    if (gateway_record_needs_authorization(record->operation) &&
        !id_equal(record->authorization, call->target))
        return "authorization";
    return NULL;
}

void gateway_record_judge(const struct gateway_record *record, const struct gateway_call *call,
                          enum gateway_question question, struct gateway_result *out)
{
    const char *wrong = contradiction(record, call);

    if (wrong)
        gateway_result_set(out, GATEWAY_UNKNOWN, "answered a record of another %s", wrong);
    else if (question == GATEWAY_VOID_REFERENCE && record->status == GATEWAY_PENDING)
        gateway_result_set(out, GATEWAY_UNKNOWN, "is still pending after it was voided");
    else
        gateway_record_tell(record, out);
}

/*
 * Refusals that speak of what was asked for, and will be the same tomorrow. Most others speak of
 * us, of a key or a rate, and end when somebody has mended that.
 */
static bool is_final(const char *code)
{
    return strcmp(code, "authorization_not_found") == 0 ||
           strcmp(code, "currency_not_supported") == 0;
}

void gateway_record_refused(const char *code, enum gateway_question question,
                            struct gateway_result *out)
{
    if (strcmp(code, "reference_voided") == 0)
        gateway_result_set(out, GATEWAY_VOIDED, "refused: %s", code);
    else if (question == GATEWAY_PERFORM && strcmp(code, "reference_reused") == 0)
        gateway_result_set(out, GATEWAY_UNKNOWN, "refused: %s", code);
    else
        gateway_result_set(out, GATEWAY_NOTHING, "refused: %s", code);
    if (out->outcome == GATEWAY_NOTHING && question == GATEWAY_PERFORM && is_final(code))
        text_copy(out->refusal, sizeof(out->refusal), code);
}
