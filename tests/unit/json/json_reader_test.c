#include "shared/json/json_reader.h"
#include "tests/unit/table.h"

/* What the reader of these tests reads: one of everything. */
struct target {
    int64_t integer;
    bool boolean;
    char text[4 * 5 + 1];
    size_t choice;
    struct id id;
    struct instant instant;
    int64_t inner;
    size_t count;
};

static void read_elements(struct json_reader *reader, struct target *target)
{
    struct json_value *array;
    struct json_reader element;

    if (!json_read_array(reader, "array", JSON_OPTIONAL, 1, 3, &array, &target->count))
        return;
    for (size_t i = 0; i < target->count; i++) {
        if (json_read_element(reader, "array", array, i, &element)) {
            json_read_integer(&element, "q", JSON_REQUIRED, 1, 9, &target->inner);
            json_reader_end(&element);
        }
    }
}

static void read_target(struct json_reader *reader, struct target *target)
{
    static const char *const words[] = { "sent", "delivered" };
    struct json_reader inner;

    json_read_integer(reader, "integer", JSON_REQUIRED, -10, 10, &target->integer);
    json_read_boolean(reader, "boolean", JSON_OPTIONAL, &target->boolean);
    json_read_text(reader, "text", JSON_OPTIONAL, 2, 5, target->text, sizeof(target->text));
    json_read_choice(reader, "choice", JSON_OPTIONAL, words, COUNT_OF(words), &target->choice);
    json_read_id(reader, "id", JSON_OPTIONAL, &target->id);
    json_read_instant(reader, "instant", JSON_OPTIONAL, &target->instant);
    if (json_read_object(reader, "object", JSON_OPTIONAL, &inner)) {
        json_read_integer(&inner, "deep", JSON_REQUIRED, INT64_MIN, INT64_MAX, &target->inner);
        json_reader_end(&inner);
    }
    read_elements(reader, target);
    json_reader_end(reader);
}

