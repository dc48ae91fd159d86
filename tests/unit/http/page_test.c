#include "shared/http/page.h"

#include "tests/unit/table.h"

static const struct row {
    const char *label;
    const char *cursor;
    bool valid;
} rows[] = {
    { "zeros are a cursor", "AAAAAAAAAAAAAAAAAAAAAA", true },
    { "ones are a cursor", "_____________________w", true },
    { "nothing is none", "", false },
    { "one character too few is none", "AAAAAAAAAAAAAAAAAAAAA", false },
    { "one too many is none", "AAAAAAAAAAAAAAAAAAAAAAA", false },
    { "padding is none", "AAAAAAAAAAAAAAAAAAAAA=", false },
    { "the other alphabet is none", "+AAAAAAAAAAAAAAAAAAAAA", false },
    { "bits behind the end are none", "AAAAAAAAAAAAAAAAAAAAAB", false },
    { "a byte beyond ASCII is none",
      "\xc3\xa4"
      "AAAAAAAAAAAAAAAAAAAA",
      false },
    { "an id is none", "019c2d4e-7b3a-7c1d-8e2f-0123456789ab", false },
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct id id = { { 42 } };

    assert_int_equal(page_cursor_parse(row->cursor, &id), row->valid);
    if (row->valid)
        assert_string_equal(page_cursor_make(id).text, row->cursor);
    else
        assert_int_equal(id.bytes[0], 42);
}

static void every_id_comes_back(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 128; bit++) {
        struct id id = { { 0 } }, back;
        id.bytes[bit / 8] = (uint8_t)(1U << bit % 8);
        assert_true(page_cursor_parse(page_cursor_make(id).text, &back));
        assert_true(id_equal(id, back));
    }
}

/* Reads a page; returns whether nothing was wrong. */
static bool read_page(const char *text, struct page *page)
{
    static struct error err;
    static struct query query;

    query_begin(&query, text, &err);
    page_read(&query, page);
    query_end(&query);
    return query_ok(&query);
}

static void the_first_page_begins_above_every_id(void **state)
{
    struct page page;
    struct id highest;

    (void)state;
    assert_true(id_parse("ffffffff-ffff-ffff-ffff-ffffffffffff", &highest));
    assert_true(read_page("", &page));
    assert_int_equal(page.limit, PAGE_LIMIT_DEFAULT);
    assert_true(id_equal(page.before, highest));
}

static void a_page_begins_below_its_cursor(void **state)
{
    struct page page;
    struct id id;

    (void)state;
    assert_true(id_parse("019c2d4e-7b3a-7c1d-8e2f-0123456789ab", &id));
    AUTO(buffer_release) struct buffer query = BUFFER_EMPTY;
    buffer_append_format(&query, "limit=100&cursor=%s", page_cursor_make(id).text);
    assert_true(read_page(query.at, &page));
    assert_int_equal(page.limit, 100);
    assert_true(id_equal(page.before, id));
}

static void limits_and_cursors_are_checked(void **state)
{
    struct page page;

    (void)state;
    assert_false(read_page("limit=0", &page));
    assert_false(read_page("limit=101", &page));
    assert_false(read_page("limit=ten", &page));
    assert_false(read_page("cursor=abc", &page));
    assert_false(read_page("cursor=", &page));
}

static void a_page_is_written_around_its_rows(void **state)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct id zero = { { 0 } };

    (void)state;
    page_open(&body);
    buffer_append(&body, "1,2");
    page_close(&body, true, zero);
    assert_string_equal(body.at, "{\"data\":[1,2],\"next_cursor\":\"AAAAAAAAAAAAAAAAAAAAAA\"}");
    buffer_clear(&body);
    page_open(&body);
    page_close(&body, false, zero);
    assert_string_equal(body.at, "{\"data\":[],\"next_cursor\":null}");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD(&table, every_id_comes_back);
    TABLE_ADD(&table, the_first_page_begins_above_every_id);
    TABLE_ADD(&table, a_page_begins_below_its_cursor);
    TABLE_ADD(&table, limits_and_cursors_are_checked);
    TABLE_ADD(&table, a_page_is_written_around_its_rows);
    return table_run(&table);
}
