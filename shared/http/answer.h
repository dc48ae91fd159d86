/*
 * Answer: a reply as the bytes that go over the wire - head and body in one piece, so that they
 * leave in one write.
 */
#ifndef CHECKOUT_HTTP_ANSWER_H
#define CHECKOUT_HTTP_ANSWER_H

#include "shared/base/clock.h"
#include "shared/http/reply.h"
#include "shared/runtime/trace.h"

struct answer {
    const struct reply *reply;
    struct id request_id;
    const struct trace *trace; /* or NULL */
    const char *origin;        /* a web page's that may read the answer, or NULL */
    struct instant now;
    bool closes;    /* the connection ends behind it */
    bool head_only; /* for HEAD: the body is announced and not sent */
};

/* Appends the whole answer. */
void answer_write(const struct answer *answer, struct buffer *out);

#endif
