#include "shared/events/follow.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/patience.h"
#include "tests/unit/table.h"

/*
 * The producer, the consumer and the row with its position are played here: these functions are
 * found before those of the program.
 */
enum { CALLERS = 8, WAIT_MS = 5000, SOON_MS = 100 };

static struct {
    int64_t head;
    bool away;
    bool waits_for_callers; /* the first answer comes when all others wait for it */
    atomic_int asked;
    atomic_int waiting;

    _Atomic int64_t position; /* -1: there is no row */
    int64_t pulls_to;         /* what the consumer has applied when it is woken, if that is more */
    atomic_int woken;
    bool database_away;
} played;

static const struct feed_source source = { "order-service", "http://127.0.0.1:1", NULL };

static bool all_are_waiting(void)
{
    struct deadline deadline = patience_deadline(WAIT_MS);

    while (played.waiting < CALLERS - 1 && !deadline_passed(deadline))
        (void)poll(NULL, 0, 1);
    return played.waiting >= CALLERS - 1;
}

bool feed_fetch(struct client *client, const struct feed_source *asked,
                const struct event_range *range, struct deadline deadline, struct feed_page *out,
                struct error *err)
{
    (void)deadline;
    assert(client && asked == &source && range->stream == 3 && range->limit == 1);
    if (++played.asked == 1 && played.waits_for_callers)
        assert(all_are_waiting());
    if (played.away)
        return error_set(err, ERROR_UNAVAILABLE, "peer_unavailable", "nobody is there");
    *out = (struct feed_page){ .extent = { .head = played.head } };
    return true;
}

void feed_page_release(UNUSED struct feed_page *page)
{
}

void consumer_wake(UNUSED struct consumer *consumer)
{
    played.woken++;
    if (played.position < played.pulls_to)
        played.position = played.pulls_to;
}

bool db_query(struct pool *pool, const struct statement *statement,
              const struct parameters *parameters, struct deadline deadline, struct rows *out,
              struct error *err)
{
    (void)pool;
    assert(strcmp(statement->name, "follow_position") == 0);
    assert(deadline_left_ms(deadline) > SOON_MS); /* also when the caller's time is nearly over */
    assert(span_equal(parameters_value(parameters, 0), span_of(source.service)));
    if (played.database_away)
        return error_set(err, ERROR_UNAVAILABLE, "database_unavailable", "it is away");
    *out = (struct rows){ NULL, played.position < 0 ? 0 : 1 };
    return true;
}

void rows_release(struct rows *rows)
{
    *rows = ROWS_EMPTY;
}

struct row rows_at(const struct rows *rows, size_t index)
{
    return (struct row){ rows, index };
}

int64_t row_integer(UNUSED const struct row *row, UNUSED const char *column)
{
    return played.position;
}

/* The linker's names: whoever begins to wait for another's question is counted. */
int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until);

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    played.waiting++;
    return __real_pthread_cond_timedwait(condition, mutex, until);
}

static struct follow *begin(int64_t head, int64_t position, int64_t pulls_to)
{
    memset(&played, 0, sizeof(played));
    played.head = head;
    played.position = position;
    played.pulls_to = pulls_to;
    return follow_create(&source, 3, NULL, NULL);
}

static const struct row_of_heads {
    const char *label;
    int64_t head, position, pulls_to;
    bool reached, woken;
} rows[] = {
    { "an empty log is reached", 0, 0, 0, true, false },
    { "so is one of which nothing was stored yet", 0, -1, 0, true, false },
    { "a position at the head is there", 7, 7, 0, true, false },
    { "one beyond it is, too: events come in meanwhile", 7, 9, 0, true, false },
    { "one before it is brought there", 7, 6, 7, true, true },
    { "the first event is brought, too", 1, -1, 1, true, true },
    { "one that stays behind is told when the time is over", 7, 3, 6, false, true },
};

