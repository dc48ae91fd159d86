/* Bank simulator: wires the parts; README.md says what it plays. */
#include <poll.h>

#include "payment-service/bank-simulator/bank_challenge.h"
#include "payment-service/bank-simulator/bank_control_http.h"
#include "payment-service/bank-simulator/bank_duties.h"
#include "payment-service/bank-simulator/bank_http.h"
#include "payment-service/bank-simulator/bank_soap.h"
#include "payment-service/bank-simulator/bank_webhooks.h"
#include "shared/crypto/hash.h"
#include "shared/db/connection_string.h"
#include "shared/http/client.h"
#include "shared/http/health.h"
#include "shared/http/server.h"
#include "shared/runtime/config.h"
#include "shared/runtime/log.h"
#include "shared/runtime/service.h"
#include "shared/soap/envelope.h"

enum {
    START_DATABASE_MS = 10000, /* how long a start waits for its database */
    START_PORT_MS = 5000,      /* ... and for its ports */
    START_EVERY_MS = 100,
    PING_MS = 1000,
    BATCH_MS = 3000, /* for one batch of the journal */
    BODY_MAX = 65536,
};

STATEMENT(bank_ping, "bank", "SELECT count(*) AS count FROM duties WHERE due_at < '2000-01-01'");

struct settings {
    char listen_address[64];
    int64_t port, health_port, http_threads, request_timeout_ms, keep_alive_ms;
    char database_url[1024];
    int64_t database_pool_size, journal_writers;
    char log_level_text[16], instance[40];
    char bank_key[256], control_key[256];
    char webhook_url[512], webhook_secret[128], public_url[256];
    int64_t latency_ms;
    enum log_level log_level;
};

#define TEXT(name, member, fallback, help)                               \
    {                                                                    \
        name, SETTING_TEXT, offsetof(struct settings, member),           \
            sizeof(((struct settings *)0)->member), fallback, 0, 0, help \
    }
#define SECRET(name, member, help)                                   \
    {                                                                \
        name, SETTING_SECRET, offsetof(struct settings, member),     \
            sizeof(((struct settings *)0)->member), NULL, 0, 0, help \
    }
#define INTEGER(name, member, fallback, min, max, help)                                       \
    {                                                                                         \
        name, SETTING_INTEGER, offsetof(struct settings, member), 0, fallback, min, max, help \
    }

static const struct setting settings_table[] = {
    TEXT("LISTEN_ADDRESS", listen_address, "127.0.0.1", "address of the HTTP API"),
    INTEGER("PORT", port, NULL, 1, 65535, "port of the HTTP API"),
    INTEGER("HEALTH_PORT", health_port, "0", 0, 65535,
            "port that answers health and metrics only; 0: none"),
    INTEGER("HTTP_THREADS", http_threads, "256", 2, 4096, "connections served at once"),
    INTEGER("REQUEST_TIMEOUT_MS", request_timeout_ms, "35000", 100, 60000,
            "how long one request may take, scripted faults included"),
    INTEGER("KEEP_ALIVE_MS", keep_alive_ms, "15000", 100, 600000,
            "how long an idle connection is kept"),
    SECRET("DATABASE_URL", database_url, "Postgres of the bank, as its service role"),
    INTEGER("DATABASE_POOL_SIZE", database_pool_size, "8", 1, 100, "connections for reading"),
    INTEGER("JOURNAL_WRITERS", journal_writers, "2", 1, 16,
            "connections for writing, each committing batches"),
    TEXT("LOG_LEVEL", log_level_text, "info", "debug, info, warning or error"),
    TEXT("INSTANCE", instance, "0", "name of this instance in logs"),
    SECRET("BANK_KEY", bank_key, "key that callers of any bank send"),
    SECRET("CONTROL_KEY", control_key, "key of the control API"),
    TEXT("WEBHOOK_URL", webhook_url, "http://127.0.0.1:8082/v1/provider_webhooks/{bank}/{account}",
         "where webhooks are posted; {bank} and {account} are filled in"),
    SECRET("WEBHOOK_SECRET", webhook_secret, "what webhooks are signed with, whsec_..."),
    TEXT("PUBLIC_URL", public_url, "http://127.0.0.1:8084",
         "what addresses of challenges begin with"),
    INTEGER("LATENCY_MS", latency_ms, "0", 0, 10000, "how much longer each call takes"),
};

