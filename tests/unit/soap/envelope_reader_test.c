#include "shared/soap/envelope.h"
#include "tests/unit/table.h"

/* A message "m" of namespace urn:x with these fields. */
#define MESSAGE(fields)                                                            \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "           \
    "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:o=\"urn:other\" " \
    "xmlns:p=\"urn:x\"><s:Body><m xmlns=\"urn:x\">" fields "</m></s:Body></s:Envelope>"

/* What the reader of these tests reads: one of everything. */
struct target {
    int64_t integer;
    bool boolean;
    char text[4 * 5 + 1];
    size_t choice;
    struct id id;
    int64_t deep;
};

static void read_target(struct soap_reader *reader, struct target *target)
{
    static const char *const words[] = { "sent", "delivered" };
    struct soap_reader inner;

    soap_read_integer(reader, "integer", SOAP_REQUIRED, -10, 10, &target->integer);
    soap_read_boolean(reader, "boolean", SOAP_OPTIONAL, &target->boolean);
    soap_read_text(reader, "text", SOAP_OPTIONAL, 2, 5, target->text, sizeof(target->text));
    soap_read_choice(reader, "choice", SOAP_OPTIONAL, words, COUNT_OF(words), &target->choice);
    soap_read_id(reader, "id", SOAP_OPTIONAL, &target->id);
    if (soap_read_element(reader, "object", SOAP_OPTIONAL, &inner)) {
        soap_read_integer(&inner, "deep", SOAP_REQUIRED, INT64_MIN, INT64_MAX, &target->deep);
        soap_reader_end(&inner);
    }
    soap_reader_end(reader);
}

