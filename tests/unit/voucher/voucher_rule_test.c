#include "tests/unit/table.h"
#include "voucher-service/voucher_rule.h"

/* The seeded rule, but made at a moment that the rows can be before and after. */
static const struct voucher_rule rule = { .currency = { "EUR" },
                                          .threshold_amount = 10000,
                                          .value_amount = 500,
                                          .valid_days = 365,
                                          .created_at = { 1700000000000 } };

static const struct row {
    const char *label;
    struct money total;
    int64_t sent_at_ms;
    bool applies;
} rows[] = {
    { "an order of nothing earns nothing", { 0, { "EUR" } }, 1700000000001, false },
    { "one cent short of 100 earns nothing", { 9999, { "EUR" } }, 1700000000001, false },
    { "exactly 100 earns nothing", { 10000, { "EUR" } }, 1700000000001, false },
    { "one cent over 100 earns a voucher", { 10001, { "EUR" } }, 1700000000001, true },
    { "a fortune earns a voucher", { INT64_MAX, { "EUR" } }, 1700000000001, true },
    { "another currency earns nothing", { 10001, { "USD" } }, 1700000000001, false },
    { "a fortune in another currency earns nothing",
      { INT64_MAX, { "JPY" } },
      1700000000001,
      false },
    { "sent when the rule was made earns a voucher", { 10001, { "EUR" } }, 1700000000000, true },
    { "sent before the rule was made earns nothing", { 10001, { "EUR" } }, 1699999999999, false },
};

static void check_applies(void **state)
{
    const struct row *row = *state;

    assert_int_equal(voucher_rule_applies(&rule, row->total, (struct instant){ row->sent_at_ms }),
                     row->applies);
}

static void a_threshold_of_nothing_is_passed_by_one_cent(void **state)
{
    struct voucher_rule generous = rule;

    (void)state;
    generous.threshold_amount = 0;
    assert_false(voucher_rule_applies(&generous, (struct money){ 0, EUR }, rule.created_at));
    assert_true(voucher_rule_applies(&generous, (struct money){ 1, EUR }, rule.created_at));
}

static void a_voucher_is_over_after_whole_days(void **state)
{
    (void)state;
    assert_int_equal(voucher_rule_expiry(&rule, (struct instant){ 1000 }).ms,
                     INT64_C(31536000000) + 1000);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_applies);
    TABLE_ADD(&table, a_threshold_of_nothing_is_passed_by_one_cent);
    TABLE_ADD(&table, a_voucher_is_over_after_whole_days);
    return table_run(&table);
}
