/*
 * Voucher rule: which orders earn a voucher, and what it is worth.
 *
 * Pure: no I/O, no clock.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_RULE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_RULE_H

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/base/money.h"

/* Minor units, and days. */
#define VOUCHER_RULE_AMOUNT_MAX INT64_C(1000000000000000)
enum { VOUCHER_RULE_DAYS_DEFAULT = 365, VOUCHER_RULE_DAYS_MAX = 3650 };

/* There is one per currency, and there are fewer currencies than this. */
enum { VOUCHER_RULES_MAX = 256 };

struct voucher_rule {
    struct id id;
    struct currency currency;
    int64_t threshold_amount;
    int64_t value_amount;
    int64_t valid_days;
    struct instant created_at;
};

/*
 * True if an order of this total, sent at that moment, earns a voucher: of the rule's currency,
 * strictly above its threshold, and not sent before the rule existed.
 */
bool voucher_rule_applies(const struct voucher_rule *rule, struct money total,
                          struct instant sent_at);

/* When a voucher issued `now` by the rule is over. */
struct instant voucher_rule_expiry(const struct voucher_rule *rule, struct instant now);

#endif
