#include "payment-service/bank-simulator/bank_control_json.h"
#include "tests/unit/table.h"

static const struct instant now = { 1769903999123 };

static const struct fault_row {
    const char *label;
    const char *body;
    const char *wrong; /* the pointer of the first wrong field, NULL for none */
} fault_rows[] = {
    { "a kind is enough", "{\"kind\":\"lose_answer\"}", NULL },
    { "everything at once",
      "{\"kind\":\"latency\",\"bank\":\"bank-a\",\"account\":\"demo\",\"operation\":\"capture\","
      "\"card\":\"4242424242424242\",\"amount\":1,\"share\":[1,3],\"probability_percent\":25,"
      "\"seed\":7,\"times\":2,\"delay_ms\":100,\"seconds\":1,\"retry_after_s\":1,"
      "\"reference\":\"01940000-0000-7000-8000-000000000001\"}",
      NULL },
    { "an unknown kind", "{\"kind\":\"quake\"}", "/kind" },
    { "an unknown bank", "{\"kind\":\"reset\",\"bank\":\"bank-x\"}", "/bank" },
    { "an unknown operation", "{\"kind\":\"reset\",\"operation\":\"steal\"}", "/operation" },
    { "a share of more than there are", "{\"kind\":\"reset\",\"share\":[4,3]}", "/share" },
    { "a share of nothing", "{\"kind\":\"reset\",\"share\":[0,3]}", "/share" },
    { "a share of words", "{\"kind\":\"reset\",\"share\":[\"1\",3]}", "/share" },
    { "a share of one number", "{\"kind\":\"reset\",\"share\":[1]}", "/share" },
    { "a card has digits", "{\"kind\":\"reset\",\"card\":\"4242-4242-4242\"}", "/card" },
    { "no chance at all", "{\"kind\":\"reset\",\"probability_percent\":0}",
      "/probability_percent" },
    { "a latency of what", "{\"kind\":\"latency\"}", "/delay_ms" },
    { "a delay that is too long", "{\"kind\":\"do_late\",\"delay_ms\":30001}", "/delay_ms" },
    { "an outage for how long", "{\"kind\":\"outage\"}", "/seconds" },
    { "another reference is said", "{\"kind\":\"webhook_other_reference\"}", "/reference" },
    { "too many copies", "{\"kind\":\"webhook_repeat\",\"times\":11}", "/times" },
    { "what nobody knows", "{\"kind\":\"reset\",\"often\":true}", "/often" },
};

static void check_fault(void **state)
{
    const struct fault_row *row = *state;
    struct fault fault;
    struct error err;
    bool read = control_fault_read(span_of(row->body), &fault, &err);

    assert_int_equal(read, row->wrong == NULL);
    if (!read)
        assert_string_equal(err.fields[0].pointer, row->wrong);
}

static void reads_what_a_fault_is_for(void **state)
{
    struct fault fault;
    struct error err;

    (void)state;
    assert_true(control_fault_read(span_of(fault_rows[1].body), &fault, &err));
    assert_int_equal(fault.kind, FAULT_LATENCY);
    assert_string_equal(fault.bank->name, "bank-a");
    assert_string_equal(fault.account, "demo");
    assert_int_equal(fault.operation, BANK_CAPTURE);
    assert_string_equal(fault.card, "4242424242424242");
    assert_int_equal(fault.share_part, 1);
    assert_int_equal(fault.share_of, 3);
    assert_int_equal(fault.probability_percent, 25);
    assert_int_equal(fault.times, 2);
    assert_true(control_fault_read(span_of("{\"kind\":\"webhook_repeat\"}"), &fault, &err));
    assert_int_equal(fault.times, FAULT_COPIES_DEFAULT);
    assert_int_equal(fault.operation, -1);
    assert_int_equal(fault.share_of, 1);
}

static void writes_a_call(void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct json_writer json = { .out = &out };
    struct call call = { .at = now,
                         .bank = bank_find("bank-a"),
                         .account = "demo",
                         .operation = BANK_LOOK_UP,
                         .reference = { { 1, [15] = 1 } } };

    (void)state;
    control_call_write(&json, &call);
    assert_string_equal(out.at, "{\"time\":\"2026-01-31T23:59:59.123Z\",\"bank\":\"bank-a\","
                                "\"account\":\"demo\",\"operation\":\"look_up\","
                                "\"reference\":\"01000000-0000-0000-0000-000000000001\","
                                "\"authorization\":null,\"amount\":null,\"currency\":null,"
                                "\"fault\":null,\"answered\":null,\"effect\":false}");
}

