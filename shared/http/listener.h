/*
 * Listener: one port, and the library's threads behind it.
 */
#ifndef CHECKOUT_HTTP_LISTENER_H
#define CHECKOUT_HTTP_LISTENER_H

#include "shared/http/gate.h"
#include "shared/http/server.h"
#include "shared/http/sockets.h"
#include "shared/http/traffic.h"
#include "shared/http/watchdog.h"

struct mg_context; /* the library's own */

/* Bytes that the head of a request may have. */
enum { LISTENER_HEAD_SIZE = 16384 };

struct listener {
    const struct server_settings *settings;
    struct traffic *traffic;
    struct watchdog *watchdog;
    struct sockets *sockets;
    bool health_only; /* serves the routes of health, and nothing else */

    struct mg_context *context; /* NULL while it is not listening */
    uint16_t port;              /* the real one, when 0 was asked for */
    struct gate gate;
    struct guard guard;
};

/*
 * Listens with what the first fields say. ERROR_CONFIGURATION when the port cannot be bound; the
 * listener is then as if it never started.
 */
MUST_CHECK bool listener_start(struct listener *listener, int64_t port, int64_t threads,
                               struct error *err);

/* Stops accepting, ends idle connections, joins all threads. May be called again. */
void listener_stop(struct listener *listener);

#endif
