#include "shared/http/page.h"

#include "shared/json/json_writer.h"

/* Base64url (RFC 4648, section 5), without padding. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 16 bytes make 21 whole digits and 2 bits of another. */
enum { CURSOR_LENGTH = 22 };

struct page_cursor page_cursor_make(struct id last)
{
    struct page_cursor cursor = { "" };
    unsigned bits = 0;
    unsigned held = 0; /* how many of them are not written yet */
    size_t length = 0;

    for (size_t i = 0; i < sizeof(last.bytes); i++) {
        bits = bits << 8 | last.bytes[i];
        held += 8;
        while (held >= 6) {
            held -= 6;
            cursor.text[length++] = digits[bits >> held & 63];
        }
    }
    cursor.text[length++] = digits[bits << (6 - held) & 63];
    assert(length == CURSOR_LENGTH);
    return cursor;
}

bool page_cursor_parse(const char *text, struct id *out)
{
    struct id id;
    unsigned bits = 0;
    unsigned held = 0;
    size_t length = 0;

    if (strlen(text) != CURSOR_LENGTH)
        return false;
    for (; *text != '\0'; text++) {
        const char *digit = strchr(digits, *text);
        if (!digit)
            return false;
        bits = bits << 6 | (unsigned)(digit - digits);
        held += 6;
        if (held >= 8) {
            held -= 8;
            id.bytes[length++] = (uint8_t)(bits >> held);
        }
    }
    if (bits & ((1U << held) - 1)) /* another spelling of the same cursor */
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
