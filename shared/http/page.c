#include "shared/http/page.h"

#include "shared/json/json_writer.h"

struct page_cursor page_cursor_make(struct id last)
{
    struct page_cursor cursor;
    struct span bytes = { (const char *)last.bytes, sizeof(last.bytes) };

    base64url_encode(bytes, cursor.text, sizeof(cursor.text));
    return cursor;
}

bool page_cursor_parse(const char *text, struct id *out)
{
    struct id id;
    size_t length;

    if (!base64url_decode(span_of(text), id.bytes, sizeof(id.bytes), &length) ||
        length != sizeof(id.bytes))
        return false;
    *out = id;
    return true;
}

void page_read(struct query *query, struct page *out)
{
    char cursor[QUERY_TEXT_MAX];

    out->limit = PAGE_LIMIT_DEFAULT;
    memset(out->before.bytes, 0xff, sizeof(out->before.bytes));
    query_read_integer(query, "limit", 1, PAGE_LIMIT_MAX, &out->limit);
    if (query_read_text(query, "cursor", 1, QUERY_TEXT_MAX / 4 - 1, cursor, sizeof(cursor)) &&
        !page_cursor_parse(cursor, &out->before))
        query_refuse(query, "cursor", "cursor_invalid", "must be the next_cursor of a page");
}

void page_read_window(struct query *query, struct page_window *out)
{
    struct page page;
    struct instant after, before;

    page_read(query, &page);
    *out = (struct page_window){ .limit = page.limit, .before = page.before };
    if (query_read_instant(query, "created_after", &after))
        out->from = id_floor(after);
    if (query_read_instant(query, "created_before", &before) &&
        id_compare(id_floor(before), out->before) < 0)
        out->before = id_floor(before);
}

void page_open(struct buffer *body)
{
    buffer_append(body, "{\"data\":[");
}

void page_close(struct buffer *body, bool more, struct id last)
{
    if (more)
        buffer_append_format(body, "],\"next_cursor\":\"%s\"}", page_cursor_make(last).text);
    else
        buffer_append(body, "],\"next_cursor\":null}");
}
