#include "shared/events/follow.h"

#include <poll.h>
#include <pthread.h>

#include "shared/runtime/log.h"

/* Between two looks at the position: what is pulled takes about as long. */
enum { LOOK_EVERY_MS = 5 };

/* A look that began in time may take so long, or the last one would only find the time over. */
enum { LOOK_MS = 500 };

STATEMENT(follow_position, "any",
          "SELECT sequence FROM consumer_position WHERE source = $1 AND stream = $2");

struct follow {
    const struct feed_source *source;
    int stream;
    struct pool *pool;
    struct consumer *consumer;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t answered;
    bool asking; /* somebody has the client, and waits for the producer */
    struct client *client;
    int64_t asked_at_us; /* when the question began that this is the answer to */
    int64_t head;
};

/* With the clock of deadlines. */
static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct follow *follow_create(const struct feed_source *source, int stream, struct pool *pool,
                             struct consumer *consumer)
{
    struct follow *follow = memory_allocate_zeroed(1, sizeof(*follow));

    follow->source = source;
    follow->stream = stream;
    follow->pool = pool;
    follow->consumer = consumer;
    follow->client = client_create();
    pthread_mutex_init(&follow->mutex, NULL);
    init_condition(&follow->answered);
    return follow;
}

void follow_destroy(struct follow *follow)
{
    if (!follow)
        return;
    client_destroy(follow->client);
    pthread_cond_destroy(&follow->answered);
    pthread_mutex_destroy(&follow->mutex);
    free(follow);
}

static bool refuse(const struct follow *follow, struct error *err)
{
    log_swallowed(LOG_LEVEL_WARNING, "a log could not be followed", err);
    return error_set(err, ERROR_UNAVAILABLE, "source_unavailable",
                     "%s can not be asked at the moment. Nothing was done; try again.",
                     follow->source->service);
}

/* With the client. The first event comes along, because a page has at least one. */
static bool ask_head(struct follow *follow, struct deadline deadline, int64_t *head,
                     struct error *err)
{
    AUTO(feed_page_release) struct feed_page page = { .count = 0 };
    const struct event_range range = { .stream = follow->stream, .after = 0, .limit = 1 };

    if (!feed_fetch(follow->client, follow->source, &range, deadline, &page, err))
        return refuse(follow, err);
    *head = page.extent.head;
    return true;
}

/* With the mutex held, but for the time of the question. */
static bool ask_for_all(struct follow *follow, struct deadline deadline, struct error *err)
{
    int64_t now_us = clock_monotonic_us(), head = 0;

    follow->asking = true;
    pthread_mutex_unlock(&follow->mutex);
    bool told = ask_head(follow, deadline, &head, err);
    pthread_mutex_lock(&follow->mutex);
    follow->asking = false;
    if (told) {
        follow->asked_at_us = now_us;
        follow->head = head;
    }
    pthread_cond_broadcast(&follow->answered);
    return told;
}

/* With the mutex held: until nobody asks any more, or what is told is new enough. */
static void wait_for_others(struct follow *follow, int64_t called_at_us, struct deadline deadline)
{
    struct timespec until = deadline_timespec(deadline);
    int waited = 0;

    while (follow->asking && follow->asked_at_us <= called_at_us && waited == 0)
        waited = pthread_cond_timedwait(&follow->answered, &follow->mutex, &until);
}

/* A head that was asked for after the call began serves it as well. */
static bool find_head(struct follow *follow, struct deadline deadline, int64_t *head,
                      struct error *err)
{
    int64_t called_at_us = clock_monotonic_us();
    bool known = true;

    pthread_mutex_lock(&follow->mutex);
    wait_for_others(follow, called_at_us, deadline);
    if (follow->asked_at_us <= called_at_us) {
        error_set(err, ERROR_DEADLINE, "peer_timeout", "others ask, and it takes too long");
        known = follow->asking ? refuse(follow, err) : ask_for_all(follow, deadline, err);
    }
    *head = follow->head;
    pthread_mutex_unlock(&follow->mutex);
    return known;
}

static bool read_position(struct follow *follow, struct deadline deadline, int64_t *out,
                          struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, follow->source->service);
    parameters_add_integer(&parameters, follow->stream);
    if (!db_query(follow->pool, &follow_position, &parameters,
                  deadline_later(deadline, deadline_in_ms(LOOK_MS)), &rows, err))
        return false;
    *out = 0;
    if (rows.count > 0) {
        struct row row = rows_at(&rows, 0);
        *out = row_integer(&row, "sequence");
    }
    return true;
}

bool follow_wait(struct follow *follow, struct deadline deadline, bool *reached, struct error *err)
{
    int64_t head = 0, position = 0;

    if (!find_head(follow, deadline, &head, err))
        return false;
    for (;;) {
        if (!read_position(follow, deadline, &position, err))
            return false;
        *reached = position >= head;
        if (*reached || deadline_passed(deadline))
            return true;
        consumer_wake(follow->consumer);
        (void)poll(NULL, 0, LOOK_EVERY_MS);
    }
}
