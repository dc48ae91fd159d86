/*
 * Backbone: the parts that every service stands on, wired once.
 *
 * Database pool, access keys, journal, relays, feed, dead letters, health and the HTTP server, with
 * their settings. A service's main() declares its own settings, adds its routes and consumers, and
 * hands over:
 *
 *     int main(int argc, char **argv)
 *     {
 *         ... backbone_load() ... backbone_add_routes() ... backbone_consume() ...
 *         return backbone_run(&backbone);
 *     }
 *
 * `--settings` prints the settings, `--routes` the route table, `--statements` the SQL.
 */
#ifndef CHECKOUT_EVENTS_BACKBONE_H
#define CHECKOUT_EVENTS_BACKBONE_H

#include "shared/db/journal.h"
#include "shared/events/consumer.h"
#include "shared/events/dead_letters.h"
#include "shared/events/feed.h"
#include "shared/events/relay.h"
#include "shared/http/health.h"
#include "shared/http/server.h"
#include "shared/runtime/config.h"
#include "shared/runtime/service.h"

enum {
    BACKBONE_STREAMS_MAX = 8,
    BACKBONE_CONSUMERS_MAX = 4,
    BACKBONE_WORKERS_MAX = 8,
    BACKBONE_TEXT_SIZE = 1024,
    BACKBONE_SERVICE_SETTINGS_MAX = 16,
};

struct backbone_settings {
    char listen_address[64];
    int64_t port, health_port, http_threads, body_max, request_timeout_ms, keep_alive_ms;
    char cors_origins[BACKBONE_TEXT_SIZE];
    char database_url[BACKBONE_TEXT_SIZE], access_database_url[BACKBONE_TEXT_SIZE];
    int64_t database_pool_size, journal_writers, journal_timeout_ms;
    char mqtt_host[256];
    int64_t mqtt_port;
    char mqtt_username[128], mqtt_password[256];
    char instance[40], streams[64], log_level[16];
    int64_t idempotency_retention_s;
};

/* Something done again and again in a thread of its own: expiring, purging. */
struct backbone_worker {
    const char *name;
    int64_t every_ms;
    /* Returns true when there is more to do at once. Logs are the backbone's business. */
    bool (*work)(void *ctx, struct error *err, bool *more);
    void *ctx;
};

struct backbone_consumption {
    struct feed_source source;
    const char *const *filters;
    const char *const *types;
    event_handler *handle;
    void *ctx;
};

struct backbone;

/*
 * Loads the backbone's settings and the service's own (into `own`). Handles --settings and exits;
 * exits with EXIT_CONFIGURATION when a setting is wrong. From main(), before anything else.
 */
struct backbone *backbone_load(const char *service, int argc, char **argv,
                               const struct setting *settings, size_t count, void *own);

/* For the service's stores and use cases; valid while the backbone lives. The journal starts with
 * backbone_run(), so it is reached through this function when it is needed. */
struct pool *backbone_pool(struct backbone *backbone);
struct journal *backbone_journal(struct backbone *backbone);

void backbone_add_routes(struct backbone *backbone, const struct route *routes, size_t count,
                         void *ctx);
void backbone_add_worker(struct backbone *backbone, const struct backbone_worker *worker);
void backbone_consume(struct backbone *backbone, const struct backbone_consumption *consumption);

/* Starts everything, runs until a signal, drains, stops, frees; returns the exit code. Handles
 * --routes and --statements. */
int backbone_run(struct backbone *backbone);

#endif