/* "pointer code; pointer code", in the order in which they were recorded. */
static const struct row {
    const char *label;
    const char *text;
    const char *errors;
} rows[] = {
    { "the least that is required suffices", "{\"integer\":1}", "" },
    { "everything may be there",
      "{\"integer\":-10,\"boolean\":true,\"text\":\"abcde\",\"choice\":\"sent\","
      "\"id\":\"019c2d4e-7b3a-7c1d-8e2f-0123456789ab\",\"instant\":\"2026-01-31T23:59:59Z\","
      "\"object\":{\"deep\":1},\"array\":[{\"q\":1}]}",
      "" },
    { "null is absent where it may be",
      "{\"integer\":1,\"boolean\":null,\"text\":null,\"choice\":null,\"id\":null,"
      "\"instant\":null,\"object\":null,\"array\":null}",
      "" },
    { "an absent required field is named", "{}", "/integer required" },
    { "a null is not a required field", "{\"integer\":null}", "/integer required" },
    { "a text is no integer", "{\"integer\":\"1\"}", "/integer type_invalid" },
    { "a fraction is no integer", "{\"integer\":1.0}", "/integer type_invalid" },
    { "an exponent is no integer", "{\"integer\":1e0}", "/integer type_invalid" },
    { "a boolean is no integer", "{\"integer\":true}", "/integer type_invalid" },
    { "an integer above is out of range", "{\"integer\":11}", "/integer out_of_range" },
    { "an integer below is out of range", "{\"integer\":-11}", "/integer out_of_range" },
    { "an integer beyond 64 bits is out of range, and its field is named",
      "{\"integer\":9223372036854775808}", "/integer out_of_range" },
    { "a negative integer beyond 64 bits is out of range, and its field is named",
      "{\"integer\":-9223372036854775809}", "/integer out_of_range" },
    { "a real beyond all bounds is out of range, and its field is named", "{\"integer\":1e999}",
      "/integer out_of_range" },
    { "a large number in a text is text", "{\"integer\":9223372036854775808,\"text\":\"1e99\"}",
      "/integer out_of_range" },
    { "a number is no boolean", "{\"integer\":1,\"boolean\":1}", "/boolean type_invalid" },
    { "a text is no boolean", "{\"integer\":1,\"boolean\":\"true\"}", "/boolean type_invalid" },
    { "a number is no text", "{\"integer\":1,\"text\":12}", "/text type_invalid" },
    { "a text below is too short", "{\"integer\":1,\"text\":\"a\"}", "/text too_short" },
    { "a text above is too long", "{\"integer\":1,\"text\":\"abcdef\"}", "/text too_long" },
    { "five characters of four bytes are five",
      "{\"integer\":1,\"text\":\"\xf0\x9f\x87\xa9\xf0\x9f\x87\xa9\xf0\x9f\x87\xa9\xf0\x9f\x87\xa9"
      "\xf0\x9f\x87\xa9\"}",
      "" },
    { "one umlaut is one character", "{\"integer\":1,\"text\":\"\xc3\xa4\"}", "/text too_short" },
    { "another word is no choice", "{\"integer\":1,\"choice\":\"paid\"}", "/choice not_allowed" },
    { "a choice is spelled exactly", "{\"integer\":1,\"choice\":\"Sent\"}", "/choice not_allowed" },
    { "a number is no choice", "{\"integer\":1,\"choice\":0}", "/choice type_invalid" },
    { "a word is no id", "{\"integer\":1,\"id\":\"abc\"}", "/id id_invalid" },
    { "a number is no id", "{\"integer\":1,\"id\":7}", "/id type_invalid" },
    { "a date is no time", "{\"integer\":1,\"instant\":\"2026-01-31\"}", "/instant time_invalid" },
    { "a number is no time", "{\"integer\":1,\"instant\":0}", "/instant type_invalid" },
    { "the database's spelling is no client's",
      "{\"integer\":1,\"instant\":\"2026-01-31 23:59:59+00\"}", "/instant time_invalid" },
    { "an array is no object", "{\"integer\":1,\"object\":[]}", "/object type_invalid" },
    { "a field inside an object has its path", "{\"integer\":1,\"object\":{}}",
      "/object/deep required" },
    { "an unknown field inside an object has its path",
      "{\"integer\":1,\"object\":{\"deep\":1,\"x\":1}}", "/object/x unknown_field" },
    { "an object is no array", "{\"integer\":1,\"array\":{}}", "/array type_invalid" },
    { "an empty array has too few", "{\"integer\":1,\"array\":[]}", "/array too_few" },
    { "a long array has too many", "{\"integer\":1,\"array\":[{},{},{},{}]}", "/array too_many" },
    { "an element that is no object is named", "{\"integer\":1,\"array\":[{\"q\":1},5]}",
      "/array/1 type_invalid" },
    { "a field of an element has its path", "{\"integer\":1,\"array\":[{\"q\":1},{\"q\":0}]}",
      "/array/1/q out_of_range" },
    { "an unknown field is named", "{\"integer\":1,\"surprise\":1}", "/surprise unknown_field" },
    { "an unknown field is named even if it is null", "{\"integer\":1,\"surprise\":null}",
      "/surprise unknown_field" },
    { "slashes and tildes in names are escaped", "{\"integer\":1,\"a/b~c\":1}",
      "/a~1b~0c unknown_field" },
    { "an empty name has a pointer", "{\"integer\":1,\"\":1}", "/ unknown_field" },
    { "a root that is an array is refused once", "[1]", " type_invalid" },
    { "a root that is a text is refused once", "\"integer\"", " type_invalid" },
    { "a root that is null is refused once", "null", " type_invalid" },
    { "everything wrong is listed at once",
      "{\"boolean\":0,\"text\":\"\",\"choice\":\"\",\"id\":\"\",\"instant\":\"\",\"object\":1,"
      "\"array\":[{\"q\":\"1\",\"r\":1}],\"x\":1,\"y\":2}",
      "/integer required; /boolean type_invalid; /text too_short; /choice not_allowed; "
      "/id id_invalid; /instant time_invalid; /object type_invalid; /array/0/q type_invalid; "
      "/array/0/r unknown_field; /x unknown_field; /y unknown_field" },
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
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct target target;
    struct error err;

    assert_true(json_document_parse(span_of(row->text), &document, &err));
    json_reader_begin(&reader, &document, &err);
    read_target(&reader, &target);
    join_errors(&err, &errors);
    assert_string_equal(errors.at, row->errors);
    assert_int_equal(json_reader_ok(&reader), row->errors[0] == '\0');
    assert_int_equal(err.kind, ERROR_VALIDATION);
}

