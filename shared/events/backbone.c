#include "shared/events/backbone.h"

#include <poll.h>
#include <pthread.h>

#include "shared/crypto/hash.h"
#include "shared/events/answers.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

enum {
    START_DATABASE_MS = 10000, /* how long a start waits for its database */
    START_EVERY_MS = 100,
    PING_MS = 1000,
    PURGE_EVERY_MS = 60000,
    OBSERVE_EVERY_MS = 1000,
    WORKER_BACKOFF_MS = 1000,
};

STATEMENT(backbone_ping, "any", "SELECT count(*) AS count FROM streams");
STATEMENT(backbone_ping_access, "access", "SELECT count(*) AS count FROM merchants WHERE id = ''");

/* A worker and its thread. */
struct worker {
    struct backbone_worker what;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop;
    bool stopping;
};

struct backbone {
    const char *service;
    int argc;
    char **argv;
    struct backbone_settings settings;
    struct pool *pool, *access_pool;
    struct access_keys *keys;
    struct journal *journal;
    size_t stream_count;
    int streams[BACKBONE_STREAMS_MAX];
    struct relay *relays[BACKBONE_STREAMS_MAX];
    size_t consumption_count, consumer_count;
    struct backbone_consumption consumptions[BACKBONE_CONSUMERS_MAX];
    struct consumer *consumers[BACKBONE_CONSUMERS_MAX * BACKBONE_STREAMS_MAX];
    size_t worker_count, running_count;
    struct worker workers[BACKBONE_WORKERS_MAX];
    struct router router;
    struct feed feed;
    struct dead_letters letters;
    struct health health;
    struct server *server;
};

#define TEXT_AT(member)    offsetof(struct backbone_settings, member), sizeof(((struct backbone_settings *)0)->member)
#define INTEGER_AT(member) offsetof(struct backbone_settings, member), 0

static const struct setting settings_table[] = {
    { "LISTEN_ADDRESS", SETTING_TEXT, TEXT_AT(listen_address), "127.0.0.1", 0, 0,
      "address of the HTTP API" },
    { "PORT", SETTING_INTEGER, INTEGER_AT(port), NULL, 1, 65535, "port of the HTTP API" },
    { "HEALTH_PORT", SETTING_INTEGER, INTEGER_AT(health_port), "0", 0, 65535,
      "port that answers health and metrics only; 0: none" },
    { "HTTP_THREADS", SETTING_INTEGER, INTEGER_AT(http_threads), "256", 2, 4096,
      "connections served at once" },
    { "BODY_MAX", SETTING_INTEGER, INTEGER_AT(body_max), "65536", 1024, 1048576,
      "bytes of a request's body at most" },
    { "REQUEST_TIMEOUT_MS", SETTING_INTEGER, INTEGER_AT(request_timeout_ms), "5000", 100, 60000,
      "how long one request may take" },
    { "KEEP_ALIVE_MS", SETTING_INTEGER, INTEGER_AT(keep_alive_ms), "15000", 100, 600000,
      "how long an idle connection is kept" },
    { "CORS_ORIGINS", SETTING_TEXT, TEXT_AT(cors_origins), "", 0, 0,
      "origins that browsers may call from, comma-separated; empty: none" },
    { "DATABASE_URL", SETTING_SECRET, TEXT_AT(database_url), NULL, 0, 0,
      "Postgres of this service, as its service role" },
    { "ACCESS_DATABASE_URL", SETTING_SECRET, TEXT_AT(access_database_url), NULL, 0, 0,
      "Postgres of merchants and keys, as access_reader" },
    { "DATABASE_POOL_SIZE", SETTING_INTEGER, INTEGER_AT(database_pool_size), "8", 1, 100,
      "connections for reading" },
    { "JOURNAL_WRITERS", SETTING_INTEGER, INTEGER_AT(journal_writers), "2", 1, 16,
      "connections for writing, each committing batches" },
    { "JOURNAL_TIMEOUT_MS", SETTING_INTEGER, INTEGER_AT(journal_timeout_ms), "3000", 100, 60000,
      "how long one batch may take" },
    { "MQTT_HOST", SETTING_TEXT, TEXT_AT(mqtt_host), "127.0.0.1", 0, 0, "host of the broker" },
    { "MQTT_PORT", SETTING_INTEGER, INTEGER_AT(mqtt_port), "1883", 1, 65535,
      "port of the broker" },
    { "MQTT_USERNAME", SETTING_TEXT, TEXT_AT(mqtt_username), NULL, 0, 0, "login to the broker" },
    { "MQTT_PASSWORD", SETTING_SECRET, TEXT_AT(mqtt_password), NULL, 0, 0,
      "password to the broker" },
    { "INSTANCE", SETTING_TEXT, TEXT_AT(instance), "0", 0, 0,
      "name of this instance among those of the service" },
    { "STREAMS", SETTING_TEXT, TEXT_AT(streams), "0", 0, 0,
      "streams to serve, comma-separated" },
    { "LOG_LEVEL", SETTING_TEXT, TEXT_AT(log_level), "info", 0, 0,
      "debug, info, warning or error" },
    { "IDEMPOTENCY_RETENTION_S", SETTING_INTEGER, INTEGER_AT(idempotency_retention_s), "86400", 1,
      2592000, "how long an answer is kept for its Idempotency-Key" },
};

