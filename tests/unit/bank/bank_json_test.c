#include "payment-service/bank-simulator/bank_json.h"
#include "payment-service/bank-simulator/bank_notice.h"
#include "tests/unit/table.h"

#define REFERENCE "\"reference\":\"01940000-0000-7000-8000-000000000001\""
#define OTHER     "\"authorization\":\"01940000-0000-7000-8000-000000000002\""
#define MONEY     "\"amount\":13700,\"currency\":\"EUR\""
#define CARD_OF(number, month, year, more) \
    "\"card\":{\"number\":\"" number "\",\"exp_month\":" month ",\"exp_year\":" year more "}"
#define CARD CARD_OF("4242424242424242", "12", "2034", "")

static const struct row {
    const char *label;
    enum bank_operation operation;
    const char *body;
    const char *wrong; /* the pointer of the first wrong field, NULL for none */
} rows[] = {
    { "an authorization", BANK_AUTHORIZE, "{" REFERENCE "," MONEY ",\"capture\":true," CARD "}",
      NULL },
    { "code and name may be there", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY ",\"capture\":false," CARD_OF(
          "4242424242424242", "1", "2034", ",\"cvc\":\"0123\",\"name\":\"Ada\"") "}",
      NULL },
    { "whether to capture is said", BANK_AUTHORIZE, "{" REFERENCE "," MONEY "," CARD "}",
      "/capture" },
    { "a card is there", BANK_AUTHORIZE, "{" REFERENCE "," MONEY ",\"capture\":true}", "/card" },
    { "blanks are no digits", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY
      ",\"capture\":true," CARD_OF("4242 4242 4242 4", "12", "2034", "") "}",
      "/card/number" },
    { "eleven digits are too few", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY ",\"capture\":true," CARD_OF("42424242424", "12", "2034", "") "}",
      "/card/number" },
    { "twenty digits are too many", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY
      ",\"capture\":true," CARD_OF("42424242424242424242", "12", "2034", "") "}",
      "/card/number" },
    { "a month is one of twelve", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY
      ",\"capture\":true," CARD_OF("4242424242424242", "13", "2034", "") "}",
      "/card/exp_month" },
    { "a year has four digits", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY ",\"capture\":true," CARD_OF("4242424242424242", "12", "34", "") "}",
      "/card/exp_year" },
    { "a code has digits", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY
      ",\"capture\":true," CARD_OF("4242424242424242", "12", "2034", ",\"cvc\":\"12x\"") "}",
      "/card/cvc" },
    { "a card has nothing else", BANK_AUTHORIZE,
      "{" REFERENCE "," MONEY
      ",\"capture\":true," CARD_OF("4242424242424242", "12", "2034", ",\"pin\":\"1\"") "}",
      "/card/pin" },
    { "a transfer", BANK_TRANSFER, "{" REFERENCE "," MONEY "}", NULL },
    { "a transfer has no card", BANK_TRANSFER, "{" REFERENCE "," MONEY "," CARD "}", "/card" },
    { "a currency is one", BANK_TRANSFER, "{" REFERENCE ",\"amount\":1,\"currency\":\"XAU\"}",
      "/currency" },
    { "nothing is no amount", BANK_TRANSFER, "{" REFERENCE ",\"amount\":0,\"currency\":\"EUR\"}",
      "/amount" },
    { "text is no amount", BANK_TRANSFER, "{" REFERENCE ",\"amount\":\"1\",\"currency\":\"EUR\"}",
      "/amount" },
    { "an exponent is no amount", BANK_TRANSFER,
      "{" REFERENCE ",\"amount\":1e2,\"currency\":\"EUR\"}", "/amount" },
    { "an amount has a limit", BANK_TRANSFER,
      "{" REFERENCE ",\"amount\":1000000000000001,\"currency\":\"EUR\"}", "/amount" },
    { "a capture", BANK_CAPTURE, "{" REFERENCE "," OTHER ",\"amount\":1}", NULL },
    { "a capture has the payment's currency", BANK_CAPTURE, "{" REFERENCE "," OTHER "," MONEY "}",
      "/currency" },
    { "a capture is of something", BANK_CAPTURE, "{" REFERENCE ",\"amount\":1}", "/authorization" },
    { "a refund", BANK_REFUND, "{" REFERENCE "," OTHER ",\"amount\":1}", NULL },
    { "a void", BANK_VOID, "{" REFERENCE "," OTHER "}", NULL },
    { "a void is of all", BANK_VOID, "{" REFERENCE "," OTHER ",\"amount\":1}", "/amount" },
    { "a dead reference", BANK_VOID_REFERENCE, "{" REFERENCE "}", NULL },
    { "a reference is a UUID", BANK_VOID_REFERENCE, "{\"reference\":\"1\"}", "/reference" },
    { "a list is no call", BANK_VOID_REFERENCE, "[]", "" },
};

static void check_read(void **state)
{
    const struct row *row = *state;
    struct bank_instruction instruction;
    struct bank_card card;
    struct error err;
    bool read =
        bank_instruction_read(span_of(row->body), row->operation, &instruction, &card, &err);

    assert_int_equal(read, row->wrong == NULL);
    if (!read) {
        assert_int_equal(err.kind, ERROR_VALIDATION);
        assert_string_equal(err.fields[0].pointer, row->wrong);
        return;
    }
    assert_string_equal(id_text(instruction.reference).text,
                        "01940000-0000-7000-8000-000000000001");
    assert_string_equal(instruction.last4, row->operation == BANK_AUTHORIZE ? "4242" : "");
    assert_string_equal(card.number, row->operation == BANK_AUTHORIZE ? "4242424242424242" : "");
}

