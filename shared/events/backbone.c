#include "shared/events/backbone.h"

#include <poll.h>
#include <stdatomic.h>

#include "shared/crypto/hash.h"
#include "shared/events/answers.h"
#include "shared/events/backbone_settings.h"
#include "shared/events/dead_letter.h"
#include "shared/events/follow.h"
#include "shared/http/admission.h"
#include "shared/http/document.h"
#include "shared/http/key.h"
#include "shared/http/trace_export.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

enum {
    START_DATABASE_MS = 10000, /* how long a start waits for its database */
    START_PORT_MS = 5000,      /* ... and for its ports */
    START_EVERY_MS = 100,
    PING_MS = 1000,
    PURGE_EVERY_MS = 60000,
    OBSERVE_EVERY_MS = 1000,
};

/* Its own three (database, access, relay) and each consumer. */
_Static_assert(3 + BACKBONE_CONSUMERS_MAX * BACKBONE_STREAMS_MAX <= HEALTH_CHECKS_MAX,
               "each part has room for its health check");

STATEMENT(backbone_ping, "any", "SELECT count(*) AS count FROM streams");
STATEMENT(backbone_ping_access, "access", "SELECT count(*) AS count FROM merchants WHERE id = ''");

struct backbone {
    const char *service;
    int argc;
    char **argv;
    struct backbone_settings settings;
    struct pool *pool, *access_pool;
    struct access_keys *keys;
    struct admission *admission;
    struct journal *journal;
    struct relay *relays[BACKBONE_STREAMS_MAX];
    size_t consumption_count, consumer_count;
    struct backbone_consumption consumptions[BACKBONE_CONSUMERS_MAX];
    struct consumer *consumers[BACKBONE_CONSUMERS_MAX * BACKBONE_STREAMS_MAX];
    struct follow *follows[BACKBONE_CONSUMERS_MAX * BACKBONE_STREAMS_MAX]; /* of the same index */
    size_t work_count, worker_count;
    struct work works[BACKBONE_WORKERS_MAX];
    struct worker *workers[BACKBONE_WORKERS_MAX];
    struct router router;
    struct feed feed;
    struct dead_letters letters;
    struct health health;
    struct server *server;
    struct trace_export *trace_export; /* NULL: nobody collects traces */
    atomic_bool draining; /* asked by requests, which may come before `server` is set */
};

static bool has_argument(const struct backbone *backbone, const char *name)
{
    return backbone->argc > 1 && strcmp(backbone->argv[1], name) == 0;
}

bool backbone_only_prints(const struct backbone *backbone)
{
    return has_argument(backbone, "--routes");
}

static bool load_settings(struct backbone *backbone, const struct setting *settings, size_t count,
                          void *own, struct error *err)
{
    if (!crash_points_check(err) || !backbone_settings_load(&backbone->settings, err) ||
        !config_load(settings, count, own, err))
        return false;
    log_start(backbone->service, backbone->settings.instance, backbone->settings.log_level);
    return true;
}

static void print_settings(const struct setting *settings, size_t count)
{
    backbone_settings_print(stdout);
    config_print(settings, count, stdout);
    exit(EXIT_SUCCESS);
}

static void start_libraries(void)
{
    bool started = crypto_start() && client_library_start() && mqtt_library_start();

    assert(started);
}

static void wake_relay(void *ctx, int stream)
{
    struct backbone *backbone = ctx;

    for (size_t i = 0; i < backbone->settings.stream_count; i++)
        if (backbone->settings.streams[i] == stream && backbone->relays[i] != NULL)
            relay_wake(backbone->relays[i]);
}

static void make_parts(struct backbone *backbone)
{
    const struct backbone_settings *settings = &backbone->settings;

    backbone->pool =
        pool_create("reads", settings->database_url, (size_t)settings->database_pool_size);
    backbone->access_pool = pool_create("access", settings->access_database_url, 2);
    backbone->keys = access_keys_create(backbone->access_pool);
    backbone->admission = admission_create(&(struct admission_settings){
        .keys = backbone->keys,
        .proxies = settings->trusted_proxies,
        .auth_failures_max = settings->auth_failures_max,
        .rate_per_key = settings->rate_limit_per_key,
    });
    backbone->journal = journal_create(&(struct journal_settings){
        .connection_string = settings->database_url,
        .appender = event_log_appender(),
        .writers = (size_t)settings->journal_writers,
        .batch_timeout_ms = settings->journal_timeout_ms,
        .on_commit = wake_relay,
        .on_commit_ctx = backbone,
    });
}

