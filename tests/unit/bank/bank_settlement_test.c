#include "payment-service/bank-simulator/bank_settlement.h"
#include "tests/unit/table.h"

static const struct line_row {
    const char *label;
    enum bank_movement movement;
    const char *operation, *direction;
} line_rows[] = {
    { "a capture is the account's", MOVEMENT_CAPTURE, "capture", "credit" },
    { "a paid transfer is the account's", MOVEMENT_TRANSFER, "transfer", "credit" },
    { "a refund is the customer's", MOVEMENT_REFUND, "refund", "debit" },
    { "a returned refund is the account's again", MOVEMENT_REFUND_RETURN, "refund_return",
      "credit" },
};

static void check_line(void **state)
{
    const struct line_row *row = *state;
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    char expected[256];
    const struct bank_movement_row movement = {
        .at = { 1769903999123 },
        .movement = row->movement,
        .reference = { { [15] = 1 } },
        .payment = { { [15] = 2 } },
        .money = { 13700, EUR },
    };

    settlement_add(&out, "demo", &movement);
    text_format(expected, sizeof(expected),
                "2026-01-31T23:59:59.123Z,demo,%s,00000000-0000-0000-0000-000000000001,"
                "00000000-0000-0000-0000-000000000002,13700,EUR,%s\r\n",
                row->operation, row->direction);
    assert_string_equal(out.at, expected);
}

static void begins_with_the_names(void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;

    (void)state;
    settlement_begin(&out);
    assert_string_equal(out.at, "settled_at,account,operation,reference,authorization,amount,"
                                "currency,direction\r\n");
}

static const struct day_row {
    const char *label;
    const char *text;
    int64_t ms; /* -1: none */
} day_rows[] = {
    { "a day begins at midnight", "2026-01-31", 1769817600000 },
    { "a leap day is one", "2024-02-29", 1709164800000 },
    { "no leap day is none", "2023-02-29", -1 },
    { "a month has an end", "2026-04-31", -1 },
    { "one digit is none", "2026-1-31", -1 },
    { "a time is none", "2026-01-31T00:00:00Z", -1 },
    { "nothing is none", "", -1 },
    { "words are none", "0000-00-00", -1 },
};

static void check_day(void **state)
{
    const struct day_row *row = *state;
    struct instant day = { -1 };
    struct error err;
    bool read = settlement_day(row->text, &day, &err);

    assert_int_equal(read, row->ms >= 0);
    assert_int_equal(day.ms, row->ms);
    if (!read)
        assert_string_equal(err.code, "date_malformed");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, line_rows, check_line);
    TABLE_ADD(&table, begins_with_the_names);
    TABLE_ADD_ROWS(&table, day_rows, check_day);
    return table_run(&table);
}