/* ---- Settings ----------------------------------------------------------------------------- */

static bool parse_streams(struct backbone *backbone, struct error *err)
{
    const char *at = backbone->settings.streams;

    while (*at != '\0') {
        size_t length = strcspn(at, ",");
        int64_t stream = 0;

        if (!number_parse((struct span){ at, length }, &stream) || stream < 0 ||
            stream > INT16_MAX || backbone->stream_count == BACKBONE_STREAMS_MAX)
            return error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                             "STREAMS: must be up to %d numbers, comma-separated",
                             BACKBONE_STREAMS_MAX);
        backbone->streams[backbone->stream_count++] = (int)stream;
        at += length + (at[length] == ',');
    }
    return backbone->stream_count > 0 ||
           error_set(err, ERROR_CONFIGURATION, "configuration_invalid", "STREAMS: is empty");
}

static bool parse_log_level(const struct backbone *backbone, enum log_level *out,
                            struct error *err)
{
    return log_level_parse(backbone->settings.log_level, out) ||
           error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                     "LOG_LEVEL: must be debug, info, warning or error");
}

static bool load_settings(struct backbone *backbone, const struct setting *settings, size_t count,
                          void *own, struct error *err)
{
    enum log_level level = LOG_LEVEL_INFO;

    if (!config_load(settings_table, COUNT_OF(settings_table), &backbone->settings, err) ||
        !config_load(settings, count, own, err) || !parse_streams(backbone, err) ||
        !parse_log_level(backbone, &level, err))
        return false;
    log_start(backbone->service, backbone->settings.instance, level);
    return true;
}

static bool has_argument(const struct backbone *backbone, const char *name)
{
    return backbone->argc > 1 && strcmp(backbone->argv[1], name) == 0;
}

static void print_settings(const struct setting *settings, size_t count)
{
    config_print(settings_table, COUNT_OF(settings_table), stdout);
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

    for (size_t i = 0; i < backbone->stream_count; i++)
        if (backbone->streams[i] == stream && backbone->relays[i] != NULL)
            relay_wake(backbone->relays[i]);
}

