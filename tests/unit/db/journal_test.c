/*
 * When a journal's writers take what has queued. Its transactions are played: one lasts until the
 * test lets it end. Nobody's patience ends before, unless a test says so.
 */
#include "shared/db/journal.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "shared/base/buffer.h"
#include "shared/runtime/metrics.h"
#include "tests/unit/table.h"

enum { LONG_MS = 20000, BATCHES_MAX = 16, MANY = JOURNAL_BATCH_MAX + 10 };

static atomic_bool is_impatient;
static atomic_bool held[BATCHES_MAX]; /* transactions that may not end yet */
static atomic_int waits; /* of callers: the second one of each begins behind its call */
static atomic_int begun; /* transactions */

/* The row of a write that the server refuses with all that is committed with it. */
enum { POISON = 99 };

static atomic_int storms; /* commits, but the first, that fail for nobody's fault */

/* What a commit says, and what is found when it says nothing. */
static _Atomic(enum commit_outcome) said, found;

static atomic_int sizes[BATCHES_MAX]; /* writes of each */

int __real_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until);
int __wrap_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until);
bool __wrap_connection_open(const char *text, struct deadline deadline, struct connection **out,
                            struct error *err);
void __wrap_connection_close(struct connection *connection);
bool __wrap_connection_is_usable(const struct connection *connection);
struct transaction *__wrap_transaction_begin(struct connection *connection,
                                             const struct appender *appender, int stream,
                                             struct deadline deadline);
void __wrap_transaction_write(struct transaction *transaction, struct write *write);
enum commit_outcome __wrap_transaction_commit(struct transaction *transaction, struct error *err);
struct commit_question __wrap_transaction_question(const struct transaction *transaction);
enum commit_outcome __wrap_transaction_resolve(const char *text,
                                               const struct commit_question *question,
                                               struct deadline deadline);
void __wrap_transaction_end(struct transaction *transaction);

int __wrap_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    atomic_fetch_add(&waits, 1);
    return atomic_load(&is_impatient) ? __real_sem_clockwait(semaphore, clock, until)
                                      : sem_wait(semaphore);
}

bool __wrap_connection_open(UNUSED const char *text, UNUSED struct deadline deadline,
                            struct connection **out, UNUSED struct error *err)
{
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

struct transaction {
    int count;
    bool poisoned;
};

struct transaction *__wrap_transaction_begin(UNUSED struct connection *connection,
                                             UNUSED const struct appender *appender,
                                             UNUSED int stream, UNUSED struct deadline deadline)
{
    return memory_allocate_zeroed(1, sizeof(struct transaction));
}

void __wrap_transaction_write(struct transaction *transaction, struct write *write)
{
    transaction->count++;
    transaction->poisoned |= write->row.bytes[0] == POISON;
    write->outcome = WRITE_DONE;
}

enum commit_outcome __wrap_transaction_commit(struct transaction *transaction, struct error *err)
{
    struct deadline deadline = deadline_in_ms(3 * LONG_MS);
    int place = atomic_fetch_add(&begun, 1);

    assert_in_range(place, 0, BATCHES_MAX - 1);
    atomic_store(&sizes[place], transaction->count);
    while (atomic_load(&held[place])) {
        if (deadline_passed(deadline))
            abort(); /* the test has long failed */
        poll(NULL, 0, 1);
    }
    if (place > 0 && atomic_fetch_sub(&storms, 1) > 0)
        (void)error_set(err, ERROR_TRANSIENT, "deadlock", "try again");
    else if (transaction->poisoned)
        (void)error_set(err, ERROR_DATA, "data_refused", "a constraint says no");
    else
        return atomic_load(&said);
    return COMMIT_FAILED;
}

struct commit_question __wrap_transaction_question(UNUSED const struct transaction *transaction)
{
    return (struct commit_question){ .xid = "" };
}

enum commit_outcome __wrap_transaction_resolve(UNUSED const char *text,
                                               UNUSED const struct commit_question *question,
                                               UNUSED struct deadline deadline)
{
    return atomic_load(&found);
}

void __wrap_transaction_end(struct transaction *transaction)
{
    free(transaction);
}

/* Somebody who writes, in a thread of its own. */
struct caller {
    struct journal *journal;
    int stream;
    unsigned char row;
    size_t size; /* of its value */
    pthread_t thread;
    bool done;
    struct error err; /* if not */
};

struct scene {
    struct journal *journal;
    size_t count;
    struct caller callers[MANY + 2];
};

static void *call(void *ctx)
{
    static const char nothing[JOURNAL_JOIN_BYTES];
    static const struct statement statement = { .name = "nothing" };
    struct caller *caller = ctx;
    AUTO(write_release) struct write write;

    write_begin(&write, &statement, WRITE_CHANGE, caller->stream,
                (struct id){ .bytes = { caller->row } });
    parameters_add_bytes(&write.parameters, nothing, caller->size);
    caller->done = journal_commit(caller->journal, &write, deadline_in_ms(LONG_MS), &caller->err);
    return NULL;
}

static struct caller *begin_call(struct scene *scene, struct caller wish)
{
    struct caller *caller = &scene->callers[scene->count++];

