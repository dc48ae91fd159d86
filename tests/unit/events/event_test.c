#include "shared/events/event.h"

#include "shared/events/consumer_batch.h"
#include "shared/events/event_scan.h"
#include "tests/unit/table.h"

#define SUBJECT     "018f3c2a-1111-7abc-8def-0123456789ab"
#define TRACE_REST  "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define TRACEPARENT "00" TRACE_REST

#define EVENT_WITH(specversion, source, type, sequence, merchant, data)                         \
    "{\"specversion\":\"" specversion "\",\"id\":\"018f3c2a-2222-7abc-8def-0123456789ab\","     \
    "\"source\":\"" source "\",\"type\":\"" type "\",\"subject\":\"" SUBJECT "\","              \
    "\"time\":\"2026-01-31T23:59:59.123Z\",\"datacontenttype\":\"application/json\","           \
    "\"dataschema\":\"urn:checkout:v1:/schemas/order.json\",\"sequence\":\"" sequence           \
    "\",\"stream\":0,"                                                                          \
    "\"subjectversion\":3,\"merchantid\":\"" merchant "\",\"traceparent\":\"" TRACEPARENT "\"," \
    "\"data\":" data "}"

#define SEQUENCE "00000000000000000042"
#define GOOD     EVENT_WITH("1.0", "/order-service", "order.sent", SEQUENCE, "demo", "{\"a\":1}")
#define TOPIC    "checkout/v1/demo/order/" SUBJECT "/sent"

static const struct read_row {
    const char *label;
    const char *text;
    bool readable;
    const char *pointer; /* of the first wrong field */
} read_rows[] = {
    { "an event of ours is read", GOOD, true, NULL },
    { "something that is not JSON is refused", "order 42 was sent", false, NULL },
    { "half an event is refused", "{\"specversion\":\"1.0\",", false, NULL },
    { "an array is refused", "[]", false, "" },
    { "another version of CloudEvents is refused",
      EVENT_WITH("0.3", "/order-service", "order.sent", SEQUENCE, "demo", "{}"), false,
      "/specversion" },
    { "an event of another service is refused",
      EVENT_WITH("1.0", "/payment-service", "order.sent", SEQUENCE, "demo", "{}"), false,
      "/source" },
    { "a short sequence is refused",
      EVENT_WITH("1.0", "/order-service", "order.sent", "42", "demo", "{}"), false, "/sequence" },
    { "sequence zero is refused",
      EVENT_WITH("1.0", "/order-service", "order.sent", "00000000000000000000", "demo", "{}"),
      false, "/sequence" },
    { "a sequence beyond 64 bits is refused",
      EVENT_WITH("1.0", "/order-service", "order.sent", "99999999999999999999", "demo", "{}"),
      false, "/sequence" },
    { "data that is no object is refused",
      EVENT_WITH("1.0", "/order-service", "order.sent", SEQUENCE, "demo", "[1]"), false, "/data" },
    { "a merchant that is too long is refused",
      EVENT_WITH("1.0", "/order-service", "order.sent", SEQUENCE,
                 "a234567890123456789012345678901234567890x", "{}"),
      false, "/merchantid" },
};

static void expect_read(const struct read_row *row, const char *text)
{
    AUTO(buffer_release) struct buffer storage = BUFFER_EMPTY;
    struct error err;
    struct event event;

    assert_int_equal(event_read(span_of(text), "order-service", &storage, &event, &err),
                     row->readable);
    if (row->readable) {
        assert_int_equal(event.sequence, 42);
        assert_int_equal(event.subject_version, 3);
        assert_string_equal(event.merchant, "demo");
        assert_true(span_equal(event.data, span_of("{\"a\":1}")));
    } else if (row->pointer != NULL) {
        assert_string_equal(err.fields[0].pointer, row->pointer);
    }
}

/* A blank at its end makes an event one that is read as JSON: both ways say the same of it. */
static void check_read(void **state)
{
    const struct read_row *row = *state;
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    expect_read(row, row->text);
    buffer_append(&text, row->text);
    buffer_append(&text, " ");
    expect_read(row, text.at);
}

#define ID_TEXT "018f3c2a-2222-7abc-8def-0123456789ab"

static const struct scan_row {
    const char *label;
    const char *before, *after; /* a part of GOOD, and what stands in its place */
    bool scanned, readable;
} scan_rows[] = {
    { "an event as it is written is scanned", "{", "{", true, true },
    { "data is whatever its brackets close", "{\"a\":1}", "{\"a\": [\"}\"]}", true, true },
    { "empty data is data", "{\"a\":1}", "{}", true, true },
    { "the largest numbers are scanned", "\"subjectversion\":3", "\"subjectversion\":2147483647",
      true, true },
    { "blanks between members are for JSON", ",\"id\"", ", \"id\"", false, true },
    { "an escape is for JSON", "\"demo\"", "\"d\\u0065mo\"", false, true },
    { "a character beyond ASCII is for JSON", "\"demo\"", "\"d\xc3\xa9mo\"", false, true },
    { "a member that came with a later version is for JSON", ",\"data\"", ",\"new\":1,\"data\"",
      false, true },
    { "another order of the members is for JSON", "\"stream\":0,\"subjectversion\":3",
      "\"subjectversion\":3,\"stream\":0", false, true },
    { "a number with a zero in front is none", "\"stream\":0", "\"stream\":00", false, false },
    { "a number too large is none", "\"stream\":0", "\"stream\":99999999999999999999", false,
      false },
    { "a version beyond its type is none", "\"subjectversion\":3", "\"subjectversion\":2147483648",
      false, false },
    { "a stream below 0 is none", "\"stream\":0", "\"stream\":-1", false, false },
    { "a digit that is missing is refused", SEQUENCE, "0000000000000000042", false, false },
    { "an id that is none is refused", ID_TEXT, "018f3c2a", false, false },
    { "a time that is none is refused", "2026-01-31", "2026-02-31", false, false },
    { "a trace that is none is refused", TRACEPARENT, "00-0-0-01", false, false },
    { "a trace of a later version is refused", TRACEPARENT, "01" TRACE_REST "-x", false, false },
    { "an empty merchant is refused", "\"demo\"", "\"\"", false, false },
    { "data that is not closed is refused", "{\"a\":1}", "{\"a\":[1}", false, false },
    { "data that another bracket closes is refused", "{\"a\":1}", "{\"a\":[1}]", false, false },
    { "data that is an array is refused", "{\"a\":1}", "[1]", false, false },
    { "something behind the data is refused", "{\"a\":1}", "{\"a\":1}x", false, false },
};

