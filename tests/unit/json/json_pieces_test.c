#include "shared/json/json_pieces.h"
#include "tests/unit/table.h"

static const char *const names[] = { "data", "lines", NULL };

static const struct cut_row {
    const char *label;
    const char *text, *rest, *data, *lines; /* NULL: not there, or of the rest: not closed */
} cut_rows[] = {
    { "an object is left out", "{\"a\":1,\"data\":{\"b\":[2]},\"c\":3}",
      "{\"a\":1,\"data\":{},\"c\":3}", "{\"b\":[2]}", NULL },
    { "an array is left out", "{\"lines\":[{\"a\":1},{}]}", "{\"lines\":[]}", NULL,
      "[{\"a\":1},{}]" },
    { "both are left out", "{\"lines\":[1],\"data\":{\"a\":1}}", "{\"lines\":[],\"data\":{}}",
      "{\"a\":1}", "[1]" },
    { "blanks stand where they stood", " { \"data\" : { } } ", " { \"data\" : {} } ", "{ }", NULL },
    { "a scalar stays", "{\"data\":1,\"lines\":\"[\"}", "{\"data\":1,\"lines\":\"[\"}", NULL,
      NULL },
    { "other members stay", "{\"other\":{\"a\":[1]}}", "{\"other\":{\"a\":[1]}}", NULL, NULL },
    { "a name below the top is no member of it", "{\"a\":{\"data\":{\"b\":1}}}",
      "{\"a\":{\"data\":{\"b\":1}}}", NULL, NULL },
    { "a text of that name is no name", "{\"a\":\"data\",\"b\":{\"c\":1}}",
      "{\"a\":\"data\",\"b\":{\"c\":1}}", NULL, NULL },
    { "brackets in texts are texts", "{\"data\":{\"a\":\"}\"},\"b\":\"{\"}",
      "{\"data\":{},\"b\":\"{\"}", "{\"a\":\"}\"}", NULL },
    { "an escaped quote ends no text", "{\"data\":[\"\\\"]\\\\\"],\"b\":\"\\\\\"}",
      "{\"data\":[],\"b\":\"\\\\\"}", "[\"\\\"]\\\\\"]", NULL },
    { "an escaped name is not found", "{\"d\\u0061ta\":{\"a\":1}}", "{\"d\\u0061ta\":{\"a\":1}}",
      NULL, NULL },
    { "of two of a name both are left out", "{\"data\":{\"a\":1},\"data\":{\"b\":1}}",
      "{\"data\":{},\"data\":{}}", "{\"b\":1}", NULL },
    { "brackets of two kinds stay so", "{\"data\":{1]}", "{\"data\":{]}", "{1]", NULL },
    { "a scalar alone stays", "1", "1", NULL, NULL },
    { "nothing stays nothing", "", "", NULL, NULL },
    { "an open top is the parser's to find out", "{\"data\":{\"a\":1}", "{\"data\":{}", "{\"a\":1}",
      NULL },
    { "an open object is found out", "{\"data\":{\"a\":1", NULL, NULL, NULL },
    { "an open text is found out", "{\"data\":\"a", NULL, NULL, NULL },
    { "a text that ends in its escape is found out", "{\"data\":[\"\\", NULL, NULL, NULL },
};

static void check_piece(struct span piece, const char *expected)
{
    assert_true(span_equal(piece, expected != NULL ? span_of(expected) : (struct span){ NULL, 0 }));
}

static void check_cut(void **state)
{
    const struct cut_row *row = *state;
    AUTO(buffer_release) struct buffer rest = BUFFER_EMPTY;
    struct span pieces[COUNT_OF(names) - 1];

    bool closed = json_cut(span_of(row->text), names, pieces, &rest);
    assert_int_equal(closed, row->rest != NULL);
    if (row->rest == NULL)
        return;
    assert_true(span_equal(buffer_span(&rest), span_of(row->rest)));
    check_piece(pieces[0], row->data);
    check_piece(pieces[1], row->lines);
}

static const struct elements_row {
    const char *label;
    const char *array;
    const char *elements[4];
} elements_rows[] = {
    { "an empty array has none", "[]", { NULL } },
    { "nor has one of blanks", "[ \n\t\r]", { NULL } },
    { "objects are whole", "[{\"a\":[1,2]},{\"b\":{}}]", { "{\"a\":[1,2]}", "{\"b\":{}}" } },
    { "blanks around them are none of theirs", "[ {} ,\n{ } ]", { "{}", "{ }" } },
    { "commas in texts are texts", "[\"a,]\",\"\\\",\"]", { "\"a,]\"", "\"\\\",\"" } },
    { "scalars are elements", "[1,null,true]", { "1", "null", "true" } },
    { "nothing between commas is nothing", "[1,,2]", { "1", "", "2" } },
    { "nor is what stands behind the last", "[1,]", { "1", "" } },
};

static void check_elements(void **state)
{
    const struct elements_row *row = *state;
    struct span element;
    size_t at = 0;

    for (size_t i = 0; row->elements[i] != NULL; i++) {
        assert_true(json_next_element(span_of(row->array), &at, &element));
        assert_true(span_equal(element, span_of(row->elements[i])));
    }
    assert_false(json_next_element(span_of(row->array), &at, &element));
}

static const struct parse_row {
    const char *label;
    const char *text;
    const char *code; /* NULL: it is read */
} parse_rows[] = {
    { "what is left out is not looked into", "{\"b\":{nonsense},\"a\":7,\"c\":nonsense}", NULL },
    { "what is asked for is", "{\"b\":{},\"a\":nonsense}", "json_malformed" },
    { "blanks around everything are blanks", " { \"b\" : [ 1 , 2 ] , \"a\" : 7 } \n", NULL },
    { "an escaped name is one that may be asked for", "{\"\\u0061\":7,\"b\":1}", NULL },
    { "a name below the top is no member of it", "{\"b\":{\"a\":6},\"a\":7}", NULL },
    { "commas and names in texts are texts", "{\"b\":\",\\\",\\\"a\\\":6\",\"a\":7}", NULL },
    { "names are there once", "{\"a\":7,\"a\":7}", "json_duplicate_key" },
    { "also with an escape", "{\"a\":7,\"\\u0061\":7}", "json_duplicate_key" },
    { "what is not closed is refused", "{\"b\":{", "json_malformed" },
    { "nor what is closed by another bracket", "{\"a\":7]", "json_malformed" },
    { "something behind it is refused", "{\"a\":7}}", "json_malformed" },
    { "a comma too many is refused", "{\"a\":7,}", "json_malformed" },
    { "a member without a name is refused", "{7,\"a\":7}", "json_malformed" },
    { "a name that is not closed is refused", "{\"a\":7,\"b}", "json_malformed" },
    { "nothing is refused", "", "body_empty" },
};

static void check_parse(void **state)
{
    static const char *const asked_for[] = { "a", NULL };
    const struct parse_row *row = *state;
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;
    struct error err;
    int64_t a = 0;

    if (!json_document_parse_members(span_of(row->text), asked_for, &document, &err)) {
        assert_non_null(row->code);
        assert_string_equal(err.code, row->code);
        return;
    }
    assert_null(row->code);
    json_reader_begin(&reader, &document, &err);
    assert_true(json_read_integer(&reader, "a", JSON_REQUIRED, 7, 7, &a));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, cut_rows, check_cut);
    TABLE_ADD_ROWS(&table, elements_rows, check_elements);
    TABLE_ADD_ROWS(&table, parse_rows, check_parse);
    return table_run(&table);
}
