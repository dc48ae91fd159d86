#include "voucher-service/voucher.h"

const char *const voucher_status_words[VOUCHER_STATUS_COUNT] = {
    [VOUCHER_ACTIVE] = "active",   [VOUCHER_RESERVED] = "reserved", [VOUCHER_REDEEMED] = "redeemed",
    [VOUCHER_EXPIRED] = "expired", [VOUCHER_VOIDED] = "voided",
};

void voucher_begin(struct voucher *voucher, const struct voucher_rule *rule,
                   struct voucher_code code, struct instant now)
{
    voucher->version = 1;
    voucher->status = VOUCHER_ACTIVE;
    voucher->code = code;
    voucher->value = (struct money){ rule->value_amount, rule->currency };
    voucher->rule_id = rule->id;
    voucher->created_at = now;
    voucher->updated_at = now;
    voucher->expires_at = voucher_rule_expiry(rule, now);
}
