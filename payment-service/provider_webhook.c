#include "payment-service/provider_webhook.h"

#include "payment-service/payment_conclude.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/metrics.h"

static bool refuse_attempt(struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "attempt_not_found",
                     "Nothing was asked of this bank, for this merchant, under this reference.");
}

static bool is_money(const struct attempt *attempt, struct money money)
{
    return money.amount == attempt->money.amount &&
           currency_equal(money.currency, attempt->money.currency);
}

/* What a bank tells has to be about what it was asked for. What was voided moves no money, and a
 * bank has none to tell. */
static bool check_subject(const struct attempt *attempt, const struct gateway_notice *notice,
                          struct error *err)
{
    if (notice->kind != GATEWAY_NOTICE_OUTCOME)
        return true;
    error_begin_validation(err);
    if (notice->operation != attempt->operation)
        error_add_field(err, "/operation/operation", "operation_mismatch",
                        "is not what was asked for under this reference");
    else if (notice->result.outcome != GATEWAY_VOIDED && !is_money(attempt, notice->money))
        error_add_field(err, "/operation/amount", "amount_mismatch",
                        "is not what was asked for under this reference");
    return err->field_count == 0;
}

static bool find_attempt(const struct payment_service *service,
                         const struct provider_address *address,
                         const struct gateway_notice *notice, struct deadline deadline,
                         struct attempt_record *out, struct error *err)
{
    if (!attempt_store_read(backbone_pool(service->backbone), notice->reference, deadline, out,
                            err))
        return false;
    if (strcmp(out->payment.merchant, address->merchant) != 0 ||
        strcmp(out->attempt.gateway, address->gateway) != 0)
        return refuse_attempt(err);
    return check_subject(&out->attempt, notice, err);
}

static void count(const struct provider_address *address, const char *outcome)
{
    char labels[96];

    text_format(labels, sizeof(labels), "gateway=\"%s\",outcome=\"%s\"", address->gateway, outcome);
    metric_add(
        metric_counter("checkout_provider_webhooks_total", "Webhooks that banks sent", labels), 1);
}

static bool take(const struct payment_service *service, const struct provider_address *address,
                 const struct gateway *gateway, const struct gateway_webhook *webhook,
                 struct deadline deadline, struct error *err)
{
    AUTO(attempt_record_release) struct attempt_record record = ATTEMPT_RECORD_EMPTY;
    struct gateway_notice notice;

    if (!gateway->protocol->parse_webhook(gateway, webhook, &notice, err))
        return false;
    if (notice.kind == GATEWAY_NOTICE_OTHER)
        return true;
    if (!find_attempt(service, address, &notice, deadline, &record, err))
        return false;
    CRASH_POINT("webhook:before_conclusion");
    return payment_conclude(service, &record, &notice, deadline, err);
}

bool provider_webhook_take(const struct payment_service *service,
                           const struct provider_address *address,
                           const struct gateway_webhook *webhook, struct deadline deadline,
                           struct error *err)
{
    const struct gateway *gateway = gateway_chain_find(service->chain, address->gateway);

    if (!gateway) /* whose name is nobody's, and no label */
        return error_set(err, ERROR_NOT_FOUND, "gateway_not_found", "There is no such gateway.");
    bool taken = take(service, address, gateway, webhook, deadline, err);
    count(address, taken ? "taken" : "refused");
    return taken;
}
