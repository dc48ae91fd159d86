#include "shared/json/json_reader.h"
#include "tests/unit/table.h"

/* Bytes that may hold a NUL. */
#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct refusal_row {
    const char *label;
    struct span text;
    const char *code;
} refusal_rows[] = {
    { "nothing is refused", BYTES(""), "body_empty" },
    { "what points nowhere is refused", { NULL, 0 }, "body_empty" },
    { "blanks alone are refused", BYTES(" \t\r\n"), "body_empty" },
    { "an open object is refused", BYTES("{"), "json_malformed" },
    { "an open array is refused", BYTES("[1"), "json_malformed" },
    { "an open string is refused", BYTES("{\"a"), "json_malformed" },
    { "a bracket of the other kind is refused", BYTES("{\"a\":1]"), "json_malformed" },
    { "a name without a value is refused", BYTES("{\"a\"}"), "json_malformed" },
    { "a name without quotes is refused", BYTES("{a:1}"), "json_malformed" },
    { "single quotes are refused", BYTES("{'a':1}"), "json_malformed" },
    { "a trailing comma in an object is refused", BYTES("{\"a\":1,}"), "json_malformed" },
    { "a zero in front is refused beside a number beyond 64 bits",
      BYTES("[99999999999999999999,00099999999999999999999]"), "json_malformed" },
    { "a bare fraction is refused beside one", BYTES("[1e999,1.e999]"), "json_malformed" },
    { "a bare exponent is refused beside one", BYTES("[1e999,1e+]"), "json_malformed" },
    { "two signs are refused beside one", BYTES("[1e999,--99999999999999999999]"),
      "json_malformed" },
    { "two points are refused beside one", BYTES("[1e999,1.0.0e999]"), "json_malformed" },
    { "a trailing comma in an array is refused", BYTES("[1,]"), "json_malformed" },
    { "a missing comma is refused", BYTES("[1 2]"), "json_malformed" },
    { "a comment is refused", BYTES("{} // no"), "json_malformed" },
    { "something behind it is refused", BYTES("{} x"), "json_malformed" },
    { "a second document is refused", BYTES("{}{}"), "json_malformed" },
    { "a closing bracket behind it is refused", BYTES("{}}"), "json_malformed" },
    { "a NUL behind it is refused", BYTES("{}\0"), "json_malformed" },
    { "a NUL before it is refused", BYTES("\0{}"), "json_malformed" },
    { "a NUL between blanks is refused", BYTES(" \0 "), "json_malformed" },
    { "a NUL in a string is refused", BYTES("[\"a\0b\"]"), "json_malformed" },
    { "an escaped NUL is refused", BYTES("[\"a\\u0000b\"]"), "json_malformed" },
    { "an escaped NUL in a name is refused", BYTES("{\"a\\u0000\":1}"), "json_malformed" },
    { "a byte order mark is refused", BYTES("\xef\xbb\xbf{}"), "json_malformed" },
    { "UTF-16 is refused", BYTES("{\0}\0"), "json_malformed" },
    { "a lone continuation byte is refused", BYTES("[\"\x80\"]"), "json_malformed" },
    { "a long form is refused", BYTES("[\"\xc0\xaf\"]"), "json_malformed" },
    { "a surrogate is refused", BYTES("[\"\xed\xa0\x80\"]"), "json_malformed" },
    { "what is above U+10FFFF is refused", BYTES("[\"\xf4\x90\x80\x80\"]"), "json_malformed" },
    { "a cut sequence is refused", BYTES("[\"\xe6\xbc\"]"), "json_malformed" },
    { "bytes outside strings are refused", BYTES("\xff"), "json_malformed" },
    { "a lone escaped surrogate is refused", BYTES("[\"\\ud800\"]"), "json_malformed" },
    { "a lone low surrogate is refused", BYTES("[\"\\udc00\"]"), "json_malformed" },
    { "an escape that does not exist is refused", BYTES("[\"\\x41\"]"), "json_malformed" },
    { "a short escape by number is refused", BYTES("[\"\\u12\"]"), "json_malformed" },
    { "a newline in a string is refused", BYTES("[\"a\nb\"]"), "json_malformed" },
    { "a tab in a string is refused", BYTES("[\"a\tb\"]"), "json_malformed" },
    { "a leading zero is refused", BYTES("[01]"), "json_malformed" },
    { "a plus is refused", BYTES("[+1]"), "json_malformed" },
    { "a point without digits is refused", BYTES("[1.]"), "json_malformed" },
    { "no digits before the point are refused", BYTES("[.5]"), "json_malformed" },
    { "an exponent without digits is refused", BYTES("[1e]"), "json_malformed" },
    { "hexadecimal is refused", BYTES("[0x10]"), "json_malformed" },
    { "NaN is refused", BYTES("[NaN]"), "json_malformed" },
    { "infinity is refused", BYTES("[Infinity]"), "json_malformed" },
    { "a capital literal is refused", BYTES("[True]"), "json_malformed" },
    { "a duplicate key is refused", BYTES("{\"a\":1,\"a\":1}"), "json_duplicate_key" },
    { "a duplicate key below is refused", BYTES("{\"b\":{\"a\":1,\"a\":2}}"),
      "json_duplicate_key" },
    { "a duplicate key by escape is refused", BYTES("{\"a\":1,\"\\u0061\":2}"),
      "json_duplicate_key" },
    { "17 levels of arrays are refused", BYTES("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"),
      "json_too_deep" },
    { "17 levels of both are refused",
      BYTES("[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[]"
            "}]}]}]}]}]}]}]}]"),
      "json_too_deep" },
};

