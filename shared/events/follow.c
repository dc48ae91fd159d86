#include "shared/events/follow.h"

#include <poll.h>
#include <pthread.h>

#include "shared/runtime/log.h"

/* Between two looks at the position: what is pulled takes about as long. */
enum { LOOK_EVERY_MS = 5 };

STATEMENT(follow_position, "any",
          "SELECT sequence FROM consumer_position WHERE source = $1 AND stream = $2");

struct follow {
    const struct feed_source *source;
    int stream;
    struct pool *pool;
    struct consumer *consumer;
    pthread_mutex_t mutex; /* guards what follows; held while the producer is asked */
    struct client *client;
    int64_t asked_at_us; /* when the question began that this is the answer to */
    int64_t head;
};

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
    return follow;
}

void follow_destroy(struct follow *follow)
{
    if (!follow)
        return;
    client_destroy(follow->client);
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

/* With the mutex held. The first event comes along, because a page has at least one. */
static bool ask_head(struct follow *follow, struct deadline deadline, struct error *err)
{
    AUTO(feed_page_release) struct feed_page page = { .head = 0 };
    const struct event_range range = { .stream = follow->stream, .after = 0, .limit = 1 };
    int64_t now_us = clock_monotonic_us();

    if (!feed_fetch(follow->client, follow->source, &range, deadline, &page, err))
        return refuse(follow, err);
    follow->asked_at_us = now_us;
    follow->head = page.head;
    return true;
}

/* A head that was asked for after the call began serves it as well. */
static bool find_head(struct follow *follow, struct deadline deadline, int64_t *head,
                      struct error *err)
{
    int64_t called_at_us = clock_monotonic_us();
    struct timespec until = deadline_timespec(deadline);

    if (pthread_mutex_clocklock(&follow->mutex, CLOCK_MONOTONIC, &until) != 0) {
        error_set(err, ERROR_DEADLINE, "peer_timeout", "others ask, and it takes too long");
        return refuse(follow, err);
    }
    bool known = follow->asked_at_us > called_at_us || ask_head(follow, deadline, err);
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
    if (!db_query(follow->pool, &follow_position, &parameters, deadline, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    *out = rows.count > 0 ? row_integer(&row, "sequence") : 0;
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