/* Everything there is, bottom up. */
struct simulator {
    struct settings settings;
    struct pool *pool;
    struct journal *journal;
    struct faults *faults;
    struct calls *calls;
    struct letters *letters;
    struct webhooks *webhooks;
    struct desk *desk;
    struct duties *duties;
    struct door *door;
    struct control control;
    struct router router;
    struct health health;
    struct server *server;
    _Atomic bool draining;
};

/* ---- Making --------------------------------------------------------------------------------- */

static bool load_settings(struct settings *settings, struct error *err)
{
    if (!config_load(settings_table, COUNT_OF(settings_table), settings, err) ||
        !connection_string_check("DATABASE_URL", settings->database_url, err))
        return false;
    if (!log_level_parse(settings->log_level_text, &settings->log_level))
        return error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                         "LOG_LEVEL: must be debug, info, warning or error");
    log_start("bank-simulator", settings->instance, settings->log_level);
    return true;
}

/* All that can be wrong with the settings is known after this. */
static bool prepare(struct simulator *simulator, struct error *err)
{
    const struct settings *settings = &simulator->settings;

    if (!load_settings(&simulator->settings, err))
        return false;
    service_prepare();
    bool started = crypto_start() && client_library_start() && soap_library_start();
    assert(started);
    return letters_create(settings->webhook_url, settings->webhook_secret, &simulator->letters,
                          err);
}

static void make_book(struct simulator *simulator)
{
    const struct settings *settings = &simulator->settings;

    simulator->pool =
        pool_create("reads", settings->database_url, (size_t)settings->database_pool_size);
    simulator->journal = journal_create(&(struct journal_settings){
        .connection_string = settings->database_url,
        .appender = &bank_book_appender,
        .writers = (size_t)settings->journal_writers,
        .batch_timeout_ms = BATCH_MS,
    });
}

static void make_bank(struct simulator *simulator)
{
    const struct settings *settings = &simulator->settings;
    const struct bank_book book = { simulator->pool, simulator->journal };

    simulator->faults = faults_create();
    simulator->calls = calls_create();
    simulator->webhooks = webhooks_create(&book, simulator->letters);
    simulator->desk = desk_create(&(struct desk_settings){
        .book = book,
        .faults = simulator->faults,
        .public_url = settings->public_url,
        .post = webhooks_post(simulator->webhooks),
    });
    simulator->door = door_create(&(struct door_settings){
        .desk = simulator->desk,
        .faults = simulator->faults,
        .calls = simulator->calls,
        .bank_key = settings->bank_key,
        .latency_ms = settings->latency_ms,
    });
    simulator->control = (struct control){
        .key = settings->control_key,
        .desk = simulator->desk,
        .door = simulator->door,
        .faults = simulator->faults,
        .calls = simulator->calls,
        .letters = simulator->letters,
    };
}

static void destroy(struct simulator *simulator)
{
    door_destroy(simulator->door);
    desk_destroy(simulator->desk);
    webhooks_destroy(simulator->webhooks);
    letters_destroy(simulator->letters);
    calls_destroy(simulator->calls);
    faults_destroy(simulator->faults);
    journal_destroy(simulator->journal);
    pool_destroy(simulator->pool);
}

/* ---- Health --------------------------------------------------------------------------------- */

static bool ping(struct simulator *simulator, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    return db_query(simulator->pool, &bank_ping, NULL, deadline_in_ms(PING_MS), &rows, err);
}

static bool check_database(void *ctx, char *note, size_t note_size)
{
    struct error err;
    bool well = ping(ctx, &err);

    text_copy(note, note_size, well ? "ok" : err.detail);
    return well;
}

static bool is_draining(void *ctx)
{
    struct simulator *simulator = ctx;

    return simulator->draining;
}

static void add_routes(struct simulator *simulator)
{
    simulator->health = (struct health){ .service = "bank-simulator",
                                         .is_draining = is_draining,
                                         .is_draining_ctx = simulator };
    health_add(&simulator->health,
               &(struct health_check){ "database", true, simulator, check_database });
    bank_http_add_routes(&simulator->router, simulator->door);
    bank_soap_add_routes(&simulator->router, simulator->door);
    bank_challenge_add_routes(&simulator->router, simulator->desk);
    bank_control_http_add_routes(&simulator->router, &simulator->control);
    health_add_routes(&simulator->health, &simulator->router);
}

