#include "tests/unit/table.h"
#include "voucher-service/voucher.h"

static const struct instant then = { 1700000000000 };
static const struct instant now = { 1700000005000 };

static void a_new_voucher_is_active_and_worth_what_the_rule_says(void **state)
{
    struct voucher_rule rule = { .id = id_floor(then),
                                 .currency = EUR,
                                 .threshold_amount = 10000,
                                 .value_amount = 500,
                                 .valid_days = 365 };
    struct voucher voucher = { .stream = 0 };

    (void)state;
    voucher_begin(&voucher, &rule, (struct voucher_code){ "0123456789ABC" }, now);
    assert_int_equal(voucher.status, VOUCHER_ACTIVE);
    assert_int_equal(voucher.version, 1);
    assert_int_equal(voucher.value.amount, 500);
    assert_string_equal(voucher.value.currency.code, "EUR");
    assert_true(id_equal(voucher.rule_id, rule.id));
    assert_int_equal(voucher.created_at.ms, now.ms);
    assert_int_equal(voucher.updated_at.ms, now.ms);
    assert_int_equal(voucher.expires_at.ms, now.ms + INT64_C(365) * 86400 * 1000);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, a_new_voucher_is_active_and_worth_what_the_rule_says);
    return table_run(&table);
}
