/*
 * Client: HTTP requests to others, on libcurl.
 *
 * No redirects, a bounded answer, a deadline for the whole exchange, connections kept and reused. A
 * peer may have several instances: the next one is asked only when nothing could be sent to the one
 * before, and the one that took a request is asked first the next time.
 *
 * A client belongs to one thread at a time; threads that need one now and then share a client_pool.
 */
#ifndef CHECKOUT_HTTP_CLIENT_H
#define CHECKOUT_HTTP_CLIENT_H

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/base/error.h"

struct client;

struct client_request {
    const char *method;  /* "GET" */
    const char *origins; /* "http://127.0.0.1:8081"; of several instances with commas between */
    const char *path;    /* "/v1/orders?limit=1" */
    const char *authorization;   /* value of the header, or NULL */
    const char *traceparent;     /* or NULL */
    const char *idempotency_key; /* or NULL */
    struct span body;            /* JSON; empty for none */
    size_t answer_max;           /* bytes; a longer answer is an error */
    struct deadline deadline;
};

/* Instances of one peer that are asked. */
enum { CLIENT_ORIGINS_MAX = 16 };

/* Once per process, before threads. */
MUST_CHECK bool client_library_start(void);

struct client *client_create(void);
void client_destroy(struct client *client);

/*
 * Writes status and body of whatever was answered, errors included. ERROR_UNAVAILABLE when nothing
 * was sent; ERROR_DEADLINE when the time was over, ERROR_UNKNOWN_OUTCOME when the connection broke
 * or the answer was too long: then the request may have had its effect. `answer` is the caller's to
 * release.
 */
MUST_CHECK bool client_send(struct client *client, const struct client_request *request,
                            int *status, struct buffer *answer, struct error *err);

#endif