    *caller = wish;
    caller->journal = scene->journal;
    int failed = pthread_create(&caller->thread, NULL, call, caller);
    assert_int_equal(failed, 0);
    return caller;
}

static struct caller *write_row(struct scene *scene, int stream, unsigned char row)
{
    return begin_call(scene, (struct caller){ .stream = stream, .row = row });
}

static void write_large(struct scene *scene, size_t size)
{
    begin_call(scene, (struct caller){ .row = 1, .size = size });
}

static void write_to(struct scene *scene, int stream, size_t count)
{
    for (; count > 0; count--)
        write_row(scene, stream, 1);
}

static void hold(int from, int to, bool wanted)
{
    for (int i = from; i < to; i++)
        atomic_store(&held[i], wanted);
}

static void begin_scene(struct scene *scene)
{
    atomic_store(&is_impatient, false);
    atomic_store(&said, COMMIT_DONE);
    atomic_store(&storms, 0);
    hold(0, BATCHES_MAX, true);
    atomic_store(&waits, 0);
    atomic_store(&begun, 0);
    *scene = (struct scene){ .journal = journal_create(&(struct journal_settings){
                                 .connection_string = "dbname=test",
                                 .writers = 2,
                                 .batch_timeout_ms = LONG_MS }) };
}

/* Lets all end. */
static void close_scene(struct scene *scene)
{
    hold(0, BATCHES_MAX, false);
    for (size_t i = 0; i < scene->count; i++)
        pthread_join(scene->callers[i].thread, NULL);
    journal_destroy(scene->journal);
}

/* ... and sees that all was written. */
static void end_scene(struct scene *scene)
{
    close_scene(scene);
    for (size_t i = 0; i < scene->count; i++)
        assert_true(scene->callers[i].done);
}

static void wait_for(int64_t (*value)(void), int64_t expected)
{
    struct deadline deadline = deadline_in_ms(LONG_MS);

    while (value() != expected && !deadline_passed(deadline))
        poll(NULL, 0, 1);
    assert_int_equal(value(), expected);
}

static int64_t batches(void)
{
    return atomic_load(&begun);
}

static int64_t queued(void)
{
    return metric_value(metric_gauge("checkout_journal_queued", "Writes waiting for a batch", ""));
}

static int64_t waited(void)
{
    return atomic_load(&waits);
}

static void few_writes_wait_for_the_batch_under_way(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 0, JOURNAL_JOIN_COUNT - 1);
    wait_for(queued, JOURNAL_JOIN_COUNT - 1);
    assert_int_equal(batches(), 1);
    end_scene(&scene);
    assert_int_equal(batches(), 2);
    assert_int_equal(atomic_load(&sizes[1]), JOURNAL_JOIN_COUNT - 1);
}

static void many_writes_are_taken_beside_it(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 0, JOURNAL_JOIN_COUNT);
    wait_for(batches, 2);
    assert_int_equal(atomic_load(&sizes[1]), JOURNAL_JOIN_COUNT);
    end_scene(&scene);
}

static void a_few_large_ones_are_taken_beside_it(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_large(&scene, JOURNAL_JOIN_BYTES / 3);
    write_large(&scene, JOURNAL_JOIN_BYTES / 3);
    wait_for(queued, 2);
    assert_int_equal(batches(), 1);
    write_large(&scene, JOURNAL_JOIN_BYTES / 2);
    wait_for(batches, 2);
    assert_int_equal(atomic_load(&sizes[1]), 3);
    hold(1, 2, false);
    write_large(&scene, JOURNAL_JOIN_BYTES / 2); /* what was taken weighs no more */
    wait_for(queued, 1);
    assert_int_equal(batches(), 2);
    end_scene(&scene);
}

static void who_has_waited_for_long_is_taken_beside_it(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    atomic_store(&is_impatient, true);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 0, 1);
    wait_for(batches, 2);
    end_scene(&scene);
}