struct backbone *backbone_load(const char *service, int argc, char **argv,
                               const struct setting *settings, size_t count, void *own)
{
    struct backbone *backbone = memory_allocate_zeroed(1, sizeof(*backbone));
    struct error err;

    backbone->service = service;
    backbone->argc = argc;
    backbone->argv = argv;
    if (has_argument(backbone, "--settings") || has_argument(backbone, "--help"))
        print_settings(settings, count);
    if (has_argument(backbone, "--statements")) {
        statements_print(stdout);
        exit(EXIT_SUCCESS);
    }
    if (has_argument(backbone, "--crash-points")) {
        crash_points_print(stdout);
        exit(EXIT_SUCCESS);
    }
    if (backbone_only_prints(backbone))
        return backbone; /* its routes are added and printed; nothing is started */
    if (!load_settings(backbone, settings, count, own, &err)) {
        fprintf(stderr, "%s: %s\n", service, err.detail);
        exit(EXIT_CONFIGURATION);
    }
    service_prepare();
    start_libraries();
    make_parts(backbone);
    return backbone;
}

/* ---- What a service adds ------------------------------------------------------------------ */

struct pool *backbone_pool(struct backbone *backbone)
{
    return backbone->pool;
}

struct journal *backbone_journal(struct backbone *backbone)
{
    return backbone->journal;
}

void backbone_add_routes(struct backbone *backbone, const struct route *routes, size_t count,
                         void *ctx)
{
    router_add(&backbone->router, routes, count, ctx);
}

void backbone_add_worker(struct backbone *backbone, const struct work *work)
{
    assert(backbone->work_count < BACKBONE_WORKERS_MAX);
    backbone->works[backbone->work_count++] = *work;
}

void backbone_consume(struct backbone *backbone, const struct backbone_consumption *consumption)
{
    assert(backbone->consumption_count < BACKBONE_CONSUMERS_MAX);
    backbone->consumptions[backbone->consumption_count++] = *consumption;
}

/* ---- Its own workers ----------------------------------------------------------------------- */

/* Forgets answers whose Idempotency-Key is too old. */
static bool purge_answers(void *ctx, struct error *err, bool *more)
{
    struct backbone *backbone = ctx;

    return answers_purge(backbone->pool, backbone->settings.idempotency_retention_s,
                         deadline_in_ms(backbone->settings.request_timeout_ms), more, err);
}

/* The head of each log: what relays and consumers are measured against. */
static bool observe_heads(const struct backbone *backbone, struct error *err)
{
    for (size_t i = 0; i < backbone->settings.stream_count; i++) {
        char labels[32];
        struct event_extent extent;

        text_format(labels, sizeof(labels), "stream=\"%d\"", backbone->settings.streams[i]);
        if (!event_log_extent(backbone->pool, backbone->settings.streams[i],
                              deadline_in_ms(PING_MS), &extent, err))
            return false;
        metric_set(metric_gauge("checkout_event_log_head", "Highest sequence in the log", labels),
                   extent.head);
    }
    return true;
}

static bool observe_dead_letters(const struct backbone *backbone, struct error *err)
{
    int64_t open = 0;

    if (!dead_letter_count(backbone->pool, deadline_in_ms(PING_MS), &open, err))
        return false;
    metric_set(metric_gauge("checkout_dead_letters_open",
                            "Dead letters that nobody has replayed or discarded; 1000 is or more",
                            ""),
               open);
    return true;
}

/* What is stored, for the metrics. */
static bool observe(void *ctx, struct error *err, bool *more)
{
    *more = false;
    return observe_heads(ctx, err) && observe_dead_letters(ctx, err);
}

static void add_own_workers(struct backbone *backbone)
{
    backbone_add_worker(
        backbone, &(struct work){ "forget old answers", PURGE_EVERY_MS, purge_answers, backbone });
    backbone_add_worker(backbone,
                        &(struct work){ "observe the log", OBSERVE_EVERY_MS, observe, backbone });
}

/* ---- Parts -------------------------------------------------------------------------------- */

/* Before what is traced, and after it. */
static bool start_traces(void *self, struct error *err)
{
    struct backbone *backbone = self;
    const struct backbone_settings *settings = &backbone->settings;

    (void)err;
    if (settings->traces_endpoint[0] != '\0')
        backbone->trace_export = trace_export_start(&(struct trace_export_settings){
            .endpoint = settings->traces_endpoint,
            .service = backbone->service,
            .instance = settings->instance,
        });
    return true;
}

static void stop_traces(void *self)
{
    struct backbone *backbone = self;

    trace_export_stop(backbone->trace_export);
}

static bool ping(struct pool *pool, const struct statement *statement, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    return db_query(pool, statement, NULL, deadline_in_ms(PING_MS), &rows, err);
}

