/*
 * Problem: the document that tells a client what went wrong (RFC 9457).
 *
 * What the client did is told as it is. What we or a dependency did is told in plain words that
 * carry no names of hosts, paths or SQLSTATEs; the log has the rest.
 */
#ifndef CHECKOUT_HTTP_PROBLEM_H
#define CHECKOUT_HTTP_PROBLEM_H

#include "shared/http/reply.h"

/* For statuses that no kind of error maps to. */
struct problem_status {
    int status;
    const char *title;
};

/* As reply_problem(), but with this status. */
void problem_reply(struct reply *reply, const struct error *err, struct problem_status status,
                   struct id instance);

#endif
