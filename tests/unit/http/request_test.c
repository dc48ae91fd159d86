#include "shared/http/request.h"

#include "shared/http/framing.h"
#include "tests/unit/table.h"

/* Against version 3. */
static const struct match_row {
    const char *label;
    const char *if_match;
    enum error_kind kind; /* ERROR_NONE: it matches */
} match_rows[] = {
    { "no header matches", NULL, ERROR_NONE },
    { "an asterisk matches", "*", ERROR_NONE },
    { "an asterisk with a blank matches", "* ", ERROR_NONE },
    { "the same version matches", "\"3\"", ERROR_NONE },
    { "one of several matches", "\"1\", \"2\",\"3\"", ERROR_NONE },
    { "empty elements are skipped", ",, \"3\" ,", ERROR_NONE },
    { "another version is stale", "\"2\"", ERROR_PRECONDITION },
    { "a longer one is stale", "\"33\"", ERROR_PRECONDITION },
    { "the same number in another spelling is stale", "\"03\"", ERROR_PRECONDITION },
    { "an empty tag is stale", "\"\"", ERROR_PRECONDITION },
    { "a weak tag never matches", "W/\"3\"", ERROR_PRECONDITION },
    { "a weak tag does not hide a strong one", "W/\"3\", \"3\"", ERROR_NONE },
    { "a tag may have other bytes", "\"\xc3\xa4!\"", ERROR_PRECONDITION },
    { "a number without quotes is malformed", "3", ERROR_MALFORMED },
    { "nothing is malformed", "", ERROR_MALFORMED },
    { "commas alone are malformed", ", ,", ERROR_MALFORMED },
    { "a tag without an end is malformed", "\"3", ERROR_MALFORMED },
    { "two tags without a comma are malformed", "\"3\" \"3\"", ERROR_MALFORMED },
    { "something behind a tag is malformed", "\"3\"x", ERROR_MALFORMED },
    { "a small w is malformed", "w/\"3\"", ERROR_MALFORMED },
    { "a blank in a tag is malformed", "\"3 \"", ERROR_MALFORMED },
    { "an asterisk in a list is malformed", "\"3\", *", ERROR_MALFORMED },
    { "a match before something malformed does not help", "\"3\", x", ERROR_MALFORMED },
};

static void check_match(void **state)
{
    static struct error err;
    const struct match_row *row = *state;
    bool matched = request_if_match(row->if_match, 3, &err);

    assert_int_equal(matched, row->kind == ERROR_NONE);
    if (!matched)
        assert_int_equal(err.kind, row->kind);
}

static const struct segment_row {
    const char *label;
    const char *segment;
    const char *text; /* NULL: not found */
    bool is_id;
} segment_rows[] = {
    { "an id is an id and a text", "019c2d4e-7b3a-7c1d-8e2f-0123456789ab",
      "019c2d4e-7b3a-7c1d-8e2f-0123456789ab", true },
    { "a word is no id", "abc", "abc", false },
    { "a text is decoded", "a%20%C3%A4+", "a \xc3\xa4+", false },
    { "a text that is not UTF-8 is not found", "%C3%20", NULL, false },
    { "a NUL is not found", "a%00b", NULL, false },
    { "half an encoded byte is not found", "a%2", NULL, false },
    { "a text that does not fit is not found", "0123456789012345678901234567890123456789", NULL,
      false },
    { "an id with something behind it is none", "019c2d4e-7b3a-7c1d-8e2f-0123456789abc",
      "019c2d4e-7b3a-7c1d-8e2f-0123456789abc", false },
};

static void check_segment(void **state)
{
    static struct error err;
    const struct segment_row *row = *state;
    struct request req = { .segment_count = 1, .segments = { span_of(row->segment) } };
    struct id id;
    char text[40];

    assert_int_equal(request_id_at(&req, 0, &id, &err), row->is_id);
    if (!row->is_id)
        assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_int_equal(request_text_at(&req, 0, text, sizeof(text), &err), row->text != NULL);
    if (row->text)
        assert_string_equal(text, row->text);
    else
        assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

static void headers_are_found_in_any_case(void **state)
{
    struct head head = { .header_count = 2, .headers = { { "A", "1" }, { "If-Match", "2" } } };
    struct request req = { .connection = &head };

    (void)state;
    assert_string_equal(request_header(&req, "if-match"), "2");
    assert_null(request_header(&req, "If"));
    req.connection = NULL;
    assert_null(request_header(&req, "A"));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, match_rows, check_match);
    TABLE_ADD_ROWS(&table, segment_rows, check_segment);
    TABLE_ADD(&table, headers_are_found_in_any_case);
    return table_run(&table);
}