/* Reachable and migrated: the statement names a table of ours. */
static bool await_database(struct pool *pool, const struct statement *statement, struct error *err)
{
    struct deadline deadline = deadline_in_ms(START_DATABASE_MS);

    while (!ping(pool, statement, err)) {
        if (deadline_passed(deadline))
            return error_set(err, ERROR_UNAVAILABLE, "database_unavailable",
                             "the database is not there, or not migrated");
        (void)poll(NULL, 0, START_EVERY_MS);
    }
    return true;
}

static bool start_databases(void *self, struct error *err)
{
    struct backbone *backbone = self;

    return await_database(backbone->pool, &backbone_ping, err) &&
           await_database(backbone->access_pool, &backbone_ping_access, err);
}

static bool start_relays(void *self, struct error *err)
{
    struct backbone *backbone = self;
    const struct backbone_settings *settings = &backbone->settings;

    (void)err;
    for (size_t i = 0; i < backbone->settings.stream_count; i++)
        backbone->relays[i] = relay_create(&(struct relay_settings){
            .service = backbone->service,
            .instance = settings->instance,
            .connection_string = settings->database_url,
            .mqtt_host = settings->mqtt_host,
            .mqtt_port = settings->mqtt_port,
            .mqtt_username = settings->mqtt_username,
            .mqtt_password = settings->mqtt_password,
            .stream = backbone->settings.streams[i],
        });
    return true;
}

static void drain_relays(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

    for (size_t i = 0; i < backbone->settings.stream_count; i++)
        relay_drain(backbone->relays[i], deadline);
}

static void stop_relays(void *self)
{
    struct backbone *backbone = self;

    for (size_t i = 0; i < backbone->settings.stream_count; i++)
        relay_destroy(backbone->relays[i]);
}

static void drain_journal(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

    journal_drain(backbone->journal, deadline);
}

static struct consumer *make_consumer(struct backbone *backbone,
                                      const struct backbone_consumption *what, int stream)
{
    const struct backbone_settings *settings = &backbone->settings;

    return consumer_create(&(struct consumer_settings){
        .service = backbone->service,
        .instance = settings->instance,
        .source = what->source,
        .filters = what->filters,
        .types = what->types,
        .stream = stream,
        .connection_string = settings->database_url,
        .mqtt_host = settings->mqtt_host,
        .mqtt_port = settings->mqtt_port,
        .mqtt_username = settings->mqtt_username,
        .mqtt_password = settings->mqtt_password,
        .handle = what->handle,
        .handle_ctx = what->ctx,
        .on_commit = wake_relay,
        .on_commit_ctx = backbone,
    });
}

static bool start_consumers(void *self, struct error *err)
{
    struct backbone *backbone = self;

    (void)err;
    for (size_t i = 0; i < backbone->consumption_count; i++) {
        for (size_t j = 0; j < backbone->settings.stream_count; j++) {
            struct consumer *consumer =
                make_consumer(backbone, &backbone->consumptions[i], backbone->settings.streams[j]);

            backbone->follows[backbone->consumer_count] =
                follow_create(&backbone->consumptions[i].source, backbone->settings.streams[j],
                              backbone->pool, consumer);
            backbone->consumers[backbone->consumer_count++] = consumer;
            if (j == 0) /* any of a source's consumers can replay its dead letters */
                backbone->letters.consumers[backbone->letters.consumer_count++] = consumer;
            health_add(&backbone->health,
                       &(struct health_check){ .name = backbone->consumptions[i].source.service,
                                               .ctx = consumer,
                                               .check = consumer_check });
        }
    }
    return true;
}

static void drain_consumers(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

    for (size_t i = 0; i < backbone->consumer_count; i++)
        consumer_drain(backbone->consumers[i], deadline);
}

static void stop_consumers(void *self)
{
    struct backbone *backbone = self;

    for (size_t i = 0; i < backbone->consumer_count; i++) {
        follow_destroy(backbone->follows[i]);
        consumer_destroy(backbone->consumers[i]);
    }
}

bool backbone_follow(struct backbone *backbone, const char *source, int stream,
                     struct deadline deadline, bool *reached, struct error *err)
{
    for (size_t i = 0; i < backbone->consumer_count; i++) {
        size_t of = i / backbone->settings.stream_count, at = i % backbone->settings.stream_count;

        if (strcmp(backbone->consumptions[of].source.service, source) == 0 &&
            backbone->settings.streams[at] == stream)
            return follow_wait(backbone->follows[i], deadline, reached, err);
    }
    return error_set(err, ERROR_UNAVAILABLE, "source_unavailable",
                     "This instance does not serve stream %d.", stream);
}

static bool start_workers(void *self, struct error *err)
{
    struct backbone *backbone = self;

    (void)err;
    for (size_t i = 0; i < backbone->work_count; i++)
        backbone->workers[backbone->worker_count++] = worker_start(&backbone->works[i]);
    return true;
}