/* The rest of the tests begin like this. */
static void begin(const char *text, struct json_document *document, struct json_reader *reader,
                  struct error *err)
{
    assert_true(json_document_parse(span_of(text), document, err));
    json_reader_begin(reader, document, err);
}

static void what_was_read_is_what_was_sent(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct error err;
    struct target target;

    begin("{\"integer\":-7,\"boolean\":true,\"text\":\"a\\u0001\xc3\xa4\",\"choice\":\"delivered\","
          "\"id\":\"019C2D4E-7b3a-7c1d-8e2f-0123456789ab\","
          "\"instant\":\"1970-01-01T01:00:00.5+01:00\","
          "\"object\":{\"deep\":9223372036854775807}}",
          &document, &reader, &err);
    read_target(&reader, &target);
    assert_true(json_reader_ok(&reader));
    assert_int_equal(target.integer, -7);
    assert_true(target.boolean);
    assert_string_equal(target.text, "a\x01\xc3\xa4");
    assert_int_equal(target.choice, 1);
    assert_string_equal(id_text(target.id).text, "019c2d4e-7b3a-7c1d-8e2f-0123456789ab");
    assert_int_equal(target.instant.ms, 500);
    assert_true(target.inner == INT64_MAX);
}

static void what_is_absent_or_wrong_leaves_the_value_alone(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct error err;
    int64_t absent = 42, wrong = 43, right = 44;

    begin("{\"wrong\":99,\"right\":1}", &document, &reader, &err);
    assert_false(json_read_integer(&reader, "absent", JSON_OPTIONAL, 0, 9, &absent));
    assert_false(json_read_integer(&reader, "wrong", JSON_OPTIONAL, 0, 9, &wrong));
    assert_true(json_read_integer(&reader, "right", JSON_OPTIONAL, 0, 9, &right));
    assert_int_equal(absent, 42);
    assert_int_equal(wrong, 43);
    assert_int_equal(right, 1);
}

static void a_choice_lists_what_is_allowed(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    static const char *const words[] = { "sent", "delivered" };
    struct json_reader reader;
    struct error err;
    size_t choice;

    begin("{\"status\":\"x\"}", &document, &reader, &err);
    assert_false(json_read_choice(&reader, "status", JSON_REQUIRED, words, 2, &choice));
    assert_string_equal(err.fields[0].detail, "must be one of: sent, delivered");
}

static void a_field_may_be_read_twice(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct error err;
    int64_t number;

    begin("{\"a\":1}", &document, &reader, &err);
    for (int i = 0; i < 2 * JSON_MEMBERS_MAX; i++)
        assert_true(json_read_integer(&reader, "a", JSON_REQUIRED, 0, 9, &number));
    json_reader_end(&reader);
    assert_true(json_reader_ok(&reader));
    assert_int_equal(reader.asked_count, 1);
}

static void having_is_not_asking(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct error err;

    begin("{\"a\":1,\"b\":null}", &document, &reader, &err);
    assert_true(json_has(&reader, "a"));
    assert_false(json_has(&reader, "b"));
    assert_false(json_has(&reader, "c"));
    json_reader_end(&reader);
    assert_int_equal(err.field_count, 2);
}

static void a_raw_value_counts_as_asked_for(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct error err;

    begin("{\"a\":{\"b\":1},\"n\":null}", &document, &reader, &err);
    assert_true(json_value_is_object(json_read_value(&reader, "a")));
    assert_true(json_value_is_null(json_read_value(&reader, "n")));
    assert_null(json_read_value(&reader, "c"));
    json_reader_end(&reader);
    assert_true(json_reader_ok(&reader));
}

static void a_rule_may_refuse_by_hand(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader, inner;
    struct error err;

    begin("{\"a\":{}}", &document, &reader, &err);
    assert_true(json_read_object(&reader, "a", JSON_REQUIRED, &inner));
    json_reader_refuse(&inner, "b", "total_wrong", "must be %d", 5);
    json_reader_refuse(&inner, NULL, "empty", "must not be empty");
    assert_false(json_reader_ok(&reader));
    assert_string_equal(err.fields[0].pointer, "/a/b");
    assert_string_equal(err.fields[0].code, "total_wrong");
    assert_string_equal(err.fields[0].detail, "must be 5");
    assert_string_equal(err.fields[1].pointer, "/a");
}

