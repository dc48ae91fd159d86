#include "shared/http/cors.h"

#include "tests/unit/table.h"

static const struct row {
    const char *label;
    const char *origins;
    const char *origin;
    bool allowed;
} rows[] = {
    { "nothing is allowed while none is set", "", "https://a.example", false },
    { "the one that is set is allowed", "https://a.example", "https://a.example", true },
    { "one of several is allowed", "https://a.example, https://b.example,https://c.example",
      "https://b.example", true },
    { "another is not", "https://a.example", "https://b.example", false },
    { "a longer one is not", "https://a.example", "https://a.example.evil", false },
    { "a shorter one is not", "https://a.example", "https://a", false },
    { "another scheme is not", "https://a.example", "http://a.example", false },
    { "a list is not", "https://a.example,https://b.example", "https://a.example,https://b.example",
      false },
    { "an asterisk is only itself", "*", "https://a.example", false },
    { "no origin is not", "https://a.example", NULL, false },
    { "an empty origin is not", "https://a.example,", "", false },
    { "a sandbox is not", "https://a.example", "null", false },
};

static void check_row(void **state)
{
    const struct row *row = *state;

    assert_int_equal(cors_allows(row->origins, row->origin), row->allowed);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    return table_run(&table);
}
