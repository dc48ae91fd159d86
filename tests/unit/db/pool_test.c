/*
 * A pool whose server is played: the linker sends what the pool asks of connections here. What a
 * slow server costs is time, so two of the tests take some seconds.
 */
#include "shared/db/pool.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "shared/base/buffer.h"
#include "tests/unit/table.h"

enum { SIZE = 4, LONG_MS = 20000 };

/* Milliseconds that the server takes for a connection. */
static _Atomic int64_t opening_ms;
static atomic_int openings;

bool __wrap_connection_open(const char *text, struct deadline deadline, struct connection **out,
                            struct error *err);
void __wrap_connection_close(struct connection *connection);
bool __wrap_connection_is_usable(const struct connection *connection);

bool __wrap_connection_open(UNUSED const char *text, struct deadline deadline,
                            struct connection **out, struct error *err)
{
    struct deadline done = deadline_in_ms(atomic_load(&opening_ms));

    atomic_fetch_add(&openings, 1);
    poll(NULL, 0, deadline_left_ms(deadline_earlier(deadline, done)));
    if (!deadline_passed(done))
        return error_set(err, ERROR_DEADLINE, "database_timeout", "too late");
    *out = memory_allocate(1);
    return true;
}

void __wrap_connection_close(struct connection *connection)
{
    free(connection);
}

bool __wrap_connection_is_usable(UNUSED const struct connection *connection)
{
    return true;
}

/* Somebody who wants a connection, in a thread of its own. */
struct caller {
    struct pool *pool;
    int64_t patience_ms;
    pthread_t thread;
    struct connection *connection; /* NULL: refused, `err` says why */
    struct error err;
};

static void *call(void *ctx)
{
    struct caller *caller = ctx;

    if (!pool_acquire(caller->pool, deadline_in_ms(caller->patience_ms), &caller->connection,
                      &caller->err))
        caller->connection = NULL;
    return NULL;
}

static void begin(struct caller *caller)
{
    int failed = pthread_create(&caller->thread, NULL, call, caller);

    assert_int_equal(failed, 0);
}

static void finish(struct caller *caller)
{
    pthread_join(caller->thread, NULL);
}

static void wait_for_openings(int count)
{
    struct deadline deadline = deadline_in_ms(LONG_MS);

    while (atomic_load(&openings) < count && !deadline_passed(deadline))
        poll(NULL, 0, 1);
    assert_int_equal(atomic_load(&openings), count);
}

static struct pool *make_pool(void)
{
    atomic_store(&opening_ms, 0);
    atomic_store(&openings, 0);
    return pool_create("test", "dbname=test", SIZE);
}

static struct connection *take(struct pool *pool)
{
    struct connection *connection = NULL;
    struct error err;

    assert_true(pool_acquire(pool, deadline_in_ms(LONG_MS), &connection, &err));
    return connection;
}

static void a_server_that_says_nothing_holds_up_one_caller(UNUSED void **state)
{
    struct pool *pool = make_pool();
    struct connection *held = take(pool);
    struct caller opener = { .pool = pool, .patience_ms = LONG_MS };
    struct caller other = { .pool = pool, .patience_ms = LONG_MS };

    atomic_store(&opening_ms, INT32_MAX);
    begin(&opener);
    wait_for_openings(2);
    begin(&other);
    pool_release(pool, held); /* one of them takes it, and then the other */
    finish(&other);
    assert_non_null(other.connection);
    pool_release(pool, other.connection);
    finish(&opener);
    assert_non_null(opener.connection);
    assert_int_equal(atomic_load(&openings), 2);
    pool_release(pool, opener.connection);
    pool_destroy(pool);
}

static void who_waits_tries_again_when_the_pause_is_over(UNUSED void **state)
{
    struct pool *pool = make_pool();
    struct connection *held = take(pool);
    struct caller first = { .pool = pool, .patience_ms = 2500 };
    struct caller second = { .pool = pool, .patience_ms = LONG_MS };
    struct deadline soon = deadline_in_ms(LONG_MS / 2);

    atomic_store(&opening_ms, INT32_MAX);
    begin(&first);
    wait_for_openings(2);
    atomic_store(&opening_ms, 0);
    begin(&second);
    finish(&first); /* in the pause behind its attempt */
    assert_null(first.connection);
    assert_int_equal(first.err.kind, ERROR_OVERLOADED);
    finish(&second);
    assert_non_null(second.connection);
    assert_false(deadline_passed(soon));
    pool_release(pool, second.connection);
    pool_release(pool, held);
    pool_destroy(pool);
}

static void who_has_no_time_says_nothing_of_the_server(UNUSED void **state)
{
    struct pool *pool = make_pool();
    struct connection *held = take(pool);
    struct caller hasty = { .pool = pool, .patience_ms = 20 };
    struct caller next = { .pool = pool, .patience_ms = 900 };

    atomic_store(&opening_ms, 100);
    begin(&hasty);
    finish(&hasty);
    assert_null(hasty.connection);
    begin(&next);
    finish(&next);
    assert_non_null(next.connection); /* before the pause would be over */
    pool_release(pool, next.connection);
    pool_release(pool, held);
    pool_destroy(pool);
}

static void where_there_is_no_connection_the_server_is_late(UNUSED void **state)
{
    struct pool *pool = make_pool();
    struct caller callers[2] = { { .pool = pool, .patience_ms = 100 },
                                 { .pool = pool, .patience_ms = 100 } };

    atomic_store(&opening_ms, INT32_MAX);
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        begin(&callers[i]);
    for (size_t i = 0; i < COUNT_OF(callers); i++) {
        finish(&callers[i]);
        assert_null(callers[i].connection);
        assert_int_equal(callers[i].err.kind, ERROR_DEADLINE);
    }
    pool_destroy(pool);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, a_server_that_says_nothing_holds_up_one_caller);
    TABLE_ADD(&table, who_waits_tries_again_when_the_pause_is_over);
    TABLE_ADD(&table, who_has_no_time_says_nothing_of_the_server);
    TABLE_ADD(&table, where_there_is_no_connection_the_server_is_late);
    return table_run(&table);
}