static void a_reader_can_start_in_the_middle(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader, inner;
    struct error err;

    begin("{\"a\":{\"x\":1}}", &document, &reader, &err);
    json_reader_at(&inner, json_read_value(&reader, "a"), "/data", &err);
    json_reader_end(&inner);
    json_reader_end(&reader);
    assert_int_equal(err.field_count, 1);
    assert_string_equal(err.fields[0].pointer, "/data/x");
}

/* `count` members "0", "1" ... */
static void append_members(struct buffer *out, int count)
{
    buffer_append(out, "{");
    for (int i = 0; i < count; i++)
        buffer_append_format(out, "%s\"%d\":0", i > 0 ? "," : "", i);
    buffer_append(out, "}");
}

static void more_members_than_an_object_may_have_are_refused(UNUSED void **state)
{
    for (int over = 0; over <= 1; over++) {
        AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
        AUTO(json_document_release) struct json_document document;
        struct json_reader reader;
        struct error err;

        append_members(&text, JSON_MEMBERS_MAX + over);
        begin(text.at, &document, &reader, &err);
        assert_int_equal(json_reader_ok(&reader), !over);
        if (over)
            assert_string_equal(err.fields[0].code, "too_many");
    }
}

static void more_errors_than_an_answer_lists_are_counted(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct error err;

    append_members(&text, 5000);
    begin(text.at, &document, &reader, &err);
    json_reader_end(&reader);
    assert_int_equal(err.field_count, ERROR_FIELDS_MAX);
    assert_int_equal(err.field_count + err.fields_omitted, 5000 + 1);
}

static const struct name_row {
    const char *label;
    const char *part;
    int times;
} name_rows[] = {
    { "a long plain name is cut", "x", 5000 },
    { "a long name of two-byte characters is cut between them", "\xc3\xa4", 100 },
    { "a long name of three-byte characters is cut between them", "\xe6\xbc\xa2", 100 },
    { "a long name of four-byte characters is cut between them", "\xf0\x9f\x87\xa9", 100 },
    { "a long name of tildes is cut between escapes", "~", 100 },
    { "a long name of slashes is cut between escapes", "/", 100 },
    { "a mixed name is cut well", "~\xc3\xa4/\xe6\xbc\xa2", 100 },
    { "another mixed name is cut well", "x~\xf0\x9f\x87\xa9", 100 },
};

static void check_long_name(void **state)
{
    const struct name_row *row = *state;

    for (int shift = 0; shift < 8; shift++) {
        AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
        AUTO(json_document_release) struct json_document document;
        struct json_reader reader;
        struct error err;

        buffer_append_format(&text, "{\"%.*s", shift, "12345678");
        for (int i = 0; i < row->times; i++)
            buffer_append(&text, row->part);
        buffer_append(&text, "\":1}");
        begin(text.at, &document, &reader, &err);
        json_reader_end(&reader);

        const char *pointer = err.fields[0].pointer;
        assert_in_range(strlen(pointer), 80, sizeof(err.fields[0].pointer) - 1);
        assert_true(text_is_utf8(span_of(pointer)));
        for (const char *tilde = pointer; (tilde = strchr(tilde, '~')); tilde++)
            assert_true(tilde[1] == '0' || tilde[1] == '1');
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_reading);
    TABLE_ADD_ROWS(&table, name_rows, check_long_name);
    TABLE_ADD(&table, what_was_read_is_what_was_sent);
    TABLE_ADD(&table, what_is_absent_or_wrong_leaves_the_value_alone);
    TABLE_ADD(&table, a_choice_lists_what_is_allowed);
    TABLE_ADD(&table, a_field_may_be_read_twice);
    TABLE_ADD(&table, having_is_not_asking);
    TABLE_ADD(&table, a_raw_value_counts_as_asked_for);
    TABLE_ADD(&table, a_rule_may_refuse_by_hand);
    TABLE_ADD(&table, a_reader_can_start_in_the_middle);
    TABLE_ADD(&table, more_members_than_an_object_may_have_are_refused);
    TABLE_ADD(&table, more_errors_than_an_answer_lists_are_counted);
    return table_run(&table);
}
