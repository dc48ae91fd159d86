#include "shared/events/relay.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/events/lease.h"
#include "shared/events/relay_spans.h"
#include "shared/events/relay_window.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

/* One statement of the relay; a database that is slower than this is away. */
enum { RELAY_QUERY_MS = 3000 };

/* Between attempts to reach a database that is away. */
enum { RELAY_RECONNECT_MS = 500 };

/* When nothing is in flight the position is stored, but not after every small batch. */
enum { RELAY_STORE_MS = 50 };

/* Only forward, and only by the leader: a frozen one that wakes up moves nothing. */
STATEMENT(relay_position_select, "any", "SELECT sequence FROM relay_position WHERE stream = $1");
STATEMENT(relay_position_move, "any",
          "UPDATE relay_position SET sequence = $2 WHERE stream = $1 AND sequence < $2 "
          "AND EXISTS (SELECT 1 FROM leases WHERE name = $3 AND holder = $4) RETURNING stream");
STATEMENT(relay_position_create, "any",
          "INSERT INTO relay_position (stream) VALUES ($1) ON CONFLICT DO NOTHING");

/*
 * Between pages, so that events share a page, a turn of the broker and a transaction of those who
 * follow. The more there are, the more may wait for each other, and all cost less. Nobody waits
 * behind an event that came alone, nor behind a page that was full.
 */
enum { RELAY_PAUSE_MAX_MS = 20, RELAY_EVENTS_PER_MS = 2 };

struct relay {
    struct relay_settings settings;
    pthread_t thread;
    bool joined;
    int wake; /* eventfd: there may be something to publish, or to stop for */
    atomic_bool stopping;
    _Atomic int64_t stop_at_ms;                  /* drain until this deadline */
    atomic_bool leading, broker_up, database_up; /* for the health check */

    /* The thread's own. */
    struct connection *connection;
    struct deadline next_connect;
    struct mqtt *mqtt;
    struct lease lease;
    bool position_known;
    bool start_over; /* the broker could not take one: publish again on a new connection */
    bool more;       /* the last page was full, or the log was not looked at yet */
    bool draining;   /* and was told to look once more */
    struct deadline poll_log_at, next_page;
    int64_t stored; /* relay_position */
    struct deadline store_not_before;
    struct relay_window window;
    char labels[40]; /* of its metrics */
    struct metric *published, *refused, *in_flight, *lease_changes;
    struct metric *position; /* NULL until it is known */
    struct relay_spans *spans;
    char presence_topic[EVENT_TOPIC_SIZE];
};

/* ---- What the broker says ------------------------------------------------------------------ */

static void pass_refused(struct relay *relay, int64_t sequence)
{
    metric_add(relay->refused, 1);
    log_error("broker refused an event for good; it stays in the log",
              LOG_INTEGER("sequence", sequence), LOG_INTEGER("stream", relay->settings.stream));
}

static void on_published(void *ctx, int message, enum mqtt_published how)
{
    struct relay *relay = ctx;
    int64_t sequence = relay_window_find(&relay->window, message);

    if (sequence == 0) /* the presence, or from before a reconnect */
        return;
    if (how == MQTT_PUBLISH_FAILED) {
        relay->start_over = true;
        return;
    }
    if (how == MQTT_PUBLISH_REFUSED)
        pass_refused(relay, sequence);
    else
        metric_add(relay->published, 1);
    relay_span_end(relay->spans, sequence, how == MQTT_PUBLISH_REFUSED);
    relay_window_land(&relay->window, message);
}

/* What was in flight is read and published again. */
static void forget_flights(struct relay *relay)
{
    relay_window_forget(&relay->window);
    relay->more = true;
}

static void on_connected(void *ctx)
{
    struct relay *relay = ctx;
    static const char online[] = "{\"status\":\"online\"}";
    int message = 0;

    atomic_store(&relay->broker_up, true);
    forget_flights(relay);
    /* Who watches the presence topic learns of us; the last will says the contrary. */
    if (mqtt_publish(relay->mqtt,
                     &(struct mqtt_message){ .topic = relay->presence_topic,
                                             .payload = span_of(online),
                                             .content_type = "application/json",
                                             .retain = true },
                     &message) != MQTT_PUBLISH_QUEUED)
        log_warning("presence could not be announced");
}

static void on_disconnected(void *ctx)
{
    struct relay *relay = ctx;

    atomic_store(&relay->broker_up, false);
    forget_flights(relay);
    log_warning("broker connection lost");
}

/* ---- The database ------------------------------------------------------------------------- */

static void lose_database(struct relay *relay, const struct error *err)
{
    log_swallowed(LOG_LEVEL_WARNING, "relay can not reach its database", err);
    connection_close(relay->connection);
    relay->connection = NULL;
    relay->next_connect = deadline_in_ms(RELAY_RECONNECT_MS);
    atomic_store(&relay->database_up, false);
}

