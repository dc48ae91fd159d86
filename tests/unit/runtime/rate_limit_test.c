#include "shared/runtime/rate_limit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "shared/base/text.h"
#include "tests/unit/table.h"

enum { SECOND_US = 1000000, THEN_US = 5 * SECOND_US };

/* A limit of four in a second, of which `taken` were taken at THEN_US. */
static const struct row {
    const char *label;
    int taken;
    int64_t after_us;
    bool left;
    int64_t wait_us;
} rows[] = {
    { "whoever did nothing has one", 0, 0, true, 0 },
    { "the last of four is there at once", 3, 0, true, 0 },
    { "the fifth has to wait for a quarter of a second", 4, 0, false, 250000 },
    { "a microsecond before, it is not there", 4, 249999, false, 1 },
    { "then it is", 4, 250000, true, 0 },
    { "what could not be taken is not owed", 40, 250000, true, 0 },
    { "a clock that goes back gives nothing", 4, -1, false, 250001 },
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct rate_limit *limit = rate_limit_create(4, SECOND_US);
    int64_t wait_us = 0;

    for (int i = 0; i < row->taken; i++)
        assert_int_equal(rate_limit_take(limit, "a", THEN_US, &wait_us), i < 4);
    wait_us = 0;
    assert_int_equal(rate_limit_check(limit, "a", THEN_US + row->after_us, &wait_us), row->left);
    assert_int_equal(wait_us, row->wait_us);
    assert_int_equal(rate_limit_take(limit, "a", THEN_US + row->after_us, &wait_us), row->left);
    rate_limit_destroy(limit);
}

/* How many can be taken at that moment, of at most a thousand. */
static int take_all(struct rate_limit *limit, const char *name, int64_t now_us)
{
    int64_t wait_us;
    int taken = 0;

    while (taken < 1000 && rate_limit_take(limit, name, now_us, &wait_us))
        taken++;
    return taken;
}

static void a_pause_gives_all_of_them_back_and_no_more(UNUSED void **state)
{
    struct rate_limit *limit = rate_limit_create(100, 60 * (int64_t)SECOND_US);

    assert_int_equal(take_all(limit, "a", THEN_US), 100);
    assert_int_equal(take_all(limit, "a", THEN_US + 30 * (int64_t)SECOND_US), 50);
    assert_int_equal(take_all(limit, "a", THEN_US + 3600 * (int64_t)SECOND_US), 100);
    rate_limit_destroy(limit);
}

static void checking_takes_nothing(UNUSED void **state)
{
    struct rate_limit *limit = rate_limit_create(1, SECOND_US);
    int64_t wait_us;

    for (int i = 0; i < 10; i++)
        assert_true(rate_limit_check(limit, "a", THEN_US, &wait_us));
    assert_int_equal(take_all(limit, "a", THEN_US), 1);
    rate_limit_destroy(limit);
}

static void names_have_their_own(UNUSED void **state)
{
    struct rate_limit *limit = rate_limit_create(2, SECOND_US);

    assert_int_equal(take_all(limit, "a", THEN_US), 2);
    assert_int_equal(take_all(limit, "b", THEN_US), 2);
    rate_limit_destroy(limit);
}

static void of_a_long_name_the_rest_does_not_count(UNUSED void **state)
{
    struct rate_limit *limit = rate_limit_create(2, SECOND_US);
    char name[200];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(take_all(limit, name, THEN_US), 2);
    name[sizeof(name) - 2] = 'y';
    assert_int_equal(take_all(limit, name, THEN_US), 0);
    rate_limit_destroy(limit);
}

static void a_crowd_does_not_free_the_one_that_is_held_back(UNUSED void **state)
{
    struct rate_limit *limit = rate_limit_create(2, SECOND_US);
    char name[20];
    int64_t wait_us;

    assert_int_equal(take_all(limit, "guilty", THEN_US), 2);
    for (int i = 0; i < 20 * RATE_LIMIT_NAMES_MAX; i++) {
        text_format(name, sizeof(name), "crowd%d", i);
        assert_true(rate_limit_take(limit, name, THEN_US + 1, &wait_us));
    }
    assert_int_equal(take_all(limit, "guilty", THEN_US + 2), 0);
    rate_limit_destroy(limit);
}

static void a_thousand_in_a_microsecond_are_the_most(UNUSED void **state)
{
    struct rate_limit *limit = rate_limit_create(1000, 1);

    assert_int_equal(take_all(limit, "a", THEN_US), 1000);
    rate_limit_destroy(limit);
}

/* Threads that all take from one name. */
enum { THREADS = 4, EACH = 10000, SHARED_LIMIT = 15000 };

struct shared {
    struct rate_limit *limit;
    _Atomic int taken;
};

static void *take_many(void *ctx)
{
    struct shared *shared = ctx;
    int64_t wait_us;

    for (int i = 0; i < EACH; i++)
        if (rate_limit_take(shared->limit, "a", THEN_US, &wait_us))
            shared->taken++;
    return NULL;
}

static void threads_together_get_no_more(UNUSED void **state)
{
    struct shared shared = { .limit = rate_limit_create(SHARED_LIMIT, SECOND_US) };
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_many, &shared);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.taken, SHARED_LIMIT);
    rate_limit_destroy(shared.limit);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD(&table, a_pause_gives_all_of_them_back_and_no_more);
    TABLE_ADD(&table, checking_takes_nothing);
    TABLE_ADD(&table, names_have_their_own);
    TABLE_ADD(&table, of_a_long_name_the_rest_does_not_count);
    TABLE_ADD(&table, a_crowd_does_not_free_the_one_that_is_held_back);
    TABLE_ADD(&table, a_thousand_in_a_microsecond_are_the_most);
    TABLE_ADD(&table, threads_together_get_no_more);
    return table_run(&table);
}
