#include "shared/base/currency.h"
#include "tests/unit/table.h"

static const struct row {
    const char *label;
    const char *code;
    int exponent; /* -1: refused */
} rows[] = {
    { "euros have cents", "EUR", 2 },
    { "pounds have pence", "GBP", 2 },
    { "dollars have cents", "USD", 2 },
    { "yen have nothing smaller", "JPY", 0 },
    { "won have nothing smaller", "KRW", 0 },
    { "Kuwaiti dinars have three digits", "KWD", 3 },
    { "Bahraini dinars have three digits", "BHD", 3 },
    { "unidades de fomento have four digits", "CLF", 4 },
    { "unidades previsionales have four digits", "UYW", 4 },
    { "the first code is found", "AED", 2 },
    { "the last code is found", "ZWG", 2 },
    { "gold is no price", "XAU", -1 },
    { "no currency is no price", "XXX", -1 },
    { "the code for tests is no price", "XTS", -1 },
    { "special drawing rights are no price", "XDR", -1 },
    { "German marks are withdrawn", "DEM", -1 },
    { "Croatian kuna are withdrawn", "HRK", -1 },
    { "small letters are refused", "eur", -1 },
    { "mixed letters are refused", "Eur", -1 },
    { "two letters are refused", "EU", -1 },
    { "four letters are refused", "EURO", -1 },
    { "nothing is refused", "", -1 },
    { "a leading blank is refused", " EUR", -1 },
    { "a trailing blank is refused", "EUR ", -1 },
    { "digits are refused", "978", -1 },
    { "a code that does not exist is refused", "AAA", -1 },
    { "a code behind the last is refused", "ZZZ", -1 },
};

static void check_parse(void **state)
{
    const struct row *row = *state;
    struct currency currency = { "---" };

    assert_int_equal(currency_parse(row->code, &currency), row->exponent >= 0);
    assert_string_equal(currency.code, row->exponent >= 0 ? row->code : "---");
    if (row->exponent >= 0)
        assert_int_equal(currency_exponent(currency), row->exponent);
}

static void every_code_comes_back_and_they_are_sorted(UNUSED void **state)
{
    for (size_t i = 0; i < currency_count(); i++) {
        struct currency currency;
        const char *code = currency_code_at(i);

        assert_int_equal(strlen(code), 3);
        assert_true(currency_parse(code, &currency));
        assert_string_equal(currency.code, code);
        assert_in_range(currency_exponent(currency), 0, 4);
        if (i > 0)
            assert_true(strcmp(currency_code_at(i - 1), code) < 0);
    }
}

/* How many the standard has of each, so that no line of the table gets lost. */
static void the_table_is_complete(UNUSED void **state)
{
    size_t counts[5] = { 0 };

    for (size_t i = 0; i < currency_count(); i++) {
        struct currency currency;
        assert_true(currency_parse(currency_code_at(i), &currency));
        counts[currency_exponent(currency)]++;
    }
    assert_int_equal(counts[0], 17);
    assert_int_equal(counts[1], 0);
    assert_int_equal(counts[2], 139);
    assert_int_equal(counts[3], 7);
    assert_int_equal(counts[4], 2);
}

static void the_names_in_the_header_are_in_the_table(UNUSED void **state)
{
    struct currency names[] = { EUR, GBP, JPY, USD };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct currency currency;
        assert_true(currency_parse(names[i].code, &currency));
        assert_true(currency_equal(currency, names[i]));
        assert_int_equal(currency_equal(names[0], names[i]), i == 0);
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_parse);
    TABLE_ADD(&table, every_code_comes_back_and_they_are_sorted);
    TABLE_ADD(&table, the_table_is_complete);
    TABLE_ADD(&table, the_names_in_the_header_are_in_the_table);
    return table_run(&table);
}