/* Asynchronous commits: a position that is lost is only published again from. */
static void connect_database(struct relay *relay)
{
    struct deadline deadline = deadline_in_ms(RELAY_QUERY_MS);
    struct error err;

    if (relay->connection != NULL || !deadline_passed(relay->next_connect))
        return;
    if (!connection_open(relay->settings.connection_string, deadline, &relay->connection, &err) ||
        !connection_execute(relay->connection, "SET synchronous_commit TO off; LISTEN checkout",
                            deadline, &err)) {
        lose_database(relay, &err);
        return;
    }
    relay->lease.renew_at = deadline_in_ms(0);
    atomic_store(&relay->database_up, true);
}

/* The series begins when the position is known: a 0 before would look like a lag. */
static void show_position(struct relay *relay)
{
    if (relay->position == NULL)
        relay->position =
            metric_gauge("checkout_relay_position",
                         "Every event up to here was acknowledged (leader)", relay->labels);
    metric_set(relay->position, relay->window.acknowledged);
}

static bool load_position(struct relay *relay, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows created = ROWS_EMPTY;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct deadline deadline = deadline_in_ms(RELAY_QUERY_MS);

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, relay->settings.stream);
    if (!connection_query(relay->connection, &relay_position_create, &parameters, deadline,
                          &created, err) ||
        !connection_query(relay->connection, &relay_position_select, &parameters, deadline, &rows,
                          err))
        return false;
    struct row row = rows_at(&rows, 0);
    relay->stored = row_integer(&row, "sequence");
    relay_window_reset(&relay->window, relay->stored);
    show_position(relay);
    relay->position_known = true;
    relay->more = true;
    return true;
}

static bool store_position(struct relay *relay, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    CRASH_POINT("relay:before_position");
    parameters_begin(&parameters);
    parameters_add_integer(&parameters, relay->settings.stream);
    parameters_add_integer(&parameters, relay->window.acknowledged);
    parameters_add_text(&parameters, relay->lease.name);
    parameters_add_text(&parameters, relay->lease.holder);
    if (!connection_query(relay->connection, &relay_position_move, &parameters,
                          deadline_in_ms(RELAY_QUERY_MS), &rows, err))
        return false;
    relay->stored = relay->window.acknowledged;
    relay->store_not_before = deadline_in_ms(RELAY_STORE_MS);
    return true;
}

static bool position_is_due(const struct relay *relay)
{
    int64_t unstored = relay->window.acknowledged - relay->stored;

    return unstored >= RELAY_STORE_EVERY ||
           (unstored > 0 && relay->window.count == 0 &&
            (relay->draining || deadline_passed(relay->store_not_before)));
}

/* ---- Publishing --------------------------------------------------------------------------- */

static enum mqtt_published publish(struct relay *relay, const struct event *event,
                                   struct buffer *payload, int *message)
{
    char topic[EVENT_TOPIC_SIZE], sequence[24], id[ID_TEXT_SIZE], source[EVENT_SOURCE_SIZE];
    /* The attributes stand in user properties too: CloudEvents SDKs read them from there. */
    const char *const properties[][2] = {
        { "datacontenttype", "application/json" },
        { "type", event->type },
        { "source", source },
        { "id", id },
        { "sequence", sequence },
    };

    event_topic(event, topic, sizeof(topic));
    text_format(sequence, sizeof(sequence), "%020lld", (long long)event->sequence);
    text_copy(id, sizeof(id), id_text(event->id).text);
    text_format(source, sizeof(source), "/%s", relay->settings.service);
    buffer_clear(payload);
    event_write(event, relay->settings.service, payload);
    return mqtt_publish(relay->mqtt,
                        &(struct mqtt_message){ .topic = topic,
                                                .payload = buffer_span(payload),
                                                .content_type = EVENT_CONTENT_TYPE,
                                                .property_count = COUNT_OF(properties),
                                                .properties = properties },
                        message);
}

/* After a page with so many events, and perhaps more behind them. */
static int64_t pause_ms(size_t count, bool more)
{
    int64_t pause = (int64_t)count / RELAY_EVENTS_PER_MS;

    if (more)
        return 0;
    return pause < RELAY_PAUSE_MAX_MS ? pause : RELAY_PAUSE_MAX_MS;
}