static void check_row(void **state)
{
    const struct row_of_heads *row = *state;
    struct follow *follow = begin(row->head, row->position, row->pulls_to);
    struct deadline deadline = deadline_in_ms(row->reached ? patience_ms(WAIT_MS) : SOON_MS);
    bool reached = !row->reached;
    struct error err;

    assert_true(follow_wait(follow, deadline, &reached, &err));
    assert_int_equal(reached, row->reached);
    assert_int_equal(played.woken > 0, row->woken);
    assert_int_equal(played.asked, 1);
    follow_destroy(follow);
}

static void a_producer_that_is_away_is_no_answer(UNUSED void **state)
{
    struct follow *follow = begin(7, 7, 0);
    bool reached;
    struct error err;

    played.away = true;
    assert_false(follow_wait(follow, patience_deadline(WAIT_MS), &reached, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(err.code, "source_unavailable");
    played.away = false;
    assert_true(follow_wait(follow, patience_deadline(WAIT_MS), &reached, &err));
    assert_true(reached);
    follow_destroy(follow);
}

static void a_database_that_is_away_is_no_answer_either(UNUSED void **state)
{
    struct follow *follow = begin(7, 7, 0);
    bool reached;
    struct error err;

    played.database_away = true;
    assert_false(follow_wait(follow, patience_deadline(WAIT_MS), &reached, &err));
    assert_string_equal(err.code, "database_unavailable");
    follow_destroy(follow);
}

/* What was the head before a call began may have missed what the caller asks for. */
static void a_head_of_before_is_not_taken(UNUSED void **state)
{
    struct follow *follow = begin(7, 7, 0);
    bool reached;
    struct error err;

    assert_true(follow_wait(follow, patience_deadline(WAIT_MS), &reached, &err));
    played.head = 8;
    assert_true(follow_wait(follow, deadline_in_ms(SOON_MS), &reached, &err));
    assert_false(reached);
    assert_int_equal(played.asked, 2);
    follow_destroy(follow);
}

static void *call(void *follow)
{
    bool reached = false;
    struct error err;

    assert(follow_wait(follow, patience_deadline(2 * WAIT_MS), &reached, &err) && reached);
    return NULL;
}

/* The first one's answer is too old for those who came while it was asked for. */
static void callers_at_the_same_moment_share_one_question(UNUSED void **state)
{
    struct follow *follow = begin(7, 7, 0);
    pthread_t threads[CALLERS];

    played.waits_for_callers = true;
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call, follow), 0);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(played.asked, 2);
    follow_destroy(follow);
}

/* Asks while somebody else's question is not answered. */
static void *call_late(void *follow)
{
    bool reached;
    struct error err;

    assert(!follow_wait(follow, deadline_in_ms(SOON_MS), &reached, &err));
    assert(strcmp(err.code, "source_unavailable") == 0);
    played.waiting = CALLERS; /* lets the first one go on */
    return NULL;
}

static void nobody_waits_longer_than_the_deadline_for_others(UNUSED void **state)
{
    struct follow *follow = begin(7, 7, 0);
    pthread_t first, late;

    played.waits_for_callers = true;
    assert_int_equal(pthread_create(&first, NULL, call, follow), 0);
    while (played.asked == 0)
        (void)poll(NULL, 0, 1);
    assert_int_equal(pthread_create(&late, NULL, call_late, follow), 0);
    pthread_join(late, NULL);
    pthread_join(first, NULL);
    assert_int_equal(played.asked, 1);
    follow_destroy(follow);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!client_library_start())
        return 1;
    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD(&table, a_producer_that_is_away_is_no_answer);
    TABLE_ADD(&table, a_database_that_is_away_is_no_answer_either);
    TABLE_ADD(&table, a_head_of_before_is_not_taken);
    TABLE_ADD(&table, callers_at_the_same_moment_share_one_question);
    TABLE_ADD(&table, nobody_waits_longer_than_the_deadline_for_others);
    return table_run(&table);
}
