/*
 * Framing: where a request ends, and whether everybody who reads it would agree (RFC 9112).
 *
 * A proxy that reads a request in another way than we do lets one client speak for another, so
 * whatever is ambiguous is refused, even where the library takes it. A refused request's
 * connection has to be closed: nobody knows where the next one begins.
 */
#ifndef CHECKOUT_HTTP_FRAMING_H
#define CHECKOUT_HTTP_FRAMING_H

#include "shared/base/error.h"

/* The library keeps 64 and drops the rest without a word: the 64th is already one too many. */
enum { HEAD_HEADERS_MAX = 64 };

struct header {
    const char *name;
    const char *value;
};

/* What stands before the body. Everything is borrowed from the connection. */
struct head {
    const char *method;
    const char *target;  /* up to '?' */
    const char *query;   /* behind '?', or NULL */
    const char *version; /* "1.0" or "1.1" */
    const char *limit;   /* where the library's buffer ends: for framing_check_lines() */
    size_t header_count;
    struct header headers[HEAD_HEADERS_MAX];
};

struct framing {
    bool chunked;
    int64_t length;        /* as announced; INT64_MAX when it is too long to be a number */
    bool expects_continue; /* the client waits for 100 before it sends the body */
    bool keeps_alive;      /* the client would like to send another request */
};

/* The value of the first header of that name (compared without case), or NULL. */
const char *head_find(const struct head *head, const char *name);

/* How many headers have that name. */
size_t head_count(const struct head *head, const char *name);

/* True if the comma-separated value has the word, compared without case; value may be NULL. */
bool header_has_word(const char *value, const char *word);

/*
 * ERROR_MALFORMED for what is ambiguous, ERROR_NOT_IMPLEMENTED for a transfer coding other than
 * chunked, ERROR_HEADERS_TOO_LARGE for too many headers.
 */
MUST_CHECK bool framing_read(const struct head *head, struct framing *out, struct error *err);

/*
 * Whether the first line has single blanks and every header stood on a line of its own, as the
 * library's buffer shows: it cuts at a folded line, skips any white space in the first one, and
 * forgets blanks before a colon and line feeds without a carriage return. The pointers must be into
 * that buffer, of which nothing at or behind its `limit` is looked at. One thing it does not show:
 * any two characters of white space pass for the CR LF of the first line.
 */
MUST_CHECK bool framing_check_lines(const struct head *head, struct error *err);

/*
 * How many bytes a head takes that passed framing_check_lines(), its empty line included. The
 * pointers must be into the library's buffer.
 */
size_t framing_head_length(const struct head *head);

/* True when a request has a body, or may have one. */
bool framing_has_body(const struct framing *framing);

#endif