static void many_who_have_waited_for_long_are_all_taken_beside_it(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    hold(2, BATCHES_MAX, false);
    atomic_store(&is_impatient, true);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 1, 1);
    wait_for(batches, 2);
    write_to(&scene, 0, MANY);
    wait_for(waited, 2 * (MANY + 2)); /* no writer was free when they called */
    hold(1, 2, false);
    wait_for(queued, 0);
    end_scene(&scene);
}

static void another_stream_waits_for_nobody(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 1, 1);
    wait_for(batches, 2);
    end_scene(&scene);
}

static void *drain(void *ctx)
{
    journal_drain(ctx, deadline_in_ms(LONG_MS));
    return NULL;
}

static void what_is_queued_is_written_at_once_when_it_drains(UNUSED void **state)
{
    static struct scene scene;
    pthread_t thread;

    begin_scene(&scene);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 0, 2);
    wait_for(queued, 2);
    int failed = pthread_create(&thread, NULL, drain, scene.journal);
    assert_int_equal(failed, 0);
    wait_for(batches, 2);
    hold(0, BATCHES_MAX, false);
    pthread_join(thread, NULL);
    end_scene(&scene);
}

static void a_commit_that_said_nothing_is_asked_for(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    hold(0, BATCHES_MAX, false);
    atomic_store(&said, COMMIT_UNKNOWN);
    atomic_store(&found, COMMIT_DONE);
    write_to(&scene, 0, 3);
    end_scene(&scene);
}

static void a_commit_that_nobody_knows_of_is_told_as_unknown(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    hold(0, BATCHES_MAX, false);
    atomic_store(&said, COMMIT_UNKNOWN);
    atomic_store(&found, COMMIT_UNKNOWN);
    write_to(&scene, 0, 3);
    close_scene(&scene);
    for (size_t i = 0; i < scene.count; i++) {
        assert_false(scene.callers[i].done);
        assert_int_equal(scene.callers[i].err.kind, ERROR_UNKNOWN_OUTCOME);
        assert_string_equal(scene.callers[i].err.code, "outcome_unknown");
        assert_int_equal(scene.callers[i].err.retry_after_s, 1);
    }
}

static void who_is_refused_takes_nobody_along(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 0, 3);
    struct caller *refused = write_row(&scene, 0, POISON);
    write_to(&scene, 0, 3);
    wait_for(queued, 7);
    close_scene(&scene);
    assert_int_equal(atomic_load(&sizes[1]), 7);
    for (struct caller *each = scene.callers; each < scene.callers + scene.count; each++)
        assert_int_equal(each->done, each != refused);
    assert_string_equal(refused->err.code, "data_refused");
}

static void what_was_nobodys_fault_is_tried_again_as_it_is(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    write_to(&scene, 0, 1);
    wait_for(batches, 1);
    write_to(&scene, 0, 7);
    wait_for(queued, 7);
    atomic_store(&storms, 1);
    end_scene(&scene);
    assert_int_equal(batches(), 3);
    for (int i = 1; i < 3; i++)
        assert_int_equal(atomic_load(&sizes[i]), 7);
}

static void who_comes_when_it_has_drained_is_refused(UNUSED void **state)
{
    static struct scene scene;

    begin_scene(&scene);
    hold(0, BATCHES_MAX, false);
    journal_drain(scene.journal, deadline_in_ms(LONG_MS));
    write_to(&scene, 0, 1);
    close_scene(&scene);
    assert_false(scene.callers[0].done);
    assert_string_equal(scene.callers[0].err.code, "shutting_down");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, a_commit_that_said_nothing_is_asked_for);
    TABLE_ADD(&table, a_commit_that_nobody_knows_of_is_told_as_unknown);
    TABLE_ADD(&table, who_is_refused_takes_nobody_along);
    TABLE_ADD(&table, what_was_nobodys_fault_is_tried_again_as_it_is);
    TABLE_ADD(&table, who_comes_when_it_has_drained_is_refused);
    TABLE_ADD(&table, few_writes_wait_for_the_batch_under_way);
    TABLE_ADD(&table, many_writes_are_taken_beside_it);
    TABLE_ADD(&table, a_few_large_ones_are_taken_beside_it);
    TABLE_ADD(&table, who_has_waited_for_long_is_taken_beside_it);
    TABLE_ADD(&table, many_who_have_waited_for_long_are_all_taken_beside_it);
    TABLE_ADD(&table, another_stream_waits_for_nobody);
    TABLE_ADD(&table, what_is_queued_is_written_at_once_when_it_drains);
    return table_run(&table);
}
