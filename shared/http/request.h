/*
 * Request: one HTTP request as handlers see it - read whole, checked, authenticated.
 *
 * By the time a handler runs, the framing was unambiguous (RFC 9112), the body was read to its
 * announced length, the caller's key was found and has the route's scope, and the idempotency key
 * was parsed. Everything here is borrowed and lives until the handler returns.
 */
#ifndef CHECKOUT_HTTP_REQUEST_H
#define CHECKOUT_HTTP_REQUEST_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"
#include "shared/base/text.h"
#include "shared/crypto/hash.h"
#include "shared/http/access.h"
#include "shared/runtime/trace.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PATCH,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS
};

/* Placeholders that a route pattern may have. */
enum { REQUEST_SEGMENTS_MAX = 4 };

/* An Idempotency-Key has 1 to 255 printable characters. */
enum { IDEMPOTENCY_KEY_MAX = 255 };

/* "PATCH /v1/orders/<uuid>" and longer future paths. */
enum { IDEMPOTENCY_SCOPE_MAX = 200 };

/* What makes two requests the same: merchant + scope + key; and how to tell that they are not. */
struct idempotency {
    char key[IDEMPOTENCY_KEY_MAX + 1];     /* "" when the request had none */
    char scope[IDEMPOTENCY_SCOPE_MAX + 1]; /* method, blank, raw path */
    struct digest body_hash;
};

/* Who asks, how long they wait and what their work is called: travels into use cases. */
struct caller {
    struct access access; /* merchant, stream, scopes */
    struct deadline deadline;
    struct id request_id;
    struct trace trace;
    const char *authorization; /* the header's value, to forward; never logged */
};

struct request {
    enum http_method method;
    struct caller caller;
    const char *path;  /* raw, canonical */
    const char *query; /* behind '?', or "" */
    const char *route; /* the pattern that matched, for logs and metrics */
    size_t segment_count;
    struct span segments[REQUEST_SEGMENTS_MAX]; /* values of {placeholders}, still encoded */
    struct span body;
    struct idempotency idempotency;
    const char *if_match;   /* header value, or NULL */
    const void *connection; /* the server's own */
};

/* The placeholder as an id; a malformed one is ERROR_NOT_FOUND like a missing object. */
MUST_CHECK bool request_id_at(const struct request *req, size_t index, struct id *out,
                              struct error *err);

/* The placeholder as text, percent-decoded. */
MUST_CHECK bool request_text_at(const struct request *req, size_t index, char *out, size_t size,
                                struct error *err);

/* A header's value, or NULL. Names are compared without case. */
const char *request_header(const struct request *req, const char *name);

/*
 * If-Match (RFC 9110, 13.1.1) against a version whose entity tag is "\"<version>\"". Absent or "*"
 * matches; a weak tag never does; ERROR_PRECONDITION "version_stale" when none matches,
 * ERROR_MALFORMED when it cannot be read.
 */
MUST_CHECK bool request_if_match(const char *if_match, int64_t version, struct error *err);

#endif
