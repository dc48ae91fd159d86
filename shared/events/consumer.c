#include "shared/events/consumer.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/events/consumer_batch.h"
#include "shared/events/lease.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

enum {
    CONSUMER_QUERY_MS = 3000,
    CONSUMER_PULL_MS = 5000,  /* one page of the feed */
    CONSUMER_IDLE_MS = 200,   /* how often the loop turns when nothing happens */
    CONSUMER_BACKOFF_MS = 500 /* after the weather turned bad */
};

STATEMENT(consumer_position_select, "any",
          "SELECT sequence FROM consumer_position WHERE source = $1 AND stream = $2");
STATEMENT(consumer_position_create, "any",
          "INSERT INTO consumer_position (source, stream) VALUES ($1, $2) ON CONFLICT DO NOTHING");

struct consumer {
    struct consumer_settings settings;
    pthread_t thread;
    bool joined;
    int wake; /* eventfd: stop */
    atomic_bool stopping;
    atomic_bool leading, broker_up, database_up; /* for the health check */
    _Atomic int64_t shown_lag;

    /* The thread's own. */
    struct connection *connection;
    struct deadline next_connect;
    struct mqtt *mqtt; /* the leader's only */
    struct client *client;
    struct lease lease;
    int64_t position;
    int64_t head;         /* of the producer's log, as last told */
    bool position_known;
    bool pull_due;
    struct deadline pull_not_before;
    struct deadline ask_head_at;
    size_t count;
    struct arrival arrivals[CONSUMER_BATCH_MAX];
    struct metric *applied, *duplicates, *pulled, *dead, *lease_changes, *position_metric, *lag;
};

/* ---- What arrives ------------------------------------------------------------------------- */

static void on_message(void *ctx, const char *topic, struct span payload)
{
    struct consumer *consumer = ctx;
    struct arrival *arrival = &consumer->arrivals[consumer->count];

    assert(consumer->count < CONSUMER_BATCH_MAX);
    if (!arrival_read(&consumer->settings, topic, payload, arrival))
        arrival_release(arrival);
    else
        consumer->count++;
}

static void on_subscribed(void *ctx)
{
    struct consumer *consumer = ctx;

    /* What was published before the subscription is only in the log. */
    consumer->pull_due = true;
}

static void on_connected(void *ctx)
{
    struct consumer *consumer = ctx;

    atomic_store(&consumer->broker_up, true);
    for (const char *const *filter = consumer->settings.filters; *filter != NULL; filter++)
        if (!mqtt_subscribe(consumer->mqtt, *filter))
            log_warning("could not subscribe", LOG_TEXT("filter", *filter));
}

static void on_disconnected(void *ctx)
{
    struct consumer *consumer = ctx;

    atomic_store(&consumer->broker_up, false);
    log_warning("broker connection lost");
}

static void release_arrivals(struct arrival *arrivals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        arrival_release(&arrivals[i]);
}

static struct mqtt *make_mqtt(struct consumer *consumer)
{
    char client_id[96];

    text_format(client_id, sizeof(client_id), "%s-from-%s", consumer->settings.service,
                consumer->settings.source.service);
    return mqtt_create(&(struct mqtt_settings){
        .host = consumer->settings.mqtt_host,
        .port = consumer->settings.mqtt_port,
        .username = consumer->settings.mqtt_username,
        .password = consumer->settings.mqtt_password,
        .client_id = client_id,
        .ctx = consumer,
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
    });
}

/* ---- The database ------------------------------------------------------------------------- */

static void lose_database(struct consumer *consumer)
{
    connection_close(consumer->connection);
    consumer->connection = NULL;
    consumer->next_connect = deadline_in_ms(CONSUMER_BACKOFF_MS);
    consumer->position_known = false;
    atomic_store(&consumer->database_up, false);
}

static bool connect_database(struct consumer *consumer)
{
    struct error err;

    if (consumer->connection != NULL && connection_is_usable(consumer->connection))
        return true;
    if (!deadline_passed(consumer->next_connect))
        return false;
    lose_database(consumer);
    if (!connection_open(consumer->settings.connection_string, deadline_in_ms(CONSUMER_QUERY_MS),
                         &consumer->connection, &err)) {
        log_swallowed(LOG_LEVEL_WARNING, "consumer can not reach its database", &err);
        return false;
    }
    consumer->lease.renew_at = deadline_in_ms(0);
    atomic_store(&consumer->database_up, true);
    return true;
}