/* Publishes what the window has room for. */
static bool publish_page(struct relay *relay, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    AUTO(buffer_release) struct buffer payload = BUFFER_EMPTY;
    const struct event_range range = { relay->settings.stream, relay->window.sent,
                                       (int64_t)relay_window_room(&relay->window) };
    struct event event;

    if (!event_log_read(relay->connection, &range, deadline_in_ms(RELAY_QUERY_MS), &rows, err))
        return false;
    relay->more = (int64_t)rows.count == range.limit;
    relay->poll_log_at = deadline_in_ms(RELAY_POLL_MS);
    relay->next_page = deadline_in_ms(pause_ms(rows.count, relay->more));
    for (size_t i = 0; i < rows.count; i++) {
        int message = 0;

        event_log_row(&rows, i, &event);
        relay_span_begin(relay->spans, &event);
        enum mqtt_published how = publish(relay, &event, &payload, &message);
        if (how == MQTT_PUBLISH_FAILED)
            break;
        if (how == MQTT_PUBLISH_REFUSED) {
            pass_refused(relay, event.sequence);
            relay_span_end(relay->spans, event.sequence, true);
        }
        relay_window_add(&relay->window, event.sequence, message, how == MQTT_PUBLISH_REFUSED);
    }
    return true;
}

/* Half the window free: reading one event at a time would cost a query each. */
static bool wants_page(const struct relay *relay)
{
    return mqtt_is_connected(relay->mqtt) && relay->window.count <= RELAY_WINDOW / 2 &&
           (relay->more || deadline_passed(relay->poll_log_at));
}

/* Nothing that wakes the relay could make the page that it wants come sooner. */
static bool is_pausing(const struct relay *relay)
{
    return wants_page(relay) && !deadline_passed(relay->next_page);
}

static bool lead(struct relay *relay, struct error *err)
{
    if (!relay->position_known && !load_position(relay, err))
        return false;
    if (wants_page(relay) && !is_pausing(relay) && !publish_page(relay, err))
        return false;
    if (position_is_due(relay) && !store_position(relay, err))
        return false;
    metric_set(relay->in_flight, (int64_t)relay->window.count);
    show_position(relay);
    return true;
}

static void note_leadership(struct relay *relay)
{
    bool leading = lease_is_held(&relay->lease);

    if (leading == atomic_load(&relay->leading))
        return;
    atomic_store(&relay->leading, leading);
    metric_add(relay->lease_changes, 1);
    log_info(leading ? "relay leads" : "relay stands by",
             LOG_INTEGER("stream", relay->settings.stream));
    relay->position_known = false;
}

/* ---- The loop ----------------------------------------------------------------------------- */

static bool step(struct relay *relay, bool woken, struct error *err)
{
    if (!connection_is_usable(relay->connection))
        return error_set(err, ERROR_UNAVAILABLE, "database_unavailable", "the connection broke");
    if (!lease_keep(&relay->lease, relay->connection, deadline_in_ms(RELAY_QUERY_MS), err))
        return false;
    note_leadership(relay);
    if (atomic_load(&relay->leading)) {
        relay->more |= woken;
        return lead(relay, err);
    }
    /* Somebody else leads: one message, however many commits there were. */
    return !woken || connection_execute(relay->connection, "NOTIFY checkout",
                                        deadline_in_ms(RELAY_QUERY_MS), err);
}

static int wait_ms(const struct relay *relay)
{
    if (relay->connection != NULL && atomic_load(&relay->leading) && wants_page(relay))
        return deadline_left_ms(relay->next_page);
    return RELAY_POLL_MS;
}

/* Sleeps until something happens; true when somebody said that there may be something. */
static bool wait_for_work(struct relay *relay)
{
    struct pollfd polled[] = {
        { .fd = is_pausing(relay) ? -1 : relay->wake, .events = POLLIN },
        { .fd = mqtt_socket(relay->mqtt), .events = POLLIN },
        { .fd = relay->connection != NULL ? connection_socket(relay->connection) : -1,
          .events = POLLIN },
    };
    uint64_t wakes = 0;
    bool woken = false;

    if (mqtt_wants_write(relay->mqtt))
        polled[1].events |= POLLOUT;
    (void)poll(polled, COUNT_OF(polled), wait_ms(relay));
    if (polled[0].revents != 0)
        woken = read(relay->wake, &wakes, sizeof(wakes)) > 0;
    if (polled[2].revents != 0 && connection_take_notifications(relay->connection))
        relay->more = true;
    return woken;
}

/* Acknowledgements come in bursts: reading goes on while there is something to read. */
static void turn_mqtt(struct relay *relay)
{
    for (int i = 0; i < RELAY_WINDOW; i++) {
        struct pollfd socket = { .fd = mqtt_socket(relay->mqtt), .events = POLLIN };

        if (socket.fd < 0 || poll(&socket, 1, 0) <= 0)
            break;
        mqtt_read(relay->mqtt);
    }
    if (relay->start_over)
        mqtt_drop(relay->mqtt);
    relay->start_over = false;
    mqtt_write(relay->mqtt);
    mqtt_tick(relay->mqtt);
}