static const struct webhook_row {
    const char *label;
    const char *body;
    const char *made;  /* a part of the body that is made */
    const char *wrong; /* or the pointer of the first wrong field */
} webhook_rows[] = {
    { "a record that is made up is told as it is",
      "{\"bank\":\"bank-a\",\"account\":\"demo\",\"type\":\"x.y\",\"operation\":{\"a\":[1,{}]}}",
      "\"operation\":{\"a\":[1,{}]}}", NULL },
    { "it is told in SOAP, too",
      "{\"bank\":\"bank-c\",\"account\":\"demo\",\"type\":\"x.y\","
      "\"operation\":{\"amount\":1,\"captured\":true,\"b\":null,\"failure\":{\"code\":\"<\"}}}",
      "<record><amount>1</amount><captured>true</captured><failure><code>&lt;</code></failure>"
      "</record>",
      NULL },
    { "a body is sent as it is",
      "{\"bank\":\"bank-c\",\"account\":\"demo\",\"type\":\"x.y\",\"body\":\"{\"}", "{", NULL },
    { "something is told", "{\"bank\":\"bank-a\",\"account\":\"demo\",\"type\":\"x.y\"}", NULL,
      "/operation" },
    { "somebody tells it", "{\"account\":\"demo\",\"type\":\"x.y\",\"operation\":{}}", NULL,
      "/bank" },
    { "JSON has any names",
      "{\"bank\":\"bank-a\",\"account\":\"demo\",\"type\":\"x.y\",\"operation\":{\"a "
      "b\":1,\"\":2}}",
      "{\"a b\":1,\"\":2}", NULL },
    { "XML has names without blanks",
      "{\"bank\":\"bank-c\",\"account\":\"demo\",\"type\":\"x.y\",\"operation\":{\"a b\":1}}", NULL,
      "/operation" },
    { "nor has it empty ones",
      "{\"bank\":\"bank-c\",\"account\":\"demo\",\"type\":\"x.y\",\"operation\":{\"\":1}}", NULL,
      "/operation" },
    { "a name inside is a name too",
      "{\"bank\":\"bank-c\",\"account\":\"demo\",\"type\":\"x.y\",\"operation\":{\"a\":{\"1\":1}}}",
      NULL, "/operation" },
    { "no line is smuggled into the head",
      "{\"bank\":\"bank-a\",\"account\":\"demo\",\"type\":\"x.y\",\"operation\":{},"
      "\"content_type\":\"a\\r\\nb: c\"}",
      NULL, "/content_type" },
};

static void check_webhook(void **state)
{
    const struct webhook_row *row = *state;
    struct control_webhook webhook;
    struct error err;
    bool read = control_webhook_read(span_of(row->body), now, &webhook, &err);

    assert_int_equal(read, row->wrong == NULL);
    if (read)
        assert_non_null(strstr(webhook.body.at, row->made));
    else
        assert_string_equal(err.fields[0].pointer, row->wrong);
    buffer_release(&webhook.body);
}

static void reads_what_customers_do(void **state)
{
    enum bank_event event;
    struct error err;
    int64_t amount = 5;

    (void)state;
    assert_true(control_payment_read(span_of(""), &amount, &err));
    assert_int_equal(amount, 0);
    assert_true(control_payment_read(span_of("{\"amount\":7}"), &amount, &err));
    assert_int_equal(amount, 7);
    assert_false(control_payment_read(span_of("{\"amount\":0}"), &amount, &err));
    assert_true(control_dispute_read(span_of("{\"outcome\":\"lost\"}"), &event, &err));
    assert_int_equal(event, EVENT_DISPUTE_LOST);
    assert_false(control_dispute_read(span_of("{\"outcome\":\"drawn\"}"), &event, &err));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, fault_rows, check_fault);
    TABLE_ADD(&table, reads_what_a_fault_is_for);
    TABLE_ADD(&table, writes_a_call);
    TABLE_ADD_ROWS(&table, webhook_rows, check_webhook);
    TABLE_ADD(&table, reads_what_customers_do);
    return table_run(&table);
}