static void check_refusal(void **state)
{
    const struct refusal_row *row = *state;
    /* a copy of exactly this size: reading beyond it is seen by the sanitizer */
    char *copy = memory_copy_text(row->text);
    char *text = realloc(copy, row->text.length > 0 ? row->text.length : 1);
    struct json_document document = { (struct json_value *)(uintptr_t)row };
    struct error err;

    assert_non_null(text);
    assert_false(json_document_parse((struct span){ text, row->text.length }, &document, &err));
    free(text);
    assert_int_equal(err.kind, ERROR_MALFORMED);
    assert_string_equal(err.code, row->code);
    assert_true(strlen(err.detail) > 0);
    assert_true(text_is_utf8(span_of(err.detail)));
    assert_false(text_has_control(span_of(err.detail)));
    json_document_release(&document); /* as an automatic one would be */
}

static const struct round_trip_row {
    const char *label;
    const char *text;
    const char *written; /* NULL: the same */
} round_trip_rows[] = {
    { "an empty object comes back", "{}", NULL },
    { "an empty array comes back", "[]", NULL },
    { "a text alone is a document", "\"a\"", NULL },
    { "a number alone is a document", "1", NULL },
    { "members keep their order", "{\"z\":1,\"a\":2,\"m\":3}", NULL },
    { "literals come back", "[true,false,null]", NULL },
    { "the ends of 64 bits come back", "[9223372036854775807,-9223372036854775808]", NULL },
    { "minus zero is zero", "[-0]", "[0]" },
    { "a half comes back", "[0.5]", NULL },
    { "blanks are dropped", " { \"a\" : [ 1 , 2 ] } \n", "{\"a\":[1,2]}" },
    { "umlauts come back as they are", "[\"\xc3\xa4\"]", NULL },
    { "an escaped umlaut comes back plain", "[\"\\u00e4\"]", "[\"\xc3\xa4\"]" },
    { "a pair of surrogates comes back as one", "[\"\\ud83c\\udde9\"]", "[\"\xf0\x9f\x87\xa9\"]" },
    { "escapes come back as short as possible", "[\"\\u000a\\u0022\\/\\u0001\"]",
      "[\"\\n\\\"/\\u0001\"]" },
    { "a name is escaped", "{\"a\\\"\\n\":{\"\":[]}}", NULL },
    { "16 levels come back", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", NULL },
    { "brackets in strings are no levels", "[\"[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[{{{{{{{{{\\\\\"]",
      NULL },
    { "many neighbours are no levels", "[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]",
      NULL },
};

static void check_round_trip(void **state)
{
    const struct round_trip_row *row = *state;
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;
    AUTO(json_document_release) struct json_document document;
    struct error err;

    assert_true(json_document_parse(span_of(row->text), &document, &err));
    json_value_write(document.root, &buffer);
    assert_string_equal(buffer.at, row->written ? row->written : row->text);
}

static const struct deep_row {
    const char *label;
    const char *level;
} deep_rows[] = {
    { "100,000 open arrays are refused and nothing falls over", "[" },
    { "100,000 open objects are refused and nothing falls over", "{\"a\":" },
};

static void check_deep(void **state)
{
    const struct deep_row *row = *state;
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;
    AUTO(json_document_release) struct json_document document;
    struct error err;

    for (int i = 0; i < 100000; i++)
        buffer_append(&buffer, row->level);
    assert_false(json_document_parse(buffer_span(&buffer), &document, &err));
    assert_int_equal(err.kind, ERROR_MALFORMED);
    assert_string_equal(err.code, "json_too_deep");
}

static void an_error_says_where_it_is(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct error err;

    assert_false(json_document_parse(span_of("{\n  \"a\": x\n}"), &document, &err));
    assert_string_equal(err.detail, "line 2, column 8: invalid token");
}

static bool join_name(void *ctx, const char *name, const struct json_value *value)
{
    struct buffer *names = ctx;

    buffer_append_format(names, "%s%s,", name, json_value_is_null(value) ? "?" : "");
    return strcmp(name, "stop") != 0;
}

static void members_are_visited_in_their_order_until_told_to_stop(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer names = BUFFER_EMPTY;
    AUTO(json_document_release) struct json_document document;
    struct error err;

    assert_true(json_document_parse(span_of("{\"b\":1,\"a\":null}"), &document, &err));
    assert_true(json_each_member(document.root, join_name, &names));
    assert_int_equal(json_member_count(document.root), 2);
    json_document_release(&document);

    assert_true(json_document_parse(span_of("{\"stop\":1,\"never\":2}"), &document, &err));
    assert_false(json_each_member(document.root, join_name, &names));
    assert_string_equal(names.at, "b,a?,stop,");
}

static void values_know_what_they_are(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct error err;

    assert_true(json_document_parse(span_of("[1]"), &document, &err));
    assert_false(json_value_is_object(document.root));
    assert_false(json_value_is_null(document.root));
    assert_null(json_value_text(document.root));
    assert_int_equal(json_member_count(document.root), 0);
    assert_true(json_each_member(document.root, join_name, NULL));

    assert_null(json_value_text(NULL));
    assert_false(json_value_is_object(NULL));
}

static void elements_are_found_by_their_index(UNUSED void **state)
{
    AUTO(json_document_release) struct json_document document;
    struct error err;

    assert_true(json_document_parse(span_of("[\"a\",\"b\"]"), &document, &err));
    assert_string_equal(json_value_text(json_array_at(document.root, 0)), "a");
    assert_string_equal(json_value_text(json_array_at(document.root, 1)), "b");
    assert_null(json_array_at(document.root, 2));
    assert_null(json_array_at(NULL, 0));
}

static void a_document_may_be_released_twice(UNUSED void **state)
{
    struct json_document document;
    struct error err;

    assert_true(json_document_parse(span_of("{}"), &document, &err));
    json_document_release(&document);
    assert_null(document.root);
    json_document_release(&document);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD_ROWS(&table, round_trip_rows, check_round_trip);
    TABLE_ADD_ROWS(&table, deep_rows, check_deep);
    TABLE_ADD(&table, an_error_says_where_it_is);
    TABLE_ADD(&table, members_are_visited_in_their_order_until_told_to_stop);
    TABLE_ADD(&table, values_know_what_they_are);
    TABLE_ADD(&table, elements_are_found_by_their_index);
    TABLE_ADD(&table, a_document_may_be_released_twice);
    return table_run(&table);
}
