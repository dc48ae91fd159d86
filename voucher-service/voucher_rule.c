#include "voucher-service/voucher_rule.h"

/* A day of 24 hours: vouchers know no time zone. */
static const int64_t DAY_MS = INT64_C(24) * 60 * 60 * 1000;

bool voucher_rule_applies(const struct voucher_rule *rule, struct money total,
                          struct instant sent_at)
{
    return currency_equal(rule->currency, total.currency) &&
           total.amount > rule->threshold_amount && sent_at.ms >= rule->created_at.ms;
}

struct instant voucher_rule_expiry(const struct voucher_rule *rule, struct instant now)
{
    return instant_add_ms(now, rule->valid_days * DAY_MS);
}