/* Drained: everything committed is acknowledged and stored, or nothing can be done about it. */
static bool is_finished(struct relay *relay)
{
    if (!atomic_load(&relay->stopping))
        return false;
    relay->more |= !relay->draining; /* the last commit's news may still be on its way */
    relay->draining = true;
    struct deadline until = { atomic_load(&relay->stop_at_ms) };
    bool idle =
        relay->connection == NULL || !atomic_load(&relay->leading) ||
        !mqtt_is_connected(relay->mqtt) ||
        (relay->window.count == 0 && !relay->more && relay->stored == relay->window.acknowledged);

    return idle || deadline_passed(until);
}

static void *run(void *ctx)
{
    struct relay *relay = ctx;
    struct error err;

    while (!is_finished(relay)) {
        bool woken = wait_for_work(relay);

        turn_mqtt(relay);
        connect_database(relay);
        if (relay->connection != NULL && !step(relay, woken, &err))
            lose_database(relay, &err);
        /* What came while a query was answered is read already: the socket will not tell. */
        if (relay->connection != NULL)
            relay->more |= connection_take_notifications(relay->connection);
        mqtt_write(relay->mqtt);
    }
    if (relay->connection != NULL)
        lease_release(&relay->lease, relay->connection, deadline_in_ms(RELAY_QUERY_MS));
    connection_close(relay->connection);
    mqtt_destroy(relay->mqtt);
    return NULL;
}

/* ---- Its life ----------------------------------------------------------------------------- */

static void make_mqtt(struct relay *relay)
{
    const struct relay_settings *settings = &relay->settings;

    text_format(relay->presence_topic, sizeof(relay->presence_topic), "checkout/v1/service/%s/%s",
                settings->service, settings->instance);
    relay->mqtt = mqtt_create(&(struct mqtt_settings){
        .host = settings->mqtt_host,
        .port = settings->mqtt_port,
        .username = settings->mqtt_username,
        .password = settings->mqtt_password,
        .client_id = settings->service,
        .will_topic = relay->presence_topic,
        .will_payload = "{\"status\":\"offline\"}",
        .ctx = relay,
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_published = on_published,
    });
}

static void make_metrics(struct relay *relay)
{
    const char *labels = relay->labels;

    text_format(relay->labels, sizeof(relay->labels), "stream=\"%d\"", relay->settings.stream);
    relay->published = metric_counter("checkout_relay_published_total",
                                      "Events that the broker acknowledged", labels);
    relay->refused = metric_counter("checkout_relay_refused_total",
                                    "Events that the broker refused for good", labels);
    relay->in_flight =
        metric_gauge("checkout_relay_in_flight", "Events sent and not acknowledged", labels);
    relay->lease_changes = metric_counter("checkout_relay_lease_changes_total",
                                          "Times the lease was won or lost", labels);
}

struct relay *relay_create(const struct relay_settings *settings)
{
    struct relay *relay = memory_allocate_zeroed(1, sizeof(*relay));
    char name[LEASE_NAME_SIZE], holder[LEASE_HOLDER_SIZE];

    relay->settings = *settings;
    text_format(name, sizeof(name), "relay:%d", settings->stream);
    text_format(holder, sizeof(holder), "%.30s/%s", settings->instance,
                id_text(id_create(clock_now())).text);
    lease_init(&relay->lease, name, holder);
    relay->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(relay->wake >= 0);
    relay->next_connect = deadline_in_ms(0);
    relay->poll_log_at = deadline_in_ms(0);
    relay->store_not_before = deadline_in_ms(0);
    make_metrics(relay);
    relay->spans = relay_spans_create();
    make_mqtt(relay);
    int failed = pthread_create(&relay->thread, NULL, run, relay);
    assert(failed == 0);
    return relay;
}

void relay_wake(struct relay *relay)
{
    uint64_t one = 1;
    ssize_t written = write(relay->wake, &one, sizeof(one));

    /* A counter that is full has woken it already. */
    (void)written;
}

void relay_drain(struct relay *relay, struct deadline deadline)
{
    if (relay->joined)
        return;
    atomic_store(&relay->stop_at_ms, deadline.at_ms);
    atomic_store(&relay->stopping, true);
    relay_wake(relay);
    pthread_join(relay->thread, NULL);
    relay->joined = true;
}

void relay_destroy(struct relay *relay)
{
    if (relay == NULL)
        return;
    relay_drain(relay, deadline_in_ms(0));
    close(relay->wake);
    relay_spans_destroy(relay->spans);
    free(relay);
}

bool relay_check(void *ctx, char *note, size_t note_size)
{
    struct relay *relay = ctx;
    bool broker = atomic_load(&relay->broker_up);
    bool database = atomic_load(&relay->database_up);

    text_format(note, note_size, "%s%s%s", atomic_load(&relay->leading) ? "leader" : "standby",
                broker ? "" : ", broker away", database ? "" : ", database away");
    return broker && database;
}