static void make_parts(struct backbone *backbone)
{
    const struct backbone_settings *settings = &backbone->settings;

    backbone->pool =
        pool_create("reads", settings->database_url, (size_t)settings->database_pool_size);
    backbone->access_pool = pool_create("access", settings->access_database_url, 2);
    backbone->keys = access_keys_create(backbone->access_pool);
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
    if (has_argument(backbone, "--routes"))
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

void backbone_add_worker(struct backbone *backbone, const struct backbone_worker *worker)
{
    assert(backbone->worker_count < BACKBONE_WORKERS_MAX);
    backbone->workers[backbone->worker_count++].what = *worker;
}

void backbone_consume(struct backbone *backbone, const struct backbone_consumption *consumption)
{
    assert(backbone->consumption_count < BACKBONE_CONSUMERS_MAX);
    backbone->consumptions[backbone->consumption_count++] = *consumption;
}

/* ---- Workers ------------------------------------------------------------------------------ */

/* True when it is time to stop. */
static bool pause_worker(struct worker *worker, int64_t ms)
{
    struct timespec until = deadline_timespec(deadline_in_ms(ms));
    bool stopping = false;

    pthread_mutex_lock(&worker->mutex);
    while (!worker->stopping &&
           pthread_cond_clockwait(&worker->stop, &worker->mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
    stopping = worker->stopping;
    pthread_mutex_unlock(&worker->mutex);
    return stopping;
}

static void *run_worker(void *ctx)
{
    struct worker *worker = ctx;
    int64_t wait_ms = 0;

    while (!pause_worker(worker, wait_ms)) {
        struct error err;
        bool more = false;

        if (worker->what.work(worker->what.ctx, &err, &more)) {
            wait_ms = more ? 0 : worker->what.every_ms;
        } else {
            log_swallowed(LOG_LEVEL_WARNING, worker->what.name, &err);
            wait_ms = WORKER_BACKOFF_MS;
        }
    }
    return NULL;
}

/* Forgets answers whose Idempotency-Key is too old. */
static bool purge_answers(void *ctx, struct error *err, bool *more)
{
    struct backbone *backbone = ctx;
    int64_t kept_ms = backbone->settings.idempotency_retention_s * 1000;

    return answers_purge(backbone->pool, instant_add_ms(clock_now(), -kept_ms),
                         deadline_in_ms(backbone->settings.request_timeout_ms), more, err);
}

/* The head of each log: what relays and consumers are measured against. */
static bool observe_heads(void *ctx, struct error *err, bool *more)
{
    struct backbone *backbone = ctx;

    *more = false;
    for (size_t i = 0; i < backbone->stream_count; i++) {
        char labels[32];
        int64_t head = 0;

        text_format(labels, sizeof(labels), "stream=\"%d\"", backbone->streams[i]);
        if (!event_log_head(backbone->pool, backbone->streams[i], deadline_in_ms(PING_MS), &head,
                            err))
            return false;
        metric_set(metric_gauge("checkout_event_log_head", "Highest sequence in the log", labels),
                   head);
    }
    return true;
}

static void add_own_workers(struct backbone *backbone)
{
    backbone_add_worker(backbone, &(struct backbone_worker){ "forget old answers", PURGE_EVERY_MS,
                                                             purge_answers, backbone });
    backbone_add_worker(backbone, &(struct backbone_worker){ "observe the log", OBSERVE_EVERY_MS,
                                                             observe_heads, backbone });
}

/* ---- Parts -------------------------------------------------------------------------------- */

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
    for (size_t i = 0; i < backbone->stream_count; i++)
        backbone->relays[i] = relay_create(&(struct relay_settings){
            .service = backbone->service,
            .instance = settings->instance,
            .connection_string = settings->database_url,
            .mqtt_host = settings->mqtt_host,
            .mqtt_port = settings->mqtt_port,
            .mqtt_username = settings->mqtt_username,
            .mqtt_password = settings->mqtt_password,
            .stream = backbone->streams[i],
        });
    return true;
}

static void drain_relays(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

    for (size_t i = 0; i < backbone->stream_count; i++)
        relay_drain(backbone->relays[i], deadline);
}

static void stop_relays(void *self)
{
    struct backbone *backbone = self;

    for (size_t i = 0; i < backbone->stream_count; i++)
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
        for (size_t j = 0; j < backbone->stream_count; j++) {
            struct consumer *consumer =
                make_consumer(backbone, &backbone->consumptions[i], backbone->streams[j]);

            backbone->consumers[backbone->consumer_count++] = consumer;
            if (j == 0) /* any of a source's consumers can replay its dead letters */
                backbone->letters.consumers[backbone->letters.consumer_count++] = consumer;
            health_add(&backbone->health, backbone->consumptions[i].source.service, false,
                       consumer, consumer_check);
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

    for (size_t i = 0; i < backbone->consumer_count; i++)
        consumer_destroy(backbone->consumers[i]);
}

static bool start_workers(void *self, struct error *err)
{
    struct backbone *backbone = self;

    (void)err;
    for (; backbone->running_count < backbone->worker_count; backbone->running_count++) {
        struct worker *worker = &backbone->workers[backbone->running_count];

        pthread_mutex_init(&worker->mutex, NULL);
        pthread_cond_init(&worker->stop, NULL);
        int failed = pthread_create(&worker->thread, NULL, run_worker, worker);
        assert(failed == 0);
    }
    return true;
}

static void drain_workers(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

    (void)deadline; /* each piece of work has one of its own */
    for (; backbone->running_count > 0; backbone->running_count--) {
        struct worker *worker = &backbone->workers[backbone->running_count - 1];

        pthread_mutex_lock(&worker->mutex);
        worker->stopping = true;
        pthread_cond_signal(&worker->stop);
        pthread_mutex_unlock(&worker->mutex);
        pthread_join(worker->thread, NULL);
    }
}

static void stop_workers(void *self)
{
    drain_workers(self, deadline_in_ms(0));
}

static bool start_server(void *self, struct error *err)
{
    struct backbone *backbone = self;
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
            .keys = backbone->keys,
        },
        &backbone->server, err);
}

static void drain_server(void *self, struct deadline deadline)
{
    struct backbone *backbone = self;

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

    for (size_t i = 0; i < backbone->stream_count && well; i++)
        well = relay_check(backbone->relays[i], note, note_size);
    return well;
}

static bool is_draining(void *ctx)
{
    struct backbone *backbone = ctx;

    return backbone->server != NULL && server_is_draining(backbone->server);
}

static void add_shared_routes(struct backbone *backbone)
{
    backbone->feed = (struct feed){ backbone->service, backbone->pool };
    backbone->letters = (struct dead_letters){ .pool = backbone->pool,
                                               .journal = backbone->journal };
    backbone->health = (struct health){ .service = backbone->service,
                                        .is_draining = is_draining,
                                        .is_draining_ctx = backbone };
    health_add(&backbone->health, "database", true, backbone, check_database);
    health_add(&backbone->health, "access", true, backbone, check_access);
    health_add(&backbone->health, "relay", false, backbone, check_relays);
    feed_add_routes(&backbone->feed, &backbone->router);
    dead_letters_add_routes(&backbone->letters, &backbone->router);
    health_add_routes(&backbone->health, &backbone->router);
}

static void destroy(struct backbone *backbone)
{
    journal_destroy(backbone->journal);
    access_keys_destroy(backbone->keys);
    pool_destroy(backbone->access_pool);
    pool_destroy(backbone->pool);
    free(backbone);
}

int backbone_run(struct backbone *backbone)
{
    const struct service_part parts[] = {
        { "database", backbone, start_databases, NULL, NULL },
        { "relay", backbone, start_relays, drain_relays, stop_relays },
        { "journal", backbone, NULL, drain_journal, NULL },
        { "consumer", backbone, start_consumers, drain_consumers, stop_consumers },
        { "worker", backbone, start_workers, drain_workers, stop_workers },
        { "server", backbone, start_server, drain_server, stop_server },
    };

    add_shared_routes(backbone);
    if (has_argument(backbone, "--routes")) {
        router_print(&backbone->router, stdout);
        free(backbone);
        return EXIT_DRAINED;
    }
    add_own_workers(backbone);
    int exit_code = service_run(parts, COUNT_OF(parts));
    destroy(backbone);
    return exit_code;
}
