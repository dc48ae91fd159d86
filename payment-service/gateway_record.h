/*
 * Record: what a bank's book says of a reference, whatever language it was told in.
 *
 * The JSON and the SOAP gateway read their answers and webhooks into a record; here is decided what
 * it means. A record is an outcome only when it speaks of what was asked: another reference,
 * amount, currency or authorization proves that something is wrong, but not that nothing was done,
 * so it is `unknown`.
 *
 * Pure; any thread.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_RECORD_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_RECORD_H

#include "payment-service/gateway.h"

/* The operations of a gateway, and of a reference that was made dead before it was known. */
enum { GATEWAY_RECORD_VOID_REFERENCE = GATEWAY_OPERATION_COUNT, GATEWAY_RECORD_OPERATION_COUNT };

extern const char *const gateway_record_operation_words[GATEWAY_RECORD_OPERATION_COUNT];

/* "approved", "declined", "pending", "voided": the first outcomes, in their order. */
enum { GATEWAY_RECORD_STATUS_COUNT = GATEWAY_VOIDED + 1 };

extern const char *const gateway_record_status_words[GATEWAY_RECORD_STATUS_COUNT];

/* The texts are as in struct gateway_result, and plain (gateway_text_is_plain()). */
struct gateway_record {
    char id[64];
    size_t operation; /* of the words above */
    struct id reference;
    struct id authorization; /* of a capture, void or refund */
    size_t status;           /* of the words above */
    struct money money;      /* of all but what was voided */
    bool captured;
    char failure_code[GATEWAY_CODE_SIZE];
    char decline_code[GATEWAY_CODE_SIZE];
    char action_url[GATEWAY_URL_SIZE];
};

/* ASCII without blanks and control characters: what a bank may call things. */
bool gateway_text_is_plain(const char *text);

/* A plain text with http:// or https:// in front: where a customer may be sent. */
bool gateway_url_is_plain(const char *text);

/* A bank's code as it may stand in details and logs: what could be a card's number is "none". */
const char *gateway_code_or_none(const char *code);

/* Fields that a record of such an operation and status must have. */
bool gateway_record_needs_money(size_t status);
bool gateway_record_needs_authorization(size_t operation);

/* What the record says by itself. */
void gateway_record_tell(const struct gateway_record *record, struct gateway_result *out);

/* What it says as an answer to that question about that call. */
void gateway_record_judge(const struct gateway_record *record, const struct gateway_call *call,
                          enum gateway_question question, struct gateway_result *out);

/* A result of nothing but an outcome and the reason for it. */
void gateway_result_set(struct gateway_result *out, enum gateway_outcome outcome,
                        const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * What a refusal with the bank's code means, when refusals in general mean that nothing was done:
 * "reference_voided" is `voided`; "reference_reused" tells that the bank has something else under
 * the reference, so it is `unknown`.
 */
void gateway_record_refused(const char *code, enum gateway_question question,
                            struct gateway_result *out);

#endif