static void check_scan(void **state)
{
    const struct scan_row *row = *state;
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY, storage = BUFFER_EMPTY;
    const char *at = strstr(GOOD, row->before);
    struct error err;
    struct event event;

    assert_non_null(at);
    buffer_append_bytes(&text, GOOD, (size_t)(at - GOOD));
    buffer_append(&text, row->after);
    buffer_append(&text, at + strlen(row->before));
    assert_int_equal(event_scan(buffer_span(&text), "order-service", &event), row->scanned);
    assert_int_equal(event_read(buffer_span(&text), "order-service", &storage, &event, &err),
                     row->readable);
    assert_false(event_scan(buffer_span(&text), "payment-service", &event));
}

/* What is written is read back, and written the same again. */
static void an_event_survives_the_bus_byte_for_byte(void **state)
{
    AUTO(buffer_release) struct buffer storage = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct error err;
    struct event event;

    (void)state;
    assert_true(event_read(span_of(GOOD), "order-service", &storage, &event, &err));
    event_write(&event, "order-service", &text);
    assert_string_equal(text.at, GOOD);
}

static const struct topic_row {
    const char *label;
    const char *type, *topic;
    bool fits;
} topic_rows[] = {
    { "an order that was sent has its topic", "order.sent", TOPIC, true },
    { "a voucher has its own", "voucher.issued", "checkout/v1/demo/voucher/" SUBJECT "/issued",
      true },
    { "another event does not fit", "order.paid", TOPIC, false },
    { "another merchant's topic does not fit", "order.sent",
      "checkout/v1/other/order/" SUBJECT "/sent", false },
    { "another subject's topic does not fit", "order.sent",
      "checkout/v1/demo/order/018f3c2a-1111-7abc-8def-0123456789ac/sent", false },
    { "a longer topic does not fit", "order.sent", TOPIC "/x", false },
};

static void check_topic(void **state)
{
    const struct topic_row *row = *state;
    struct event event = { .merchant = "demo" };
    bool parsed = id_parse(SUBJECT, &event.subject);

    assert_true(parsed);
    text_copy(event.type, sizeof(event.type), row->type);
    assert_int_equal(event_fits_topic(&event, row->topic), row->fits);
}

static const struct arrival_row {
    const char *label;
    const char *topic, *payload;
    int stream;
    bool ours, valid;
    const char *reason;
} arrival_rows[] = {
    { "a good event arrives", TOPIC, GOOD, 0, true, true, "" },
    { "an event of another stream is none of our business", TOPIC, GOOD, 1, false, true, "" },
    { "an event on another merchant's topic is put aside",
      "checkout/v1/other/order/" SUBJECT "/sent", GOOD, 0, true, false, "wrong_topic" },
    { "an event of an unknown type is put aside", "checkout/v1/demo/order/" SUBJECT "/exploded",
      EVENT_WITH("1.0", "/order-service", "order.exploded", SEQUENCE, "demo", "{}"), 0, true, false,
      "unknown_type" },
    { "what can not be read is put aside, whatever the stream", TOPIC, "not JSON", 1, true, false,
      "unreadable" },
};

static void check_arrival(void **state)
{
    static const struct consumed_type types[] = { { "order.sent", false }, { NULL, false } };
    const struct arrival_row *row = *state;
    const struct consumer_settings settings = { .source = { .service = "order-service" },
                                                .types = types,
                                                .stream = row->stream };
    struct arrival arrival;

    assert_int_equal(arrival_read(&settings, row->topic, span_of(row->payload), &arrival),
                     row->ours);
    if (row->ours) {
        assert_int_equal(arrival.valid, row->valid);
        assert_string_equal(arrival.reason, row->reason);
        assert_int_equal(arrival.sequence, row->valid ? 42 : 0);
        assert_true(span_equal(buffer_span(&arrival.text), span_of(row->payload)));
    }
    arrival_release(&arrival);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, read_rows, check_read);
    TABLE_ADD_ROWS(&table, scan_rows, check_scan);
    TABLE_ADD(&table, an_event_survives_the_bus_byte_for_byte);
    TABLE_ADD_ROWS(&table, topic_rows, check_topic);
    TABLE_ADD_ROWS(&table, arrival_rows, check_arrival);
    return table_run(&table);
}
