#include "shared/http/server.h"

#include "shared/http/listener.h"
#include "shared/runtime/log.h"

/* Enough for whoever asks about health, and few enough not to matter. */
enum { HEALTH_THREADS = 4 };

/* How long kept connections may stay when draining begins: their clients learn it with an answer.
 */
enum { GRACE_MS = 1000 };

struct server {
    struct server_settings settings;
    struct sockets *sockets;
    struct watchdog *watchdog;
    struct traffic *traffic;
    struct listener main;
    struct listener health;
    _Atomic bool draining;
};

static bool create_helpers(struct server *server, struct error *err)
{
    server->sockets = sockets_create();
    server->watchdog = server->sockets ? watchdog_create(server->sockets) : NULL;
    server->traffic = traffic_create(server->settings.router);
    if (server->watchdog)
        return true;
    return error_set(err, ERROR_INTERNAL, "server_failed",
                     "cannot list descriptors or start a thread");
}

static bool start_listener(struct server *server, struct listener *listener, int64_t port,
                           int64_t threads, struct error *err)
{
    listener->settings = &server->settings;
    listener->traffic = server->traffic;
    listener->watchdog = server->watchdog;
    listener->sockets = server->sockets;
    return listener_start(listener, port, threads, err);
}

/* Health first: it tells that the rest is not there yet. */
static bool start_listeners(struct server *server, struct error *err)
{
    const struct server_settings *settings = &server->settings;

    server->health.health_only = true;
    if (settings->health_port != 0 &&
        !start_listener(server, &server->health, settings->health_port, HEALTH_THREADS, err))
        return false;
    return start_listener(server, &server->main, settings->port, settings->threads, err);
}

bool server_start(const struct server_settings *settings, struct server **out, struct error *err)
{
    struct server *server = memory_allocate_zeroed(1, sizeof(*server));

    server->settings = *settings;
    if (!create_helpers(server, err) || !start_listeners(server, err)) {
        server_stop(server);
        return false;
    }
    *out = server;
    return true;
}

int64_t server_port(const struct server *server)
{
    return server->main.port;
}

/* A client that is told "close" with its answer asks elsewhere; one that asks nothing is cut off.
 */
void server_drain(struct server *server, struct deadline deadline)
{
    struct gate *gate = &server->main.gate;

    server->draining = true;
    if (!server->main.context)
        return;
    gate_set(gate, GATE_DRAINING);
    (void)gate_wait_for_connections(gate, deadline_earlier(deadline, deadline_in_ms(GRACE_MS)));
    gate_set(gate, GATE_CLOSED);
    if (gate_wait_for_requests(gate, deadline))
        listener_stop(&server->main); /* nobody is inside, and nobody comes in any more */
    else
        log_warning("requests are still running at the end of draining");
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    listener_stop(&server->main);
    listener_stop(&server->health);
    traffic_destroy(server->traffic);
    watchdog_destroy(server->watchdog);
    sockets_destroy(server->sockets);
    free(server);
}

bool server_is_draining(const struct server *server)
{
    return server->draining;
}