/* "pointer code; pointer code", in the order in which they were recorded. */
static const struct row {
    const char *label;
    const char *text;
    const char *errors;
} rows[] = {
    { "the least that is required suffices", MESSAGE("<integer>1</integer>"), "" },
    { "everything may be there",
      MESSAGE("<integer>-10</integer><boolean>true</boolean><text>abcde</text>"
              "<choice>sent</choice><id>019c2d4e-7b3a-7c1d-8e2f-0123456789ab</id>"
              "<object><deep>-9223372036854775808</deep></object>"),
      "" },
    { "the order does not matter", MESSAGE("<text>abc</text><integer>1</integer>"), "" },
    { "a prefix of the same namespace does not matter",
      MESSAGE("<p:integer>1</p:integer><p:object><deep>1</deep></p:object>"), "" },
    { "fields may have no namespace",
      MESSAGE("<integer xmlns=\"\">1</integer><object xmlns=\"\"><deep>1</deep></object>"), "" },
    { "blanks stand around numbers and words",
      MESSAGE("\n <integer>\t1\r\n </integer> <boolean> 1 </boolean><choice> sent\n</choice>"
              "<id> 019c2d4e-7b3a-7c1d-8e2f-0123456789ab </id>"),
      "" },
    { "nil is absent where it may be",
      MESSAGE("<integer>1</integer><boolean i:nil=\"true\"/><text i:nil=\"1\"/>"
              "<choice i:nil=\"true\"/><id i:nil=\"true\"/><object i:nil=\"true\"/>"),
      "" },
    { "nil that is false is there", MESSAGE("<integer i:nil=\"false\">1</integer>"), "" },
    { "a comment inside a number is not there", MESSAGE("<integer>1<!-- 0 -->0</integer>"), "" },
    { "CDATA is text", MESSAGE("<integer><![CDATA[1]]>0</integer>"), "" },
    { "a reference is its character", MESSAGE("<integer>&#49;&#x30;</integer>"), "" },

    { "an absent required field is named", MESSAGE(""), "/m/integer required" },
    { "nil is not a required field", MESSAGE("<integer i:nil=\"true\"/>"), "/m/integer required" },
    { "a field of another namespace is another", MESSAGE("<o:integer>1</o:integer>"),
      "/m/integer required; /m/integer unknown_field" },
    { "a commented field is absent", MESSAGE("<!--<integer>1</integer>-->"),
      "/m/integer required" },
    { "a word is no integer", MESSAGE("<integer>one</integer>"), "/m/integer type_invalid" },
    { "nothing is no integer", MESSAGE("<integer/>"), "/m/integer type_invalid" },
    { "a minus is no integer", MESSAGE("<integer>-</integer>"), "/m/integer type_invalid" },
    { "a fraction is no integer", MESSAGE("<integer>1.0</integer>"), "/m/integer type_invalid" },
    { "an exponent is no integer", MESSAGE("<integer>1e0</integer>"), "/m/integer type_invalid" },
    { "two numbers are no integer", MESSAGE("<integer>1 2</integer>"), "/m/integer type_invalid" },
    { "an element is no integer", MESSAGE("<integer>1<b/></integer>"), "/m/integer type_invalid" },
    { "an integer above is out of range", MESSAGE("<integer>11</integer>"),
      "/m/integer out_of_range" },
    { "an integer below is out of range", MESSAGE("<integer>-11</integer>"),
      "/m/integer out_of_range" },
    { "an integer beyond 64 bits is out of range",
      MESSAGE("<integer>9223372036854775808</integer>"), "/m/integer out_of_range" },
    { "an integer of 30 digits is out of range",
      MESSAGE("<integer>-100000000000000000000000000000</integer>"), "/m/integer out_of_range" },
    { "a word is no boolean", MESSAGE("<integer>1</integer><boolean>yes</boolean>"),
      "/m/boolean type_invalid" },
    { "a capital is no boolean", MESSAGE("<integer>1</integer><boolean>True</boolean>"),
      "/m/boolean type_invalid" },
    { "a text below is too short", MESSAGE("<integer>1</integer><text>a</text>"),
      "/m/text too_short" },
    { "no text is too short", MESSAGE("<integer>1</integer><text/>"), "/m/text too_short" },
    { "a text above is too long", MESSAGE("<integer>1</integer><text>abcdef</text>"),
      "/m/text too_long" },
    { "one umlaut is one character", MESSAGE("<integer>1</integer><text>\xc3\xa4</text>"),
      "/m/text too_short" },
    { "five characters of four bytes are five",
      MESSAGE("<integer>1</integer><text>&#x1F1E9;&#x1F1E9;&#x1F1E9;&#x1F1E9;&#x1F1E9;</text>"),
      "" },
    { "elements are no text", MESSAGE("<integer>1</integer><text>a<b>b</b>c</text>"),
      "/m/text type_invalid" },
    { "another word is no choice", MESSAGE("<integer>1</integer><choice>paid</choice>"),
      "/m/choice not_allowed" },
    { "a choice is spelled exactly", MESSAGE("<integer>1</integer><choice>Sent</choice>"),
      "/m/choice not_allowed" },
    { "a word is no id", MESSAGE("<integer>1</integer><id>abc</id>"), "/m/id id_invalid" },
    { "a text is no object", MESSAGE("<integer>1</integer><object>5</object>"),
      "/m/object type_invalid" },
    { "a field inside an object has its path", MESSAGE("<integer>1</integer><object/>"),
      "/m/object/deep required" },
    { "an unknown field inside an object has its path",
      MESSAGE("<integer>1</integer><object><deep>1</deep><x/></object>"),
      "/m/object/x unknown_field" },
    { "text between fields is refused once", MESSAGE("<integer>1</integer>and<text>abc</text>"),
      "/m type_invalid" },
    { "text between fields of an object is refused once",
      MESSAGE("<integer>1</integer><object>x<deep>1</deep></object>"), "/m/object type_invalid" },
    { "an integer twice is refused", MESSAGE("<integer>1</integer><integer>1</integer>"),
      "/m/integer repeated" },
    { "an integer twice with another between is refused",
      MESSAGE("<integer>1</integer><text>abc</text><p:integer>2</p:integer>"),
      "/m/integer repeated" },
    { "an integer twice, once nil, is refused",
      MESSAGE("<integer i:nil=\"true\"/><integer>1</integer>"), "/m/integer repeated" },
    { "an object twice is refused",
      MESSAGE("<integer>1</integer><object><deep>1</deep></object><object/>"),
      "/m/object repeated" },
    { "an unknown field is named", MESSAGE("<integer>1</integer><surprise>1</surprise>"),
      "/m/surprise unknown_field" },
    { "an unknown field twice is named twice", MESSAGE("<integer>1</integer><x/><x/>"),
      "/m/x unknown_field; /m/x unknown_field" },
    { "everything wrong is listed at once",
      MESSAGE("<boolean/><text/><choice/><id/><object>1</object><x/><y/>"),
      "/m/integer required; /m/boolean type_invalid; /m/text too_short; /m/choice not_allowed; "
      "/m/id id_invalid; /m/object type_invalid; /m/x unknown_field; /m/y unknown_field" },
};

