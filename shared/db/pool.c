#include "shared/db/pool.h"

#include <pthread.h>

#include "shared/runtime/metrics.h"

/*
 * An opening that takes longer than POOL_OPEN_MS is given up, and none is begun for
 * POOL_OPEN_AGAIN_MS behind it, as long as there are other connections to wait for.
 */
enum { POOL_OPEN_MS = 2000, POOL_OPEN_AGAIN_MS = 1000 };

struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    char *connection_string;
    size_t size;
    size_t opened; /* connections that exist or are being made */
    size_t idle_count;
    bool opening;
    struct deadline open_again;
    struct metric *in_use;
    struct connection *idle[];
};

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct pool *pool_create(const char *name, const char *connection_string, size_t size)
{
    struct pool *pool =
        memory_allocate_zeroed(1, sizeof(*pool) + size * sizeof(struct connection *));
    char labels[80];

    text_format(labels, sizeof(labels), "pool=\"%s\"", name);
    pthread_mutex_init(&pool->mutex, NULL);
    init_condition(&pool->freed);
    pool->connection_string = memory_copy_text(span_of(connection_string));
    pool->size = size;
    pool->in_use = metric_gauge("checkout_database_connections_in_use",
                                "Connections of a pool that are in use", labels);
    return pool;
}

void pool_destroy(struct pool *pool)
{
    if (pool == NULL)
        return;
    assert(pool->opened == pool->idle_count);
    for (size_t i = 0; i < pool->idle_count; i++)
        connection_close(pool->idle[i]);
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->connection_string);
    free(pool);
}

/* For one more connection, while nobody else makes one. */
static bool has_room(const struct pool *pool)
{
    return pool->opened < pool->size && !pool->opening;
}

static bool may_open(const struct pool *pool)
{
    return has_room(pool) && (pool->opened == 0 || deadline_passed(pool->open_again));
}

static bool is_full(const struct pool *pool)
{
    return pool->idle_count == 0 && !may_open(pool);
}

static void wait_for_place(struct pool *pool, struct deadline deadline)
{
    struct timespec until =
        deadline_timespec(has_room(pool) ? deadline_earlier(deadline, pool->open_again) : deadline);

    pthread_cond_timedwait(&pool->freed, &pool->mutex, &until);
}

/* Takes an idle connection, or (`out` is then NULL) the right to open one, which needs time. */
static bool take_place(struct pool *pool, struct deadline deadline, struct connection **out)
{
    while (is_full(pool) && !deadline_passed(deadline))
        wait_for_place(pool, deadline);
    *out = NULL;
    if (pool->idle_count > 0) {
        *out = pool->idle[--pool->idle_count];
        return true;
    }
    if (deadline_passed(deadline)) {
        pthread_cond_signal(&pool->freed); /* what woke this one may be another's turn */
        return false;
    }
    pool->opened++;
    pool->opening = true;
    return true;
}

/* Where there is no connection at all, it is the server that makes none. */
static bool refuse(bool none_stands, struct error *err)
{
    if (none_stands)
        return error_set(err, ERROR_DEADLINE, "database_timeout",
                         "no connection to the database was made in time");
    return error_set(err, ERROR_OVERLOADED, "overloaded", "all database connections are busy");
}

static bool wait_and_take(struct pool *pool, struct deadline deadline, struct connection **out,
                          struct error *err)
{
    pthread_mutex_lock(&pool->mutex);
    bool taken = take_place(pool, deadline, out);
    bool none_stands = pool->opened == (size_t)pool->opening;
    pthread_mutex_unlock(&pool->mutex);
    if (!taken)
        return refuse(none_stands, err);
    metric_add(pool->in_use, 1);
    return true;
}

static void give_place_back(struct pool *pool, struct connection *idle)
{
    pthread_mutex_lock(&pool->mutex);
    if (idle != NULL)
        pool->idle[pool->idle_count++] = idle;
    else
        pool->opened--;
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->mutex);
    metric_add(pool->in_use, -1);
}

static void end_opening(struct pool *pool, struct deadline open_again)
{
    pthread_mutex_lock(&pool->mutex);
    pool->opening = false;
    pool->open_again = open_again;
    pthread_cond_signal(&pool->freed); /* the next one may */
    pthread_mutex_unlock(&pool->mutex);
}

/* Only who had all the time for it can tell that the server is slow. */
static bool open_place(struct pool *pool, struct deadline deadline, struct connection **out,
                       struct error *err)
{
    struct deadline limit = deadline_in_ms(POOL_OPEN_MS);
    bool opened =
        connection_open(pool->connection_string, deadline_earlier(deadline, limit), out, err);

    end_opening(pool, deadline_in_ms(!opened && deadline_passed(limit) ? POOL_OPEN_AGAIN_MS : 0));
    if (!opened)
        give_place_back(pool, NULL);
    return opened;
}

bool pool_acquire(struct pool *pool, struct deadline deadline, struct connection **out,
                  struct error *err)
{
    struct connection *connection = NULL;

    do {
        if (!wait_and_take(pool, deadline, &connection, err))
            return false;
        if (connection != NULL || open_place(pool, deadline, &connection, err)) {
            *out = connection;
            return true;
        }
    } while (err->kind == ERROR_DEADLINE && !deadline_passed(deadline));
    return false;
}

void pool_release(struct pool *pool, struct connection *connection)
{
    if (connection == NULL)
        return;
    if (!connection_is_usable(connection)) {
        connection_close(connection);
        connection = NULL;
    }
    give_place_back(pool, connection);
}

/* Idle connections that died with the server fail on first use: a read may simply be repeated. */
bool db_query(struct pool *pool, const struct statement *statement,
              const struct parameters *parameters, struct deadline deadline, struct rows *out,
              struct error *err)
{
    for (size_t attempt = 0;; attempt++) {
        struct connection *connection = NULL;

        if (!pool_acquire(pool, deadline, &connection, err))
            return false;
        bool done = connection_query(connection, statement, parameters, deadline, out, err);
        pool_release(pool, connection);
        if (done || err->kind != ERROR_UNAVAILABLE || attempt >= pool->size)
            return done;
    }
}
