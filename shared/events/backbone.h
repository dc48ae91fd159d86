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
#include "shared/events/worker.h"
#include "shared/http/health.h"
#include "shared/http/server.h"
#include "shared/runtime/config.h"
#include "shared/runtime/service.h"

enum { BACKBONE_CONSUMERS_MAX = 4, BACKBONE_WORKERS_MAX = 8 };

/* What the service consumes; texts are borrowed for the backbone's life. */
struct backbone_consumption {
    struct feed_source source;
    const char *const *filters;
    const struct consumed_type *types;
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

/* True when the process only prints its routes: settings were not read, and nothing is started. */
bool backbone_only_prints(const struct backbone *backbone);

/* For the service's stores and use cases; valid while the backbone lives. */
struct pool *backbone_pool(struct backbone *backbone);
struct journal *backbone_journal(struct backbone *backbone);

void backbone_add_routes(struct backbone *backbone, const struct route *routes, size_t count,
                         void *ctx);
void backbone_add_worker(struct backbone *backbone, const struct work *work);
void backbone_consume(struct backbone *backbone, const struct backbone_consumption *consumption);

/*
 * Waits until everything that `source`, which this service consumes, had in its log when this was
 * called has taken effect here; see follow.h. Any thread, while it runs.
 */
MUST_CHECK bool backbone_follow(struct backbone *backbone, const char *source, int stream,
                                struct deadline deadline, bool *reached, struct error *err);

/* Starts everything, runs until a signal, drains, stops, frees; returns the exit code. Handles
 * --routes and --statements. */
int backbone_run(struct backbone *backbone);

#endif
