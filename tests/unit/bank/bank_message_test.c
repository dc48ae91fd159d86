#include "payment-service/bank-simulator/bank_message.h"
#include "tests/unit/table.h"

#define WHO       "<account>demo</account>"
#define REFERENCE "<reference>01940000-0000-7000-8000-000000000001</reference>"
#define OTHER     "<authorization>01940000-0000-7000-8000-000000000002</authorization>"
#define MONEY     "<amount>5000</amount><currency>TND</currency>"
#define CARD                                                           \
    "<card><number>4242424242424242</number><exp_month>12</exp_month>" \
    "<exp_year>2034</exp_year><cvc>000</cvc></card>"

static const struct row {
    const char *label;
    const char *message, *fields;
    const char *wrong; /* the pointer of the first wrong field, NULL for none */
} rows[] = {
    { "an authorization", "Authorize", WHO REFERENCE MONEY "<capture>true</capture>" CARD, NULL },
    { "an authorization has a card", "Authorize", WHO REFERENCE MONEY "<capture>0</capture>",
      "/Authorize/card" },
    { "a number has digits", "Authorize",
      WHO REFERENCE MONEY "<capture>1</capture><card><number>4242-4242-4242</number>"
                          "<exp_month>12</exp_month><exp_year>2034</exp_year></card>",
      "/Authorize/card/number" },
    { "a transfer", "AnnounceTransfer", WHO REFERENCE MONEY, NULL },
    { "a currency is one", "AnnounceTransfer",
      WHO REFERENCE "<amount>1</amount><currency>tnd</currency>", "/AnnounceTransfer/currency" },
    { "a capture", "Capture", WHO REFERENCE OTHER "<amount>1</amount>", NULL },
    { "a fraction is no amount", "Capture", WHO REFERENCE OTHER "<amount>1.0</amount>",
      "/Capture/amount" },
    { "a refund", "Refund", WHO REFERENCE OTHER "<amount>1</amount>", NULL },
    { "a void", "Void", WHO REFERENCE OTHER, NULL },
    { "a void is of all", "Void", WHO REFERENCE OTHER "<amount>1</amount>", "/Void/amount" },
    { "a dead reference", "VoidReference", WHO REFERENCE, NULL },
    { "a look", "LookUp", WHO REFERENCE, NULL },
    { "a look is at an account", "LookUp", REFERENCE, "/LookUp/account" },
};

static void read_message(const struct row *row, struct bank_message *out, bool *read,
                         struct error *err)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    enum bank_operation operation;

    buffer_append_format(&text,
                         "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                         "<s:Body><%s xmlns=\"" BANK_NAME_SPACE "\">%s</%s></s:Body></s:Envelope>",
                         row->message, row->fields, row->message);
    assert_true(envelope_parse(buffer_span(&text), &envelope, err));
    assert_true(bank_message_operation(envelope_message(&envelope), &operation));
    *read = bank_message_read(&envelope, operation, out, err);
}

static void check_read(void **state)
{
    const struct row *row = *state;
    struct bank_message message;
    struct error err;
    bool read;

    read_message(row, &message, &read, &err);
    assert_int_equal(read, row->wrong == NULL);
    if (!read) {
        assert_int_equal(err.kind, ERROR_VALIDATION);
        assert_string_equal(err.fields[0].pointer, row->wrong);
        return;
    }
    assert_string_equal(message.account, "demo");
    assert_string_equal(id_text(message.instruction.reference).text,
                        "01940000-0000-7000-8000-000000000001");
}

static void has_a_message_for_all_but_settlements(void **state)
{
    enum bank_operation operation;

    (void)state;
    for (int i = 0; i < BANK_OPERATION_COUNT; i++)
        assert_int_equal(bank_message_response((enum bank_operation)i) != NULL,
                         i != BANK_SETTLEMENT);
    assert_false(bank_message_operation("Steal", &operation));
    assert_false(bank_message_operation("authorize", &operation));
}

int main(void)
{
    struct table table = TABLE_EMPTY;
    bool started = soap_library_start();

    assert(started);
    TABLE_ADD_ROWS(&table, rows, check_read);
    TABLE_ADD(&table, has_a_message_for_all_but_settlements);
    return table_run(&table);
}
