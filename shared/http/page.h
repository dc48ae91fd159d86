/*
 * Page: one page of a list, newest first, by keyset.
 *
 * Lists are ordered by id, descending (ids are UUIDv7). The cursor is the last id of the page
 * before, made opaque; a page asks for one row more than it shows, to know whether another follows.
 */
#ifndef CHECKOUT_HTTP_PAGE_H
#define CHECKOUT_HTTP_PAGE_H

#include "shared/base/base64.h"
#include "shared/base/buffer.h"
#include "shared/http/query.h"

enum { PAGE_LIMIT_DEFAULT = 20, PAGE_LIMIT_MAX = 100 };

struct page {
    int64_t limit;
    struct id before; /* rows with a smaller id; all ones on the first page */
};

/* Reads `limit` and `cursor`. */
void page_read(struct query *query, struct page *out);

/* A page of what was created in a time: ids in [from, before). */
struct page_window {
    int64_t limit;
    struct id from, before;
};

/*
 * Reads created_after and created_before as well, the half-open interval [after, before): windows
 * that follow each other neither overlap nor leave a gap. An id carries the time of its creation,
 * so they and the cursor are bounds of one and the same key.
 */
void page_read_window(struct query *query, struct page_window *out);

/* Writes {"data":[...],"next_cursor":...}: open, then rows by the caller, then close. */
void page_open(struct buffer *body);
void page_close(struct buffer *body, bool more, struct id last);

/* 22 characters of base64url and a NUL. */
struct page_cursor {
    char text[BASE64_SIZE(sizeof(struct id))];
};

struct page_cursor page_cursor_make(struct id last);
MUST_CHECK bool page_cursor_parse(const char *text, struct id *out);

#endif
