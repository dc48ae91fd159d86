/*
 * Reply: what a handler answers.
 *
 * A handler writes the body, sets a status and returns true; or it fails, and the router turns the
 * error into a problem document (RFC 9457). A handler never writes an error itself.
 *
 * A simulator of peers that can not be relied on may also say that there is no answer: its fate is
 * then to be lost, whatever was written.
 */
#ifndef CHECKOUT_HTTP_REPLY_H
#define CHECKOUT_HTTP_REPLY_H

#include "shared/base/buffer.h"
#include "shared/base/error.h"
#include "shared/base/id.h"

enum {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_ACCEPTED = 202,
    HTTP_NO_CONTENT = 204,
};

enum { REPLY_HEADERS_MAX = 8 };

enum reply_fate {
    REPLY_SENT,
    REPLY_LOST,  /* the connection is closed without an answer */
    REPLY_RESET, /* ... and reset (RST): what the client sends then fails at once */
};

struct reply_header {
    const char *name; /* a literal */
    char value[256];
};

struct reply {
    int status;
    enum reply_fate fate;     /* of the handlers that succeed; errors are always told */
    const char *content_type; /* a literal; "application/json" unless set */
    struct buffer body;
    size_t header_count;
    struct reply_header headers[REPLY_HEADERS_MAX];
};

void reply_begin(struct reply *reply);
void reply_release(struct reply *reply);

/* Sets the status of a reply whose JSON body was written; returns true, to end a handler with. */
bool reply_json(struct reply *reply, int status);

void reply_set_header(struct reply *reply, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* ETag: "<version>". */
void reply_set_version(struct reply *reply, int64_t version);

/* Replaces whatever was written with the problem document of `err`; `instance` is the request. */
void reply_problem(struct reply *reply, const struct error *err, struct id instance);

#endif