/* ---- Parts ---------------------------------------------------------------------------------- */

/* Reachable and migrated: the statement names a table of the bank's. */
static bool start_database(void *self, struct error *err)
{
    struct deadline deadline = deadline_in_ms(START_DATABASE_MS);

    while (!ping(self, err)) {
        if (deadline_passed(deadline))
            return error_set(err, ERROR_UNAVAILABLE, "database_unavailable",
                             "the database is not there, or not migrated");
        (void)poll(NULL, 0, START_EVERY_MS);
    }
    return true;
}

static void drain_journal(void *self, struct deadline deadline)
{
    struct simulator *simulator = self;

    journal_drain(simulator->journal, deadline);
}

static bool start_webhooks(void *self, struct error *err)
{
    struct simulator *simulator = self;

    (void)err;
    webhooks_start(simulator->webhooks);
    return true;
}

static void stop_webhooks(void *self)
{
    struct simulator *simulator = self;

    webhooks_stop(simulator->webhooks);
}

/* The queue is kept: what is not posted now is posted after the next start. */
static void drain_webhooks(void *self, struct deadline deadline)
{
    (void)deadline; /* each post has one of its own */
    stop_webhooks(self);
}

static bool start_duties(void *self, struct error *err)
{
    struct simulator *simulator = self;

    (void)err;
    simulator->duties = duties_start(simulator->desk);
    return true;
}

static void stop_duties(void *self)
{
    struct simulator *simulator = self;

    duties_stop(simulator->duties);
    simulator->duties = NULL;
}

static void drain_duties(void *self, struct deadline deadline)
{
    (void)deadline; /* each has one of its own */
    stop_duties(self);
}

static bool try_server(struct simulator *simulator, struct error *err)
{
    const struct settings *settings = &simulator->settings;

    return server_start(
        &(struct server_settings){
            .address = settings->listen_address,
            .port = settings->port,
            .health_port = settings->health_port,
            .threads = settings->http_threads,
            .body_max = BODY_MAX,
            .request_timeout_ms = settings->request_timeout_ms,
            .keep_alive_ms = settings->keep_alive_ms,
            .cors_origins = "",
            .router = &simulator->router,
        },
        &simulator->server, err);
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

/* Whoever is held waits for nothing any more. */
static void drain_server(void *self, struct deadline deadline)
{
    struct simulator *simulator = self;

    simulator->draining = true;
    door_close(simulator->door);
    server_drain(simulator->server, deadline);
}

static void stop_server(void *self)
{
    struct simulator *simulator = self;

    server_stop(simulator->server);
}

static int run(struct simulator *simulator)
{
    const struct service_part parts[] = {
        { "database", simulator, start_database, NULL, NULL },
        { "journal", simulator, NULL, drain_journal, NULL },
        { "webhooks", simulator, start_webhooks, drain_webhooks, stop_webhooks },
        { "duties", simulator, start_duties, drain_duties, stop_duties },
        { "server", simulator, start_server, drain_server, stop_server },
    };

    return service_run(parts, COUNT_OF(parts));
}

/* What the program tells about itself, having touched nothing; false when it was not asked to. */
static bool tell(struct simulator *simulator, const char *argument)
{
    if (strcmp(argument, "--settings") == 0 || strcmp(argument, "--help") == 0)
        config_print(settings_table, COUNT_OF(settings_table), stdout);
    else if (strcmp(argument, "--statements") == 0)
        statements_print(stdout);
    else if (strcmp(argument, "--routes") == 0)
        router_print(&simulator->router, stdout);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct simulator simulator = { .pool = NULL };
    struct error err;

    if (argc > 1) {
        add_routes(&simulator);
        if (tell(&simulator, argv[1]))
            return EXIT_DRAINED;
        simulator.router.count = 0;
    }
    if (!prepare(&simulator, &err)) {
        fprintf(stderr, "bank-simulator: %s\n", err.detail);
        return EXIT_CONFIGURATION;
    }
    make_book(&simulator);
    make_bank(&simulator);
    add_routes(&simulator);
    int exit_code = run(&simulator);
    destroy(&simulator);
    return exit_code;
}
