/*
 * Router: from method and path to a handler, exactly.
 *
 * Patterns have literal segments and {placeholders}; nothing is a prefix, nothing is decoded before
 * it is matched, and a path that is not in canonical form (an empty or dot segment, an encoded
 * unreserved character, a slash encoded) is refused. HEAD is answered by GET's handler.
 *
 * Tables of routes are `static const`; a router borrows them. It is filled before the server starts
 * and only read afterwards, by any thread.
 */
#ifndef CHECKOUT_HTTP_ROUTER_H
#define CHECKOUT_HTTP_ROUTER_H

#include "shared/http/reply.h"
#include "shared/http/request.h"

/* Handlers fail by filling err; the router answers. */
typedef bool route_handler(void *ctx, const struct request *req, struct reply *reply,
                           struct error *err);

enum route_flags {
    ROUTE_PUBLIC = 1,          /* no key needed: health, metrics, documents */
    ROUTE_BODY = 2,            /* takes a JSON body; others must have none */
    ROUTE_IDEMPOTENCY_KEY = 4, /* takes an Idempotency-Key */
    ROUTE_KEY_REQUIRED = 8,    /* ... and insists on it */
    ROUTE_UNLIMITED = 16,      /* does not count against the limit of its caller's key */
    ROUTE_XML = 32,            /* takes XML as well as JSON: text/xml, application/soap+xml */
    ROUTE_SECRET_BODY = 64,    /* the body is overwritten in memory once the handler has returned */
};

struct route {
    enum http_method method;
    const char *pattern;
    unsigned scopes; /* the caller needs one of these (enum access_scope); 0 with ROUTE_PUBLIC */
    unsigned flags;
    route_handler *handle;
};

enum { ROUTER_ROUTES_MAX = 64 };

struct router {
    size_t count;
    struct {
        const struct route *route;
        void *ctx;
    } entries[ROUTER_ROUTES_MAX];
};

/* Adds `count` routes served with `ctx`. Our own bug when one is there already. */
void router_add(struct router *router, const struct route *routes, size_t count, void *ctx);

struct route_match {
    const struct route *route;
    void *ctx;
    size_t segment_count;
    struct span segments[REQUEST_SEGMENTS_MAX];
};

/*
 * ERROR_MALFORMED for a path that is not canonical, ERROR_NOT_FOUND for one nobody serves,
 * ERROR_METHOD for one served with other methods: router_allow() knows them.
 */
MUST_CHECK bool router_find(const struct router *router, enum http_method method, const char *path,
                            struct route_match *out, struct error *err);

/* The methods of a path, "GET, HEAD, POST"; "" for one nobody serves. */
void router_allow(const struct router *router, const char *path, char *out, size_t size);

/* Prints the table as JSON [{method, path, scopes: [...], public, body, xml}]: what `--routes`
 * shows. */
void router_print(const struct router *router, FILE *to);

#endif