static bool load_position(struct consumer *consumer, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows created = ROWS_EMPTY;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct deadline deadline = deadline_in_ms(CONSUMER_QUERY_MS);

    if (consumer->position_known)
        return true;
    parameters_begin(&parameters);
    parameters_add_text(&parameters, consumer->settings.source.service);
    parameters_add_integer(&parameters, consumer->settings.stream);
    if (!connection_query(consumer->connection, &consumer_position_create, &parameters, deadline,
                          &created, err) ||
        !connection_query(consumer->connection, &consumer_position_select, &parameters, deadline,
                          &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    consumer->position = row_integer(&row, "sequence");
    consumer->position_known = true;
    consumer->pull_due = true;
    return true;
}

/* Nothing is acknowledged, and everything is read again after a pause. */
static void back_off(struct consumer *consumer, const struct error *err)
{
    if (!atomic_load(&consumer->stopping))
        log_swallowed(LOG_LEVEL_WARNING, "consumer backs off", err);
    consumer->position_known = false;
    consumer->pull_not_before = deadline_in_ms(CONSUMER_BACKOFF_MS);
    if (!connection_is_usable(consumer->connection))
        lose_database(consumer);
    else
        consumer->next_connect = deadline_in_ms(CONSUMER_BACKOFF_MS);
}

/* ---- Effects ------------------------------------------------------------------------------ */

static void show_progress(struct consumer *consumer, int64_t position)
{
    consumer->position = position;
    if (consumer->head < position)
        consumer->head = position;
    atomic_store(&consumer->shown_lag, consumer->head - position);
    metric_set(consumer->position_metric, position);
    metric_set(consumer->lag, consumer->head - position);
}

static struct batch_context context_of(const struct consumer *consumer)
{
    return (struct batch_context){ &consumer->settings, consumer->connection, consumer->position };
}

/* What was committed is announced at once. */
static void note_commit(struct consumer *consumer, int64_t position, size_t applied)
{
    metric_add(consumer->applied, (int64_t)applied);
    show_progress(consumer, position);
    if (consumer->settings.on_commit != NULL)
        consumer->settings.on_commit(consumer->settings.on_commit_ctx, consumer->settings.stream);
}

/* With `moves`, it stands next in the sequence and the position moves past it. */
static bool bury(struct consumer *consumer, const struct arrival *arrival, bool moves,
                 struct error *err)
{
    struct batch_context context = context_of(consumer);
    enum apply_outcome outcome = batch_bury(&context, arrival, moves, err);

    if (outcome != APPLY_DONE)
        return outcome == APPLY_FENCED
                   ? error_set(err, ERROR_TRANSIENT, "fenced", "another leader was here")
                   : false;
    metric_add(consumer->dead, 1);
    log_error("event became a dead letter", LOG_TEXT("reason", arrival->reason),
              LOG_TEXT("detail", arrival->detail), LOG_INTEGER("sequence", arrival->sequence));
    if (moves)
        show_progress(consumer, arrival->sequence);
    return true;
}

static bool bury_poison(struct consumer *consumer, struct arrival *arrival, struct error *err)
{
    text_copy(arrival->reason, sizeof(arrival->reason),
              err->kind == ERROR_DATA ? "data_refused" : err->code);
    text_copy(arrival->detail, sizeof(arrival->detail),
              err->field_count > 0 ? err->fields[0].detail : err->detail);
    return bury(consumer, arrival, true, err);
}

/* Consecutive valid arrivals: together if possible, else one by one, so that only the poison is
 * put aside. */
static bool apply_run(struct consumer *consumer, struct arrival **run, size_t count,
                      struct error *err)
{
    struct batch_context context = context_of(consumer);
    enum apply_outcome outcome =
        batch_apply(&context, (const struct arrival *const *)run, count, err);

    switch (outcome) {
    case APPLY_DONE:
        note_commit(consumer, run[count - 1]->sequence, count);
        return true;
    case APPLY_FENCED:
        return error_set(err, ERROR_TRANSIENT, "fenced", "another leader was here");
    case APPLY_POISON:
        if (count == 1)
            return bury_poison(consumer, run[0], err);
        for (size_t i = 0; i < count; i++)
            if (!apply_run(consumer, &run[i], 1, err))
                return false;
        return true;
    case APPLY_WEATHER:
    default:
        return false;
    }
}

static int compare_arrivals(const void *a, const void *b)
{
    const struct arrival *const *left = a, *const *right = b;

    return ((*left)->sequence > (*right)->sequence) - ((*left)->sequence < (*right)->sequence);
}

/*
 * Applies what continues the position and drops duplicates; at the first hole it stops. Arrivals
 * that are not valid are for the caller.
 */
static bool apply_in_order(struct consumer *consumer, struct arrival *arrivals, size_t count,
                           struct error *err)
{
    struct arrival *run[CONSUMER_BATCH_MAX], *sorted[CONSUMER_BATCH_MAX];
    size_t run_count = 0, valid_count = 0;
    int64_t next = consumer->position + 1;

    for (size_t i = 0; i < count; i++)
        if (arrivals[i].valid)
            sorted[valid_count++] = &arrivals[i];
    qsort(sorted, valid_count, sizeof(sorted[0]), compare_arrivals);
    for (size_t i = 0; i < valid_count; i++) {
        if (sorted[i]->sequence < next) {
            metric_add(consumer->duplicates, 1);
        } else if (sorted[i]->sequence == next) {
            run[run_count++] = sorted[i];
            next++;
        } else {
            consumer->pull_due = true;
            break;
        }
    }
    return run_count == 0 || apply_run(consumer, run, run_count, err);
}

/* What the bus brought. What is not valid is put aside, and the log is asked what was there. */
static bool consume_arrivals(struct consumer *consumer, struct error *err)
{
    if (!apply_in_order(consumer, consumer->arrivals, consumer->count, err))
        return false;
    for (size_t i = 0; i < consumer->count; i++) {
        if (consumer->arrivals[i].valid)
            continue;
        if (!bury(consumer, &consumer->arrivals[i], false, err))
            return false;
        consumer->pull_due = true;
    }
    return true;
}

/* ---- Pulling ------------------------------------------------------------------------------ */

/* The elements of a page, in their order: runs of valid ones, and between them the buried. */
static bool consume_page(struct consumer *consumer, struct arrival *arrivals, size_t count,
                         struct error *err)
{
    size_t start = 0;

    for (size_t i = 0; i <= count; i++) {
        if (i < count && arrivals[i].valid)
            continue;
        if (i > start && !apply_in_order(consumer, &arrivals[start], i - start, err))
            return false;
        if (i < count && !bury(consumer, &arrivals[i], true, err))
            return false;
        start = i + 1;
    }
    metric_add(consumer->pulled, (int64_t)count);
    return true;
}

static bool fetch(struct consumer *consumer, int64_t limit, struct feed_page *page,
                  struct error *err)
{
    if (!feed_fetch(consumer->client, &consumer->settings.source, consumer->settings.stream,
                    consumer->position, limit, deadline_in_ms(CONSUMER_PULL_MS), page, err))
        return false;
    consumer->head = page->head;
    show_progress(consumer, consumer->position);
    return true;
}

/* One page; what is left is pulled on the next turn, so that the lease is kept meanwhile. */
static bool pull(struct consumer *consumer, struct error *err)
{
    struct feed_page page;
    struct arrival *arrivals = NULL;

    if (!fetch(consumer, CONSUMER_BATCH_MAX, &page, err))
        return false;
    arrivals = memory_allocate_zeroed(page.count + 1, sizeof(*arrivals));
    for (size_t i = 0; i < page.count; i++)
        arrival_pull(&consumer->settings, &page.items[i], &arrivals[i]);
    bool done = consume_page(consumer, arrivals, page.count, err);
    if (done)
        consumer->pull_due = consumer->position < consumer->head;
    release_arrivals(arrivals, page.count);
    free(arrivals);
    feed_page_release(&page);
    return done;
}

/* A lost last event leaves no hole: what was the head a while ago must be reached by now. */
static bool ask_head(struct consumer *consumer, struct error *err)
{
    struct feed_page page;

    consumer->ask_head_at = deadline_in_ms(CONSUMER_HEAD_MS);
    consumer->pull_due |= consumer->position < consumer->head;
    if (!fetch(consumer, 1, &page, err))
        return false;
    feed_page_release(&page);
    return true;
}

/* The producer being away is no reason not to act on what the bus brings. */
static void follow_log(struct consumer *consumer)
{
    struct error err;
    bool well = true;

    if (!deadline_passed(consumer->pull_not_before))
        return;
    if (consumer->pull_due)
        well = pull(consumer, &err);
    else if (deadline_passed(consumer->ask_head_at))
        well = ask_head(consumer, &err);
    if (!well)
        back_off(consumer, &err);
}

/* ---- The loop ----------------------------------------------------------------------------- */

static void note_leadership(struct consumer *consumer)
{
    bool leading = lease_is_held(&consumer->lease);

    if (leading == atomic_load(&consumer->leading))
        return;
    atomic_store(&consumer->leading, leading);
    metric_add(consumer->lease_changes, 1);
    log_info(leading ? "consumer leads" : "consumer stands by",
             LOG_TEXT("source", consumer->settings.source.service));
    consumer->position_known = false;
    mqtt_destroy(consumer->mqtt);
    consumer->mqtt = leading ? make_mqtt(consumer) : NULL;
    atomic_store(&consumer->broker_up, false);
}

/* Takes in what is there, without letting acknowledgements out. */
static void read_arrivals(struct consumer *consumer)
{
    consumer->count = 0;
    while (consumer->count < CONSUMER_BATCH_MAX) {
        struct pollfd socket = { .fd = mqtt_socket(consumer->mqtt), .events = POLLIN };

        if (socket.fd < 0 || poll(&socket, 1, 0) <= 0)
            break;
        mqtt_read(consumer->mqtt);
    }
}

static void lead(struct consumer *consumer)
{
    struct error err;

    if (!load_position(consumer, &err)) {
        back_off(consumer, &err);
        return;
    }
    read_arrivals(consumer);
    bool done = consumer->count == 0 || consume_arrivals(consumer, &err);
    release_arrivals(consumer->arrivals, consumer->count);
    if (!done) {
        mqtt_drop(consumer->mqtt);
        back_off(consumer, &err);
        return;
    }
    mqtt_write(consumer->mqtt); /* committed: now the acknowledgements may go */
    follow_log(consumer);
    mqtt_tick(consumer->mqtt);
    mqtt_write(consumer->mqtt);
}

static int wait_ms(const struct consumer *consumer)
{
    int pull_ms = deadline_left_ms(consumer->pull_not_before);
    bool may_pull = consumer->connection != NULL && consumer->mqtt != NULL && consumer->pull_due;

    return may_pull && pull_ms < CONSUMER_IDLE_MS ? pull_ms : CONSUMER_IDLE_MS;
}

static void wait_for_work(struct consumer *consumer)
{
    struct pollfd polled[] = {
        { .fd = consumer->wake, .events = POLLIN },
        { .fd = consumer->mqtt != NULL ? mqtt_socket(consumer->mqtt) : -1, .events = POLLIN },
    };

    if (consumer->mqtt != NULL && mqtt_wants_write(consumer->mqtt))
        polled[1].events |= POLLOUT;
    (void)poll(polled, COUNT_OF(polled), wait_ms(consumer));
}

static void step(struct consumer *consumer)
{
    struct error err;

    if (!connect_database(consumer))
        return;
    if (!lease_keep(&consumer->lease, consumer->connection, deadline_in_ms(CONSUMER_QUERY_MS),
                    &err)) {
        back_off(consumer, &err);
        return;
    }
    note_leadership(consumer);
    if (consumer->mqtt != NULL)
        lead(consumer);
}

static void *run(void *ctx)
{
    struct consumer *consumer = ctx;

    while (!atomic_load(&consumer->stopping)) {
        wait_for_work(consumer);
        step(consumer);
    }
    mqtt_destroy(consumer->mqtt);
    if (consumer->connection != NULL)
        lease_release(&consumer->lease, consumer->connection, deadline_in_ms(CONSUMER_QUERY_MS));
    connection_close(consumer->connection);
    client_destroy(consumer->client);
    return NULL;
}

/* ---- Its life ----------------------------------------------------------------------------- */

static void make_metrics(struct consumer *consumer)
{
    char labels[96];

    text_format(labels, sizeof(labels), "source=\"%s\",stream=\"%d\"",
                consumer->settings.source.service, consumer->settings.stream);
    consumer->applied =
        metric_counter("checkout_consumer_applied_total", "Events that took effect", labels);
    consumer->duplicates = metric_counter("checkout_consumer_duplicates_total",
                                          "Events that had taken effect before", labels);
    consumer->pulled = metric_counter("checkout_consumer_pulled_total",
                                      "Events pulled from the producer's log", labels);
    consumer->dead =
        metric_counter("checkout_dead_letters_total", "Events put aside as dead letters", labels);
    consumer->lease_changes = metric_counter("checkout_consumer_lease_changes_total",
                                             "Times the lease was won or lost", labels);
    consumer->position_metric =
        metric_gauge("checkout_consumer_position", "The last event that took effect", labels);
    consumer->lag = metric_gauge("checkout_consumer_lag",
                                 "Events behind the producer's head as last told", labels);
}

struct consumer *consumer_create(const struct consumer_settings *settings)
{
    struct consumer *consumer = memory_allocate_zeroed(1, sizeof(*consumer));
    char name[LEASE_NAME_SIZE], holder[LEASE_HOLDER_SIZE];

    consumer->settings = *settings;
    text_format(name, sizeof(name), "consumer:%s:%d", settings->source.service, settings->stream);
    text_format(holder, sizeof(holder), "%.30s/%s", settings->instance,
                id_text(id_create(clock_now())).text);
    lease_init(&consumer->lease, name, holder);
    consumer->next_connect = deadline_in_ms(0);
    consumer->pull_not_before = deadline_in_ms(0);
    consumer->ask_head_at = deadline_in_ms(0);
    consumer->client = client_create();
    consumer->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(consumer->wake >= 0);
    make_metrics(consumer);
    int failed = pthread_create(&consumer->thread, NULL, run, consumer);
    assert(failed == 0);
    return consumer;
}

void consumer_drain(struct consumer *consumer, struct deadline deadline)
{
    uint64_t one = 1;

    /* What the thread is doing ends by deadlines of its own; the process is watched over. */
    (void)deadline;
    if (consumer->joined)
        return;
    atomic_store(&consumer->stopping, true);
    ssize_t written = write(consumer->wake, &one, sizeof(one));
    (void)written;
    pthread_join(consumer->thread, NULL);
    consumer->joined = true;
}

void consumer_destroy(struct consumer *consumer)
{
    if (consumer == NULL)
        return;
    consumer_drain(consumer, deadline_in_ms(0));
    close(consumer->wake);
    free(consumer);
}

bool consumer_check(void *ctx, char *note, size_t note_size)
{
    struct consumer *consumer = ctx;
    bool leading = atomic_load(&consumer->leading);
    bool broker = !leading || atomic_load(&consumer->broker_up);
    bool database = atomic_load(&consumer->database_up);

    text_format(note, note_size, "%s, lag %lld%s%s", leading ? "leader" : "standby",
                (long long)atomic_load(&consumer->shown_lag), broker ? "" : ", broker away",
                database ? "" : ", database away");
    return broker && database;
}

bool consumer_replay(struct consumer *consumer, struct span payload, struct write *also,
                     struct deadline deadline, struct error *err)
{
    AUTO(buffer_release) struct buffer storage = BUFFER_EMPTY;
    struct batch_context context = { .settings = &consumer->settings };
    enum apply_outcome outcome = APPLY_WEATHER;
    struct event event;

    if (!event_read(payload, consumer->settings.source.service, &storage, &event, err) ||
        !connection_open(consumer->settings.connection_string, deadline, &context.connection, err))
        return false;
    outcome = batch_replay(&context, &event, also, err);
    connection_close(context.connection);
    if (outcome == APPLY_FENCED)
        return error_set(err, ERROR_CONFLICT, "dead_letter_resolved", "it is not open any more");
    if (outcome == APPLY_DONE && consumer->settings.on_commit != NULL)
        consumer->settings.on_commit(consumer->settings.on_commit_ctx, event.stream);
    return outcome == APPLY_DONE;
}

const char *consumer_source(const struct consumer *consumer)
{
    return consumer->settings.source.service;
}
