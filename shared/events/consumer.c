#include "shared/events/consumer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/events/consumer_private.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"

STATEMENT(consumer_position_select, "any",
          "SELECT sequence FROM consumer_position WHERE source = $1 AND stream = $2");
STATEMENT(consumer_position_create, "any",
          "INSERT INTO consumer_position (source, stream) VALUES ($1, $2) ON CONFLICT DO NOTHING");

/* ---- What arrives ------------------------------------------------------------------------- */

static void on_message(void *ctx, const char *topic, struct span payload)
{
    struct consumer *consumer = ctx;
    struct arrival *arrival = &consumer->arrivals[consumer->count];

    assert(consumer->count < CONSUMER_BATCH_MAX);
    if (!arrival_read(&consumer->settings, topic, payload, arrival)) {
        arrival_release(arrival);
        return;
    }
    if (consumer->count++ == 0)
        consumer->commit_by = deadline_in_ms(CONSUMER_PATIENCE_MS);
    if (!arrival->may_wait)
        consumer->commit_by = deadline_in_ms(0);
}

static void on_subscribed(void *ctx)
{
    struct consumer *consumer = ctx;

    /* What was published before the subscription is only in the log. */
    consumer->pull_due = true;
    atomic_store(&consumer->hears_bus, true);
}

/* Nothing is known of it until it is connected again. */
static void forget_bus(struct consumer *consumer)
{
    atomic_store(&consumer->broker_up, false);
    atomic_store(&consumer->hears_bus, false);
    consumer->subscribe_due = false;
}

static void on_connected(void *ctx)
{
    struct consumer *consumer = ctx;

    atomic_store(&consumer->broker_up, true);
    atomic_store(&consumer->hears_bus, false);
    consumer->subscribe_due = true;
    consumer->ask_head_at = deadline_in_ms(0); /* how far behind is it by now? */
}

/*
 * Who is far behind reads the log first: what the bus brought meanwhile would be in it as well. Who
 * is far ahead of the bus would be sent what it knows.
 */
static void subscribe(struct consumer *consumer)
{
    if (!consumer->subscribe_due || consumer->far_behind || consumer->far_ahead ||
        !mqtt_is_connected(consumer->mqtt))
        return;
    consumer->subscribe_due = false;
    for (const char *const *filter = consumer->settings.filters; *filter != NULL; filter++)
        if (!mqtt_subscribe(consumer->mqtt, *filter))
            log_warning("could not subscribe", LOG_TEXT("filter", *filter));
}

static void on_disconnected(void *ctx)
{
    struct consumer *consumer = ctx;

    forget_bus(consumer);
    log_warning("broker connection lost");
}

static void release_arrivals(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->count; i++)
        arrival_release(&consumer->arrivals[i]);
    consumer->count = 0;
}

