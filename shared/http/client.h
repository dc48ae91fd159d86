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

/* Headers of a request beside those with a place of their own. */
enum { CLIENT_HEADERS_MAX = 4 };

/* A Retry-After that is longer, or a date further away, is taken for this. */
enum { CLIENT_RETRY_AFTER_MAX_S = 86400 };

struct client_header {
    const char *name;  /* "SOAPAction" */
    const char *value; /* one line; NULL or "": the header is left out */
};

/* What is not named here is left zero. */
struct client_request {
    const char *method;  /* "GET" */
    const char *origins; /* "http://127.0.0.1:8081"; of several instances with commas between */
    const char *path;    /* "/v1/orders?limit=1" */
    const char *authorization;                        /* value of the header, or NULL */
    const char *traceparent;                          /* or NULL */
    const char *idempotency_key;                      /* or NULL */
    struct span body;                                 /* empty for none */
    const char *content_type;                         /* of the body; NULL: application/json */
    const char *accept;                               /* NULL: application/json */
    struct client_header headers[CLIENT_HEADERS_MAX]; /* further ones, up to the first NULL name */
    size_t answer_max;                                /* bytes; a longer answer is an error */
    int64_t *retry_after_s; /* where the answer's Retry-After goes, 0 for none; or NULL */
    struct deadline deadline;
};

/* Instances of one peer that are asked. */
enum { CLIENT_ORIGINS_MAX = 16 };

/* Once per process, before threads. */
MUST_CHECK bool client_library_start(void);

struct client *client_create(void);
void client_destroy(struct client *client);

/*
 * Writes status and body of whatever was answered, errors included; `answer` is the caller's to
 * release. The kind of an error says what may have happened:
 *
 *     ERROR_UNAVAILABLE      nothing was sent: nobody took the connection, or no time was left
 *     ERROR_DEADLINE         it was sent, all or in part, and nobody answered in time
 *     ERROR_UNKNOWN_OUTCOME  it was sent, all or in part, and the connection broke or the answer
 *                            was too long
 *
 * After the last two the request may have had its effect, or have it yet. A kept connection that
 * the peer closes at the very moment it is used again makes the library send the request once more:
 * so may a peer see one request twice, and whatever must not happen twice needs a key or a
 * reference by which the peer knows it.
 */
MUST_CHECK bool client_send(struct client *client, const struct client_request *request,
                            int *status, struct buffer *answer, struct error *err);

#endif
