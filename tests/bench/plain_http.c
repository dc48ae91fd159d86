/*
 * A plain handler: the HTTP server of the services, with one route that reads an order as the
 * order-service does, writes it back and stores nothing. What it answers in a second is what orders
 * could be if recording them cost nothing.
 *
 *     plain_http PORT
 */
#include "order-service/order_json.h"
#include "shared/http/server.h"
#include "shared/runtime/log.h"
#include "shared/runtime/service.h"

enum { THREADS = 256, BODY_MAX = 65536, REQUEST_MS = 5000, KEEP_ALIVE_MS = 15000 };

struct plain {
    struct router router;
    struct server_settings settings;
    struct server *server;
};

/* POST /v1/orders */
static bool post_order(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    struct json_writer json = { .out = &reply->body };

    (void)ctx;
    if (!order_draft_read(req->body, &draft, err))
        return false;
    struct instant now = clock_now();
    order_begin(&draft.order, id_create(now), now, 0);
    order_write(&json, &draft.order);
    return reply_json(reply, HTTP_CREATED);
}

static const struct route routes[] = {
    { HTTP_POST, "/v1/orders", 0, ROUTE_PUBLIC | ROUTE_BODY, post_order },
};

static bool start_server(void *self, struct error *err)
{
    struct plain *plain = self;

    return server_start(&plain->settings, &plain->server, err);
}

static void drain_server(void *self, struct deadline deadline)
{
    struct plain *plain = self;

    server_drain(plain->server, deadline);
}

static void stop_server(void *self)
{
    struct plain *plain = self;

    server_stop(plain->server);
}

int main(int argc, char **argv)
{
    struct plain plain = { .server = NULL };
    const struct service_part parts[] = {
        { "server", &plain, start_server, drain_server, stop_server },
    };

    if (argc != 2) {
        fprintf(stderr, "plain_http PORT\n");
        return EXIT_FAILURE;
    }
    log_start("plain-http", "0", LOG_LEVEL_INFO);
    service_prepare();
    router_add(&plain.router, routes, COUNT_OF(routes), &plain);
    plain.settings = (struct server_settings){ .address = "127.0.0.1",
                                               .port = strtol(argv[1], NULL, 10),
                                               .threads = THREADS,
                                               .body_max = BODY_MAX,
                                               .request_timeout_ms = REQUEST_MS,
                                               .keep_alive_ms = KEEP_ALIVE_MS,
                                               .cors_origins = "",
                                               .router = &plain.router };
    return service_run(parts, COUNT_OF(parts));
}
