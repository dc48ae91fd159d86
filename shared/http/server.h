/*
 * Server: HTTP/1.1 (RFC 9112) on a port, strict where civetweb is lenient.
 *
 * For each request: framing is checked, the route found, the caller authenticated and its scope
 * checked, and only then the body read - whole, within its limit and the request's deadline. Then
 * the handler runs in the connection's thread. Every answer carries Request-Id, nosniff and
 * no-store; every error is a problem document. A request that would leave unread bytes behind, or
 * is ambiguous, closes its connection. A watchdog shuts the socket of a client that is slower than
 * its deadline; a head that comes too slowly is answered 408, one that is too long 431.
 *
 * Health is answered by a second listener too (`health_port`), with threads of its own, so that it
 * answers while every worker is busy.
 */
#ifndef CHECKOUT_HTTP_SERVER_H
#define CHECKOUT_HTTP_SERVER_H

#include "shared/http/router.h"

struct server_settings {
    const char *address; /* "127.0.0.1" or "0.0.0.0" */
    int64_t port;
    int64_t health_port;        /* 0: none */
    int64_t threads;            /* connections served at once */
    int64_t body_max;           /* bytes; beyond, 413 before reading */
    int64_t request_timeout_ms; /* the deadline of one request, reading its body included */
    int64_t keep_alive_ms;
    const char *cors_origins; /* comma-separated, "" for none */
    const struct router *router;
    struct admission *admission; /* borrowed; NULL when every route is public */
};

struct server;

/* ERROR_CONFIGURATION when the port cannot be bound. Settings' texts are borrowed for its life. */
MUST_CHECK bool server_start(const struct server_settings *settings, struct server **out,
                             struct error *err);

/* The port it listens on: the real one when settings say 0. */
int64_t server_port(const struct server *server);

/* Stops accepting, closes idle connections, waits until no request is running or the deadline. */
void server_drain(struct server *server, struct deadline deadline);

/* Takes NULL. */
void server_stop(struct server *server);

/* True from server_drain() on: /readyz answers 503. */
bool server_is_draining(const struct server *server);

#endif