/* Forgets the connection, and what it brought and was not acknowledged: it comes again. */
static void drop_bus(struct consumer *consumer)
{
    release_arrivals(consumer);
    if (consumer->mqtt != NULL)
        mqtt_drop(consumer->mqtt);
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

/* Without a database nothing can take effect: what the bus brings would only wake the loop. */
static void lose_database(struct consumer *consumer)
{
    drop_bus(consumer);
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

    parameters_begin(&parameters);
    parameters_add_text(&parameters, consumer->settings.source.service);
    parameters_add_integer(&parameters, consumer->settings.stream);
    if (!connection_query(consumer->connection, &consumer_position_create, &parameters, deadline,
                          &created, err) ||
        !connection_query(consumer->connection, &consumer_position_select, &parameters, deadline,
                          &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    consumer_show_progress(consumer, row_integer(&row, "sequence"));
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
    drop_bus(consumer);
    if (!connection_is_usable(consumer->connection))
        lose_database(consumer);
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
    release_arrivals(consumer);
    if (!leading)
        consumer_show_standby(consumer);
    mqtt_destroy(consumer->mqtt);
    consumer->mqtt = leading ? make_mqtt(consumer) : NULL;
    forget_bus(consumer);
}

/* Takes in what is there, without letting acknowledgements out. */
static void read_arrivals(struct consumer *consumer)
{
    while (consumer->count < CONSUMER_BATCH_MAX) {
        struct pollfd socket = { .fd = mqtt_socket(consumer->mqtt), .events = POLLIN };

        if (socket.fd < 0 || poll(&socket, 1, 0) <= 0)
            break;
        mqtt_read(consumer->mqtt);
    }
}

/* Before the log is asked as well: what it would tell may be here already. */
static bool commit_is_due(const struct consumer *consumer)
{
    return consumer->count >= CONSUMER_PATIENCE_COUNT || consumer->pull_due ||
           deadline_passed(consumer->commit_by);
}

static bool apply_arrivals(struct consumer *consumer, struct error *err)
{
    read_arrivals(consumer);
    if (consumer->count == 0 || !commit_is_due(consumer))
        return true;
    CRASH_POINT("consumer:after_read");
    bool done = consumer_apply_arrivals(consumer, err);
    release_arrivals(consumer);
    if (done)
        CRASH_POINT("consumer:before_acknowledgement");
    return done;
}

static void lead(struct consumer *consumer)
{
    struct error err;

    if (!consumer->position_known && !load_position(consumer, &err)) {
        back_off(consumer, &err);
        return;
    }
    if (!apply_arrivals(consumer, &err)) {
        back_off(consumer, &err);
        return;
    }
    if (consumer->count > 0) /* they wait for others, and nothing may be acknowledged */
        return;
    mqtt_write(consumer->mqtt); /* committed: now the acknowledgements may go */
    if (!consumer_follow_log(consumer, &err)) {
        back_off(consumer, &err);
        return;
    }
    mqtt_tick(consumer->mqtt);
    subscribe(consumer);
    mqtt_write(consumer->mqtt);
}

static int wait_ms(const struct consumer *consumer)
{
    int pull_ms = deadline_left_ms(consumer->pull_not_before);
    bool may_pull = consumer->connection != NULL && consumer->mqtt != NULL && consumer->pull_due;

    if (consumer->count > 0)
        return deadline_left_ms(consumer->commit_by);
    return may_pull && pull_ms < CONSUMER_IDLE_MS ? pull_ms : CONSUMER_IDLE_MS;
}

static void take_wake(struct consumer *consumer)
{
    uint64_t count;
    ssize_t taken = read(consumer->wake, &count, sizeof(count));

    (void)taken;
    if (atomic_exchange(&consumer->pull_asked, false)) /* by who knows that something is there */
        consumer_miss(consumer);
}

static void wait_for_work(struct consumer *consumer)
{
    struct pollfd polled[] = {
        { .fd = consumer->wake, .events = POLLIN },
        { .fd = consumer->mqtt != NULL ? mqtt_socket(consumer->mqtt) : -1, .events = POLLIN },
    };

    if (consumer->mqtt != NULL && consumer->count == 0 && mqtt_wants_write(consumer->mqtt))
        polled[1].events |= POLLOUT;
    if (poll(polled, COUNT_OF(polled), wait_ms(consumer)) > 0 && polled[0].revents != 0)
        take_wake(consumer);
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
    release_arrivals(consumer);
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
    const char *labels = consumer->labels;

    text_format(consumer->labels, sizeof(consumer->labels), "source=\"%s\",stream=\"%d\"",
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
    consumer->lag =
        metric_gauge("checkout_consumer_lag",
                     "Events behind the producer's head as last told; 0 on a standby", labels);
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
    consumer->glance_ms = CONSUMER_GLANCE_MS;
    consumer->client = client_create();
    consumer->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(consumer->wake >= 0);
    make_metrics(consumer);
    int failed = pthread_create(&consumer->thread, NULL, run, consumer);
    assert(failed == 0);
    return consumer;
}

static void wake(struct consumer *consumer)
{
    uint64_t one = 1;
    ssize_t written = write(consumer->wake, &one, sizeof(one));

    (void)written;
}

void consumer_wake(struct consumer *consumer)
{
    atomic_store(&consumer->pull_asked, true);
    wake(consumer);
}

void consumer_drain(struct consumer *consumer, struct deadline deadline)
{
    /* What the thread is doing ends by deadlines of its own; the process is watched over. */
    (void)deadline;
    if (consumer->joined)
        return;
    atomic_store(&consumer->stopping, true);
    wake(consumer);
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
    bool cut = atomic_load(&consumer->log_cut);
    bool deaf = leading && broker && !atomic_load(&consumer->hears_bus);

    text_format(note, note_size, "%s, lag %lld%s%s%s%s", leading ? "leader" : "standby",
                (long long)atomic_load(&consumer->shown_lag), broker ? "" : ", broker away",
                deaf ? ", reads the log only" : "", database ? "" : ", database away",
                cut ? ", its log was cut" : "");
    return broker && database && !cut;
}

bool consumer_replay(struct consumer *consumer, struct span payload, struct write *also,
                     struct deadline deadline, struct error *err)
{
    AUTO(buffer_release) struct buffer storage = BUFFER_EMPTY;
    struct consumer_settings settings = consumer->settings;
    struct batch_context context = { .settings = &settings };
    enum apply_outcome outcome = APPLY_WEATHER;
    struct event event;

    settings.stream = also->stream; /* a letter of any stream may come here */
    if (!event_read(payload, settings.source.service, &storage, &event, err) ||
        !connection_open(settings.connection_string, deadline, &context.connection, err))
        return false;
    outcome = batch_replay(&context, &event, also, err);
    connection_close(context.connection);
    if (outcome == APPLY_FENCED)
        return error_set(err, ERROR_CONFLICT, "dead_letter_resolved", "it is not open any more");
    if (outcome == APPLY_DONE && settings.on_commit != NULL)
        settings.on_commit(settings.on_commit_ctx, event.stream);
    return outcome == APPLY_DONE;
}

const char *consumer_source(const struct consumer *consumer)
{
    return consumer->settings.source.service;
}
