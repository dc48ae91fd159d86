#include "shared/http/idempotency.h"

#include "shared/http/request.h"
#include "tests/unit/table.h"

#define TEN(c)       c c c c c c c c c c
#define LONGEST      TEN(TEN("ab")) TEN("abcde") "abcde" /* 255 characters */
#define ONE_TOO_LONG LONGEST "x"

static const struct row {
    const char *label;
    const char *header;
    const char *key; /* NULL: refused */
} rows[] = {
    { "a bare key is itself", "abc-1", "abc-1" },
    { "a UUID is a key", "6a5f7b1e-1111-2222-3333-444455556666",
      "6a5f7b1e-1111-2222-3333-444455556666" },
    { "a quoted key is the same key", "\"abc-1\"", "abc-1" },
    { "one character is enough", "x", "x" },
    { "one quoted character is enough", "\"x\"", "x" },
    { "blanks around it are none of it", " \t abc \t ", "abc" },
    { "blanks around quotes are none of it", " \"abc\" ", "abc" },
    { "blanks inside quotes are part of it", "\" abc \"", " abc " },
    { "a blank inside is part of it", "a b", "a b" },
    { "every printable character may be there", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~",
      "!#$%&'()*+,-./:;<=>?@[]^_`{|}~" },
    { "a quote inside a bare key is itself", "a\"b", "a\"b" },
    { "a backslash in a bare key is itself", "a\\b", "a\\b" },
    { "a quote is escaped in quotes", "\"a\\\"b\"", "a\"b" },
    { "a backslash is escaped in quotes", "\"a\\\\b\"", "a\\b" },
    { "the longest bare key is taken", LONGEST, LONGEST },
    { "the longest quoted key is taken", "\"" LONGEST "\"", LONGEST },
    { "one more is refused", ONE_TOO_LONG, NULL },
    { "one more in quotes is refused", "\"" ONE_TOO_LONG "\"", NULL },
    { "nothing is refused", "", NULL },
    { "blanks are nothing", "  ", NULL },
    { "an empty quotation is refused", "\"\"", NULL },
    { "an opening quote alone is refused", "\"", NULL },
    { "a quotation without an end is refused", "\"abc", NULL },
    { "an escaped end is no end", "\"abc\\\"", NULL },
    { "another escape is refused", "\"a\\nb\"", NULL },
    { "an escape of nothing is refused", "\"abc\\", NULL },
    { "something behind the quotation is refused", "\"abc\"d", NULL },
    { "parameters are refused", "\"abc\";a=b", NULL },
    { "two quotations are refused", "\"a\", \"b\"", NULL },
    { "a control character is refused", "a\x01", NULL },
    { "a tab inside is refused", "a\tb", NULL },
    { "DEL is refused", "a\x7f", NULL },
    { "what is not ASCII is refused", "\xc3\xa4", NULL },
    { "it is refused in quotes, too", "\"\xc3\xa4\"", NULL },
};

static void check_row(void **state)
{
    static struct error err;
    const struct row *row = *state;
    char key[IDEMPOTENCY_KEY_MAX + 1] = "untouched";

    assert_int_equal(idempotency_key_parse(row->header, key, &err), row->key != NULL);
    assert_string_equal(key, row->key ? row->key : "untouched");
    if (!row->key) {
        assert_int_equal(err.kind, ERROR_MALFORMED);
        assert_string_equal(err.code, "idempotency_key_invalid");
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(strlen(LONGEST) == IDEMPOTENCY_KEY_MAX);
    TABLE_ADD_ROWS(&table, rows, check_row);
    return table_run(&table);
}
