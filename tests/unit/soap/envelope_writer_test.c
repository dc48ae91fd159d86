#include "shared/soap/envelope.h"
#include "tests/unit/table.h"

static const char NAMESPACE[] = "urn:checkout:bank:1";

static void a_message_is_what_it_says(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct id id;

    (void)state;
    assert_true(id_parse("019c2d4e-7b3a-7c1d-8e2f-0123456789ab", &id));
    envelope_begin(&text, NAMESPACE, "Authorize");
    soap_field_id(&text, "reference", id);
    soap_field_integer(&text, "amount", INT64_MIN);
    soap_field_boolean(&text, "capture", true);
    soap_field_begin(&text, "card");
    soap_field_text(&text, "name", "<&>");
    soap_field_end(&text, "card");
    envelope_end(&text, "Authorize");
    assert_string_equal(
        text.at,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"
        "<Authorize xmlns=\"urn:checkout:bank:1\">"
        "<reference>019c2d4e-7b3a-7c1d-8e2f-0123456789ab</reference>"
        "<amount>-9223372036854775808</amount><capture>true</capture>"
        "<card><name>&lt;&amp;&gt;</name></card></Authorize></soap:Body></soap:Envelope>\n");
}

static void a_fault_is_what_it_says(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    (void)state;
    envelope_fault(&text, "Server", "later & again", "unavailable");
    assert_string_equal(
        text.at,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"
        "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>later &amp; again</faultstring>"
        "<detail><code>unavailable</code></detail></soap:Fault></soap:Body></soap:Envelope>\n");
}

static void a_fault_can_be_read(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    char code[4 * 40 + 1], detail[4 * 40 + 1];
    struct soap_reader reader, inner;
    struct error err;

    (void)state;
    envelope_fault(&text, "Client", "no", "card_unknown");
    assert_true(envelope_parse(buffer_span(&text), &envelope, &err));
    assert_string_equal(envelope_message(&envelope), "Fault");
    soap_reader_begin(&reader, &envelope, &err);
    assert_true(soap_read_text(&reader, "faultcode", SOAP_REQUIRED, 1, 40, code, sizeof(code)));
    assert_true(soap_read_element(&reader, "detail", SOAP_OPTIONAL, &inner));
    assert_true(soap_read_text(&inner, "code", SOAP_REQUIRED, 1, 40, detail, sizeof(detail)));
    assert_string_equal(code, "soap:Client");
    assert_string_equal(detail, "card_unknown");
}

/* What is written is read again. */
static const struct round_trip_row {
    const char *label;
    const char *text;
    const char *read; /* NULL: the same */
} round_trip_rows[] = {
    { "nothing comes back", "", NULL },
    { "letters come back", "Anna", NULL },
    { "what XML means otherwise comes back", "<a href=\"'x'\">&amp;]]></a>", NULL },
    { "blanks come back", "  a  b  ", NULL },
    { "tabs and line ends come back", "\ta\nb\r\nc\r", NULL },
    { "umlauts, emoji and combining marks come back",
      "\xc3\xa4 \xf0\x9f\x87\xa9\xf0\x9f\x87\xaa e\xcc\x81", NULL },
    { "right to left and zero width come back", "\xd7\x90\xe2\x80\x8f\xe2\x80\x8b", NULL },
    { "DEL and C1 come back", "\x7f\xc2\x85\xc2\x9f", NULL },
    { "the last character of all comes back", "\xf4\x8f\xbf\xbd", NULL },
    { "the neighbours of what is no character come back", "\xef\xbf\xbd\xee\xbf\xbe", NULL },
    { "control characters are replaced",
      "a\x01\x08\x0b\x0c\x1f"
      "b",
      "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
      "b" },
    { "what is no character is replaced", "\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd" },
    { "SQL and formats come back", "'; DROP TABLE x; -- %s%n", NULL },
    { "a comment and an instruction come back", "<!-- x --><?php ?><![CDATA[x]]>", NULL },
    { "an entity comes back", "&lt;&#0;&x;", NULL },
};

static void check_round_trip(void **state)
{
    const struct round_trip_row *row = *state;
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    char out[4 * 100 + 1];
    struct soap_reader reader;
    struct error err;

    envelope_begin(&text, NAMESPACE, "m");
    soap_field_text(&text, "text", row->text);
    envelope_end(&text, "m");
    assert_true(envelope_parse(buffer_span(&text), &envelope, &err));
    assert_string_equal(envelope_namespace(&envelope), NAMESPACE);
    soap_reader_begin(&reader, &envelope, &err);
    assert_true(soap_read_text(&reader, "text", SOAP_REQUIRED, 0, 100, out, sizeof(out)));
    soap_reader_end(&reader);
    assert_true(soap_reader_ok(&reader));
    assert_string_equal(out, row->read ? row->read : row->text);
}

static void every_type_comes_back(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct id id = id_create(clock_now()), read_id;
    struct soap_reader reader;
    struct error err;
    int64_t number;
    bool yes = false, no = true;

    (void)state;
    envelope_begin(&text, NAMESPACE, "m");
    soap_field_id(&text, "id", id);
    soap_field_integer(&text, "number", INT64_MAX);
    soap_field_boolean(&text, "yes", true);
    soap_field_boolean(&text, "no", false);
    envelope_end(&text, "m");
    assert_true(envelope_parse(buffer_span(&text), &envelope, &err));
    soap_reader_begin(&reader, &envelope, &err);
    assert_true(soap_read_id(&reader, "id", SOAP_REQUIRED, &read_id));
    assert_true(soap_read_integer(&reader, "number", SOAP_REQUIRED, 0, INT64_MAX, &number));
    assert_true(soap_read_boolean(&reader, "yes", SOAP_REQUIRED, &yes));
    assert_true(soap_read_boolean(&reader, "no", SOAP_REQUIRED, &no));
    soap_reader_end(&reader);
    assert_true(soap_reader_ok(&reader));
    assert_true(id_equal(id, read_id));
    assert_int_equal(number, INT64_MAX);
    assert_true(yes);
    assert_false(no);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(soap_library_start());
    TABLE_ADD(&table, a_message_is_what_it_says);
    TABLE_ADD(&table, a_fault_is_what_it_says);
    TABLE_ADD(&table, a_fault_can_be_read);
    TABLE_ADD_ROWS(&table, round_trip_rows, check_round_trip);
    TABLE_ADD(&table, every_type_comes_back);
    return table_run(&table);
}
