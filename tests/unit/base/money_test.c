#include "shared/base/money.h"
#include "tests/unit/table.h"

static const struct text_row {
    const char *label;
    int64_t amount;
    const char *currency;
    const char *text;
} text_rows[] = {
    { "euros show two digits", 13700, "EUR", "137.00 EUR" },
    { "a cent keeps its zeros", 1, "EUR", "0.01 EUR" },
    { "nothing is shown as nothing", 0, "EUR", "0.00 EUR" },
    { "a debt has its sign in front", -5, "EUR", "-0.05 EUR" },
    { "yen show no digits", 500, "JPY", "500 JPY" },
    { "dinars show three digits", 1234, "KWD", "1.234 KWD" },
    { "unidades de fomento show four digits", 12345, "CLF", "1.2345 CLF" },
    { "the largest amount fits", INT64_MAX, "EUR", "92233720368547758.07 EUR" },
    { "the smallest amount fits", INT64_MIN, "CLF", "-922337203685477.5808 CLF" },
    { "the smallest amount of yen fits", INT64_MIN, "JPY", "-9223372036854775808 JPY" },
};

static void check_text(void **state)
{
    const struct text_row *row = *state;
    struct money money = { .amount = row->amount };

    assert_true(currency_parse(row->currency, &money.currency));
    assert_string_equal(money_text(money).text, row->text);
}

static const struct arithmetic_row {
    const char *label;
    int64_t a, b;
    bool fits;
    int64_t result;
} sum_rows[] = {
    { "two amounts are added", 1, 2, true, 3 },
    { "the sum may be the largest amount", INT64_MAX - 1, 1, true, INT64_MAX },
    { "one more than the largest is refused", INT64_MAX, 1, false, 0 },
    { "the sum may be the smallest amount", INT64_MIN + 1, -1, true, INT64_MIN },
    { "one less than the smallest is refused", INT64_MIN, -1, false, 0 },
    { "the ends of the range add up to minus one", INT64_MAX, INT64_MIN, true, -1 },
}, product_rows[] = {
    { "an amount times a quantity", 1999, 3, true, 5997 },
    { "nothing times anything is nothing", INT64_MAX, 0, true, 0 },
    { "the largest amount once is itself", INT64_MAX, 1, true, INT64_MAX },
    { "the largest amount twice is refused", INT64_MAX, 2, false, 0 },
    { "a product that wraps to something positive is refused", INT64_C(1) << 62, 5, false, 0 },
    { "a product that wraps to zero is refused", INT64_C(1) << 32, INT64_C(1) << 32, false, 0 },
    { "the smallest amount negated is refused", INT64_MIN, -1, false, 0 },
    { "the largest order line fits", 1000000000000, 10000, true, 10000000000000000 },
};

static void check_sum(void **state)
{
    const struct arithmetic_row *row = *state;
    int64_t sum = 42;

    assert_int_equal(amount_add(row->a, row->b, &sum), row->fits);
    assert_int_equal(sum, row->fits ? row->result : 42);
}

static void check_product(void **state)
{
    const struct arithmetic_row *row = *state;
    int64_t product = 42;

    assert_int_equal(amount_multiply(row->a, row->b, &product), row->fits);
    assert_int_equal(product, row->fits ? row->result : 42);
}

static void every_currency_shows_its_digits(UNUSED void **state)
{
    for (size_t i = 0; i < currency_count(); i++) {
        struct money money = { .amount = INT64_MIN };
        assert_true(currency_parse(currency_code_at(i), &money.currency));
        struct money_text text = money_text(money);
        const char *point = strchr(text.text, '.');
        const char *blank = strchr(text.text, ' ');

        assert_string_equal(blank + 1, currency_code_at(i));
        assert_int_equal(point ? blank - point - 1 : 0, currency_exponent(money.currency));
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, text_rows, check_text);
    TABLE_ADD_ROWS(&table, sum_rows, check_sum);
    TABLE_ADD_ROWS(&table, product_rows, check_product);
    TABLE_ADD(&table, every_currency_shows_its_digits);
    return table_run(&table);
}
