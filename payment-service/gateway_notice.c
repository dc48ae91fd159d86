#include "payment-service/gateway_notice.h"

#include <strings.h>

#include "shared/http/webhook.h"

static const struct gateway_notice_type types[] = {
    { "authorization.approved", GATEWAY_NOTICE_OUTCOME, GATEWAY_AUTHORIZE },
    { "authorization.declined", GATEWAY_NOTICE_OUTCOME, GATEWAY_AUTHORIZE },
    { "authorization.pending", GATEWAY_NOTICE_OUTCOME, GATEWAY_AUTHORIZE },
    { "authorization.voided", GATEWAY_NOTICE_OUTCOME, GATEWAY_AUTHORIZE },
    { "transfer.paid", GATEWAY_NOTICE_OUTCOME, GATEWAY_TRANSFER },
    { "transfer.voided", GATEWAY_NOTICE_OUTCOME, GATEWAY_TRANSFER },
    { "capture.approved", GATEWAY_NOTICE_OUTCOME, GATEWAY_CAPTURE },
    { "capture.declined", GATEWAY_NOTICE_OUTCOME, GATEWAY_CAPTURE },
    { "void.approved", GATEWAY_NOTICE_OUTCOME, GATEWAY_VOID },
    { "void.declined", GATEWAY_NOTICE_OUTCOME, GATEWAY_VOID },
    { "refund.approved", GATEWAY_NOTICE_OUTCOME, GATEWAY_REFUND },
    { "refund.declined", GATEWAY_NOTICE_OUTCOME, GATEWAY_REFUND },
    { "refund.pending", GATEWAY_NOTICE_OUTCOME, GATEWAY_REFUND },
    { "refund.returned", GATEWAY_NOTICE_REFUND_RETURNED, GATEWAY_REFUND },
    { "dispute.opened", GATEWAY_NOTICE_DISPUTED, GATEWAY_AUTHORIZE },
    { "dispute.won", GATEWAY_NOTICE_DISPUTE_WON, GATEWAY_AUTHORIZE },
    { "dispute.lost", GATEWAY_NOTICE_DISPUTE_LOST, GATEWAY_AUTHORIZE },
};

const struct gateway_notice_type *gateway_notice_type(const char *type)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(types[i].type, type) == 0)
            return &types[i];
    return NULL;
}

bool gateway_notice_fits(const struct gateway_notice_type *type,
                         const struct gateway_record *record)
{
    return record->operation == (size_t)type->operation ||
           record->operation == GATEWAY_RECORD_VOID_REFERENCE;
}

void gateway_notice_fill(struct gateway_notice *out, const struct gateway_notice_type *type,
                         const struct gateway_record *record)
{
    out->kind = type->kind;
    out->reference = record->reference;
    out->operation = type->operation;
    out->money = record->money;
    gateway_record_tell(record, &out->result);
}

static bool check_type(const char *type, const char *expected, struct error *err)
{
    size_t length = type ? strcspn(type, "; \t") : 0;

    if (type && length == strlen(expected) && strncasecmp(type, expected, length) == 0)
        return true;
    return error_set(err, ERROR_MEDIA_TYPE, "media_type_unsupported", "Content-Type must be %s",
                     expected);
}

bool gateway_webhook_check(const struct gateway *gateway, const struct gateway_webhook *webhook,
                           const char *content_type, struct error *err)
{
    const char *secrets[GATEWAY_SECRETS_MAX];
    struct webhook_headers headers = { webhook->id, webhook->timestamp, webhook->signature };

    for (size_t i = 0; i < gateway->webhook_secret_count; i++)
        secrets[i] = gateway->webhook_secrets[i];
    return webhook_verify(secrets, gateway->webhook_secret_count, &headers, webhook->body,
                          webhook->now, err) &&
           check_type(webhook->content_type, content_type, err);
}
