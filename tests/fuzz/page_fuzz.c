/* A list's query, and its cursor: one that was written reads back, and has one spelling. */
#include "shared/http/page.h"

#include "tests/fuzz/fuzz.h"

static void check_cursor(struct id id)
{
    struct page_cursor cursor = page_cursor_make(id);
    struct id again;
    bool parsed = page_cursor_parse(cursor.text, &again);

    assert(parsed && id_equal(id, again));
}

static void check_spelling(const char *text)
{
    struct id id;

    if (page_cursor_parse(text, &id))
        assert(strcmp(page_cursor_make(id).text, text) == 0);
}

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *text = fuzz_text(input);
    struct page_window window;
    struct query query;
    struct error err;

    check_spelling(text);
    query_begin(&query, text, &err);
    page_read_window(&query, &window);
    query_end(&query);
    fuzz_check_refusal(&err);
    assert(window.limit >= 1 && window.limit <= PAGE_LIMIT_MAX);
    check_cursor(window.before);
    check_cursor(window.from);
}