static void join_errors(const struct error *err, struct buffer *out)
{
    buffer_append(out, "");
    for (size_t i = 0; i < err->field_count; i++) {
        buffer_append_format(out, "%s%s %s", i > 0 ? "; " : "", err->fields[i].pointer,
                             err->fields[i].code);
        assert_true(strlen(err->fields[i].detail) > 0);
    }
}

static void check_reading(void **state)
{
    const struct row *row = *state;
    AUTO(buffer_release) struct buffer errors = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct soap_reader reader;
    struct target target;
    struct error err;

    assert_true(envelope_parse(span_of(row->text), &envelope, &err));
    soap_reader_begin(&reader, &envelope, &err);
    read_target(&reader, &target);
    join_errors(&err, &errors);
    assert_string_equal(errors.at, row->errors);
    assert_int_equal(soap_reader_ok(&reader), *row->errors == '\0');
    assert_int_equal(err.kind, ERROR_VALIDATION);
}

static void values_come_out(void **state)
{
    static const char text[] =
        MESSAGE("<integer>-7</integer><boolean>0</boolean><text> &lt;&amp;\xc3\xa4 </text>"
                "<choice>delivered</choice><id>019C2D4E-7b3a-7c1d-8e2f-0123456789ab</id>"
                "<object><deep>9223372036854775807</deep></object>");
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct soap_reader reader;
    struct target target = { .boolean = true };
    struct error err;

    (void)state;
    assert_true(envelope_parse(span_of(text), &envelope, &err));
    soap_reader_begin(&reader, &envelope, &err);
    read_target(&reader, &target);
    assert_true(soap_reader_ok(&reader));
    assert_int_equal(target.integer, -7);
    assert_false(target.boolean);
    assert_string_equal(target.text, " <&\xc3\xa4 ");
    assert_int_equal(target.choice, 1);
    assert_string_equal(id_text(target.id).text, "019c2d4e-7b3a-7c1d-8e2f-0123456789ab");
    assert_int_equal(target.deep, INT64_MAX);
}

static void what_is_absent_or_wrong_leaves_its_value(void **state)
{
    static const char text[] = MESSAGE("<integer>11</integer><text>a</text><choice>x</choice>");
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct soap_reader reader;
    struct target target = { .integer = 5, .boolean = true, .text = "kept", .choice = 9 };
    struct error err;

    (void)state;
    assert_true(envelope_parse(span_of(text), &envelope, &err));
    soap_reader_begin(&reader, &envelope, &err);
    read_target(&reader, &target);
    assert_int_equal(target.integer, 5);
    assert_true(target.boolean);
    assert_string_equal(target.text, "kept");
    assert_int_equal(target.choice, 9);
}

/* The pointer is cut, not inside a character; more wrong fields than are listed are counted. */
static void long_names_and_lists_are_cut(void **state)
{
    AUTO(buffer_release) struct buffer fields = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct soap_reader reader;
    struct error err;

    (void)state;
    buffer_append(&text, "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                         "<s:Body><m><");
    for (int i = 0; i < 100; i++)
        buffer_append(&fields, "\xc3\xa4");
    buffer_append_format(&text, "%s/>", fields.at);
    for (int i = 0; i < ERROR_FIELDS_MAX; i++)
        buffer_append(&text, "<x/>");
    buffer_append(&text, "</m></s:Body></s:Envelope>");
    assert_true(envelope_parse(buffer_span(&text), &envelope, &err));
    soap_reader_begin(&reader, &envelope, &err);
    soap_reader_end(&reader);
    assert_false(soap_reader_ok(&reader));
    assert_int_equal(err.field_count, ERROR_FIELDS_MAX);
    assert_int_equal(err.fields_omitted, 1);
    assert_true(text_is_utf8(span_of(err.fields[0].pointer)));
    assert_int_equal(strlen(err.fields[0].pointer), sizeof(err.fields[0].pointer) - 1);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(soap_library_start());
    TABLE_ADD_ROWS(&table, rows, check_reading);
    TABLE_ADD(&table, values_come_out);
    TABLE_ADD(&table, what_is_absent_or_wrong_leaves_its_value);
    TABLE_ADD(&table, long_names_and_lists_are_cut);
    return table_run(&table);
}