static void tells_nobody_a_wrong_number(void **state)
{
    struct bank_instruction instruction;
    struct bank_card card;
    struct error err;

    (void)state;
    assert_false(bank_instruction_read(span_of("{" REFERENCE "," MONEY ",\"capture\":true," CARD_OF(
                                           "4242424242424x42", "12", "2034", "") "}"),
                                       BANK_AUTHORIZE, &instruction, &card, &err));
    assert_null(strstr(err.fields[0].detail, "4242"));
    assert_string_equal(card.number, "");
}

/* ---- Records -------------------------------------------------------------------------------- */

static const struct bank_record pending = {
    .id = "op_0123",
    .operation = BANK_AUTHORIZE,
    .reference = { { 1, [15] = 1 } },
    .payment = { { 1, [15] = 1 } },
    .status = BANK_PENDING,
    .money = { 13700, { "EUR" } },
    .created_at = { 1769903999123 },
};

static struct bank_view view_of(const char *name)
{
    return (struct bank_view){ bank_find(name), "http://bank.test" };
}

static void check_written(const struct bank_record *record, const char *expected)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct json_writer json = { .out = &out };
    struct bank_view view = view_of("bank-a");

    bank_record_write(&json, record, &view);
    assert_string_equal(out.at, expected);
}

static void writes_where_a_challenge_is(void **state)
{
    (void)state;
    check_written(&pending,
                  "{\"id\":\"op_0123\",\"operation\":\"authorize\","
                  "\"reference\":\"01000000-0000-0000-0000-000000000001\",\"authorization\":null,"
                  "\"status\":\"pending\",\"amount\":13700,\"currency\":\"EUR\",\"captured\":false,"
                  "\"failure\":null,\"action_url\":\"http://bank.test/bank-a/challenges/"
                  "01000000-0000-0000-0000-000000000001\","
                  "\"created_at\":\"2026-01-31T23:59:59.123Z\"}");
}

static void writes_why_it_failed_and_what_it_follows(void **state)
{
    struct bank_record record = pending;

    (void)state;
    record.operation = BANK_CAPTURE;
    record.payment.bytes[15] = 2;
    record.status = BANK_DECLINED;
    text_copy(record.failure_code, sizeof(record.failure_code), "already_voided");
    check_written(
        &record, "{\"id\":\"op_0123\",\"operation\":\"capture\","
                 "\"reference\":\"01000000-0000-0000-0000-000000000001\","
                 "\"authorization\":\"01000000-0000-0000-0000-000000000002\","
                 "\"status\":\"declined\",\"amount\":13700,\"currency\":\"EUR\",\"captured\":false,"
                 "\"failure\":{\"code\":\"already_voided\",\"decline_code\":null},"
                 "\"action_url\":null,\"created_at\":\"2026-01-31T23:59:59.123Z\"}");
}

static void writes_no_money_of_a_dead_reference(void **state)
{
    struct bank_record record = pending;

    (void)state;
    record.operation = BANK_VOID_REFERENCE;
    record.status = BANK_VOIDED;
    record.money = (struct money){ .amount = 0 };
    check_written(&record,
                  "{\"id\":\"op_0123\",\"operation\":\"void_reference\","
                  "\"reference\":\"01000000-0000-0000-0000-000000000001\",\"authorization\":null,"
                  "\"status\":\"voided\",\"amount\":null,\"currency\":null,\"captured\":false,"
                  "\"failure\":null,\"action_url\":null,"
                  "\"created_at\":\"2026-01-31T23:59:59.123Z\"}");
}

/* ---- Notices -------------------------------------------------------------------------------- */

static void tells_in_the_language_of_the_bank(void **state)
{
    AUTO(buffer_release) struct buffer json = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer soap = BUFFER_EMPTY;
    const struct bank_notice notice = { pending.reference, "authorization.pending", "demo",
                                        pending.created_at };
    struct bank_view a = view_of("bank-a"), c = view_of("bank-c");

    (void)state;
    bank_notice_write(&json, &notice, &pending, &a);
    assert_non_null(strstr(json.at, "\"type\":\"authorization.pending\",\"account\":\"demo\","
                                    "\"created_at\":\"2026-01-31T23:59:59.123Z\","
                                    "\"operation\":{\"id\":\"op_0123\""));
    bank_notice_write(&soap, &notice, &pending, &c);
    assert_non_null(strstr(soap.at, "<Notification xmlns=\"urn:checkout:bank:1\">"));
    assert_non_null(strstr(soap.at, "<type>authorization.pending</type><account>demo</account>"
                                    "<created_at>2026-01-31T23:59:59.123Z</created_at>"
                                    "<record><id>op_0123</id>"));
    assert_non_null(strstr(soap.at, "<action_url>http://bank.test/bank-c/challenges/"));
    assert_null(strstr(soap.at, "failure"));
    assert_string_equal(bank_notice_content_type(a.bank), "application/json");
    assert_string_equal(bank_notice_content_type(c.bank), "text/xml; charset=utf-8");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_read);
    TABLE_ADD(&table, tells_nobody_a_wrong_number);
    TABLE_ADD(&table, writes_where_a_challenge_is);
    TABLE_ADD(&table, writes_why_it_failed_and_what_it_follows);
    TABLE_ADD(&table, writes_no_money_of_a_dead_reference);
    TABLE_ADD(&table, tells_in_the_language_of_the_bank);
    return table_run(&table);
}