static void drain_workers(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

    (void)deadline; /* each piece of work has one of its own */
    for (size_t i = 0; i < backbone->worker_count; i++)
        worker_end(backbone->workers[i]);
    for (; backbone->worker_count > 0; backbone->worker_count--)
        worker_stop(backbone->workers[backbone->worker_count - 1]);
}

static void stop_workers(void *self)
{
    drain_workers(self, deadline_in_ms(0));
}

static bool try_server(struct backbone *backbone, struct error *err)
{
    const struct backbone_settings *settings = &backbone->settings;

    return server_start(
        &(struct server_settings){
            .address = settings->listen_address,
            .port = settings->port,
            .health_port = settings->health_port,
            .threads = settings->http_threads,
            .body_max = settings->body_max,
            .request_timeout_ms = settings->request_timeout_ms,
            .keep_alive_ms = settings->keep_alive_ms,
            .cors_origins = settings->cors_origins,
            .router = &backbone->router,
            .admission = backbone->admission,
        },
        &backbone->server, err);
}

/* A predecessor that was killed holds its ports until the last of its threads has ended. */
static bool start_server(void *self, struct error *err)
{
    struct deadline deadline = deadline_in_ms(START_PORT_MS);

    while (!try_server(self, err)) {
        if (deadline_passed(deadline))
            return false;
        (void)poll(NULL, 0, START_EVERY_MS);
    }
    return true;
}

static void drain_server(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

    atomic_store(&backbone->draining, true);
    server_drain(backbone->server, deadline);
}

static void stop_server(void *self)
{
    struct backbone *backbone = self;

    server_stop(backbone->server);
}

/* ---- Health ------------------------------------------------------------------------------- */

static bool check_database(void *ctx, char *note, size_t note_size)
{
    struct backbone *backbone = ctx;
    struct error err;
    bool well = ping(backbone->pool, &backbone_ping, &err);

    text_copy(note, note_size, well ? "ok" : err.detail);
    return well;
}

static bool check_access(void *ctx, char *note, size_t note_size)
{
    struct backbone *backbone = ctx;
    struct error err;
    bool well = ping(backbone->access_pool, &backbone_ping_access, &err);

    text_copy(note, note_size, well ? "ok" : err.detail);
    return well;
}

static bool check_relays(void *ctx, char *note, size_t note_size)
{
    struct backbone *backbone = ctx;
    bool well = true;

    for (size_t i = 0; i < backbone->settings.stream_count && well; i++)
        well = relay_check(backbone->relays[i], note, note_size);
    return well;
}

static bool is_draining(void *ctx)
{
    struct backbone *backbone = ctx;

    return atomic_load(&backbone->draining);
}

static void add_shared_routes(struct backbone *backbone)
{
    const struct health_check checks[] = { { "database", true, backbone, check_database },
                                           { "access", true, backbone, check_access },
                                           { "relay", false, backbone, check_relays } };

    backbone->feed = (struct feed){ backbone->service, backbone->pool };
    backbone->letters =
        (struct dead_letters){ .pool = backbone->pool, .journal = backbone->journal };
    backbone->health = (struct health){ .service = backbone->service,
                                        .is_draining = is_draining,
                                        .is_draining_ctx = backbone };
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        health_add(&backbone->health, &checks[i]);
    feed_add_routes(&backbone->feed, &backbone->router);
    dead_letters_add_routes(&backbone->letters, &backbone->router);
    key_add_routes(&backbone->router);
    document_add_routes(&backbone->router);
    health_add_routes(&backbone->health, &backbone->router);
}

static void destroy(struct backbone *backbone)
{
    journal_destroy(backbone->journal);
    admission_destroy(backbone->admission);
    access_keys_destroy(backbone->keys);
    pool_destroy(backbone->access_pool);
    pool_destroy(backbone->pool);
    free(backbone);
}

int backbone_run(struct backbone *backbone)
{
    const struct service_part parts[] = {
        { "traces", backbone, start_traces, NULL, stop_traces },
        { "database", backbone, start_databases, NULL, NULL },
        { "relay", backbone, start_relays, drain_relays, stop_relays },
        { "journal", backbone, NULL, drain_journal, NULL },
        { "consumer", backbone, start_consumers, drain_consumers, stop_consumers },
        { "worker", backbone, start_workers, drain_workers, stop_workers },
        { "server", backbone, start_server, drain_server, stop_server },
    };

    add_shared_routes(backbone);
    if (backbone_only_prints(backbone)) {
        router_print(&backbone->router, stdout);
        free(backbone);
        return EXIT_DRAINED;
    }
    add_own_workers(backbone);
    int exit_code = service_run(parts, COUNT_OF(parts));
    destroy(backbone);
    return exit_code;
}
