#include "shared/http/percent.h"

#include "tests/unit/table.h"

static const struct encode_row {
    const char *label;
    const char *text;
    const char *encoded;
} encode_rows[] = {
    { "unreserved characters stay", "AZaz09-._~", "AZaz09-._~" },
    { "a slash does not begin a segment", "../a", "..%2Fa" },
    { "what ends a path is encoded", "?#%", "%3F%23%25" },
    { "blanks and sub-delimiters are encoded", " *$=", "%20%2A%24%3D" },
    { "bytes beyond ASCII are encoded one by one", "\xc3\xa9", "%C3%A9" },
    { "nothing stays nothing", "", "" },
};

static void check_encode(void **state)
{
    const struct encode_row *row = *state;
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    char back[64];

    percent_encode(span_of(row->text), &out);
    assert_string_equal(out.length > 0 ? out.at : "", row->encoded);
    assert_true(percent_decode(buffer_span(&out), false, back, sizeof(back)));
    assert_string_equal(back, row->text);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, encode_rows, check_encode);
    return table_run(&table);
}
