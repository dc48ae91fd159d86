#include "shared/db/journal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

/* Between attempts to reach a server that is away. */
enum { RECONNECT_EVERY_MS = 100 };

enum { WRITERS_MAX = 16 };

/* One caller's place in the queue, on that caller's stack. */
struct ticket {
    struct write *write;
    struct error *err;
    struct ticket *next;
    int64_t queued_at_us;
    bool taken;       /* guarded by the journal's mutex */
    atomic_bool done; /* the answer to journal_commit() */
    sem_t told;       /* posted when `done`, `err` and the write are final */
};

/* First in, first out, per stream. */
struct queue {
    int stream;
    struct ticket *first, **last;
    size_t count;
    size_t bytes;   /* of their values */
    size_t batches; /* taken from it and under way */
    bool urgent;    /* somebody has waited for long, and may still be in it */
};

struct writer {
    struct journal *journal;
    pthread_t thread;
    struct connection *connection; /* NULL while there is none */
    struct queue *queue;           /* of its batch; NULL while it has none */
    size_t count;
    struct ticket *batch[JOURNAL_BATCH_MAX];
};

struct journal {
    struct journal_settings settings;
    pthread_mutex_t mutex; /* guards what follows, up to the writers */
    pthread_cond_t filled, ended;
    bool draining;
    size_t running; /* writers that have not ended */
    size_t queued;
    size_t next_queue; /* where the next writer looks first: no stream starves */
    size_t queue_count;
    struct queue queues[JOURNAL_STREAMS_MAX];
    struct metric *depth, *batch_size, *commit_seconds, *queue_seconds, *retries, *unknown;
    size_t writer_count;
    struct writer writers[WRITERS_MAX];
};

/* ---- The queues --------------------------------------------------------------------------- */

/* Of what follows, what does not lock the mutex is called with it held. */

/* The stream's queue, made when it is first used; NULL when there are too many. */
static struct queue *queue_of(struct journal *journal, int stream)
{
    for (size_t i = 0; i < journal->queue_count; i++)
        if (journal->queues[i].stream == stream)
            return &journal->queues[i];
    if (journal->queue_count == JOURNAL_STREAMS_MAX)
        return NULL;

    struct queue *queue = &journal->queues[journal->queue_count++];
    queue->stream = stream;
    queue->first = NULL;
    queue->last = &queue->first;
    return queue;
}

/* The one that the ticket was put into. */
static struct queue *queue_with(struct journal *journal, const struct ticket *ticket)
{
    struct queue *queue = queue_of(journal, ticket->write->stream);

    assert(queue);
    return queue;
}

/* Whether a writer may take of it. */
static bool is_ready(const struct journal *journal, const struct queue *queue)
{
    if (queue->first == NULL)
        return false;
    return journal->draining || queue->batches == 0 || queue->count >= JOURNAL_JOIN_COUNT ||
           queue->bytes >= JOURNAL_JOIN_BYTES || queue->urgent;
}

static size_t bytes_of(const struct ticket *ticket)
{
    return ticket->write->parameters.block.length;
}

static void note_empty(struct queue *queue)
{
    queue->last = &queue->first;
    queue->urgent = false;
}

static bool refuse(const struct journal *journal, struct error *err)
{
    if (journal->draining)
        return error_set(err, ERROR_UNAVAILABLE, "shutting_down", "the service is shutting down");
    error_set(err, ERROR_OVERLOADED, "overloaded", "too many writes are waiting");
    err->retry_after_s = 1;
    return false;
}

static bool enqueue(struct journal *journal, struct ticket *ticket, struct error *err)
{
    pthread_mutex_lock(&journal->mutex);
    struct queue *queue = queue_of(journal, ticket->write->stream);
    bool taken = queue != NULL && !journal->draining && journal->queued < JOURNAL_QUEUE_MAX;

    if (taken) {
        *queue->last = ticket;
        queue->last = &ticket->next;
        queue->count++;
        queue->bytes += bytes_of(ticket);
        metric_set(journal->depth, (int64_t)++journal->queued);
        if (is_ready(journal, queue))
            pthread_cond_signal(&journal->filled);
    } else {
        (void)refuse(journal, err);
    }
    pthread_mutex_unlock(&journal->mutex);
    return taken;
}

/* True when the ticket was still waiting, and waits no more. */
static bool withdraw(struct journal *journal, struct ticket *ticket)
{
    bool found = false;

    pthread_mutex_lock(&journal->mutex);
    struct queue *queue = queue_with(journal, ticket);
    for (struct ticket **at = &queue->first; *at != NULL && !found; at = &(*at)->next) {
        if (*at != ticket)
            continue;
        found = true;
        *at = ticket->next;
        if (queue->last == &ticket->next)
            queue->last = at;
        if (queue->first == NULL)
            note_empty(queue);
        queue->count--;
        queue->bytes -= bytes_of(ticket);
        metric_set(journal->depth, (int64_t)--journal->queued);
        break;
    }
    pthread_mutex_unlock(&journal->mutex);
    return found;
}

/* Who has waited for long, and has no batch yet, asks another writer to take what is queued. */
static void call_writer(struct journal *journal, const struct ticket *ticket)
{
    pthread_mutex_lock(&journal->mutex);
    if (!ticket->taken) {
        queue_with(journal, ticket)->urgent = true;
        pthread_cond_signal(&journal->filled);
    }
    pthread_mutex_unlock(&journal->mutex);
}

/* Whose turn it is of those that are ready: no stream starves. NULL when none is. */
static struct queue *find_ready_queue(struct journal *journal)
{
    for (size_t i = 0; i < journal->queue_count; i++) {
        struct queue *queue = &journal->queues[(journal->next_queue + i) % journal->queue_count];

        if (is_ready(journal, queue))
            return queue;
    }
    return NULL;
}

static void take_tickets(struct journal *journal, struct queue *queue, struct writer *writer)
{
    while (queue->first != NULL && writer->count < JOURNAL_BATCH_MAX) {
        queue->first->taken = true;
        queue->bytes -= bytes_of(queue->first);
        writer->batch[writer->count++] = queue->first;
        queue->first = queue->first->next;
    }
    if (queue->first == NULL)
        note_empty(queue);
    queue->count -= writer->count;
    queue->batches++;
    writer->queue = queue;
    journal->next_queue = ((size_t)(queue - journal->queues) + 1) % journal->queue_count;
    journal->queued -= writer->count;
    metric_set(journal->depth, (int64_t)journal->queued);
}

static void put_batch_away(struct writer *writer)
{
    if (writer->queue != NULL)
        writer->queue->batches--;
    writer->queue = NULL;
    writer->count = 0;
}

/*
 * Takes what has queued for one stream, when the writer's batch before is done; an empty batch
 * means that the journal has drained. What else is ready then is for a writer that sleeps.
 */
static void take_batch(struct journal *journal, struct writer *writer)
{
    struct queue *queue = NULL;

    pthread_mutex_lock(&journal->mutex);
    put_batch_away(writer);
    while ((queue = find_ready_queue(journal)) == NULL && !journal->draining)
        pthread_cond_wait(&journal->filled, &journal->mutex);
    if (queue != NULL)
        take_tickets(journal, queue, writer);
    if (find_ready_queue(journal) != NULL)
        pthread_cond_signal(&journal->filled);
    pthread_mutex_unlock(&journal->mutex);
}

/* ---- One batch ---------------------------------------------------------------------------- */

/*
 * The ticket lives on its caller's stack: after the post it is gone. The semaphore orders what both
 * threads see; the flag does too, because thread sanitizers do not know sem_clockwait().
 */
static void tell(struct ticket *ticket, const struct error *failure)
{
    if (failure != NULL)
        *ticket->err = *failure;
    atomic_store_explicit(&ticket->done, failure == NULL, memory_order_release);
    sem_post(&ticket->told);
}

static void tell_all(struct ticket **tickets, size_t count, const struct error *failure)
{
    for (size_t i = 0; i < count; i++)
        tell(tickets[i], failure);
}

static void disconnect(struct writer *writer)
{
    connection_close(writer->connection);
    writer->connection = NULL;
}

/* Tries until the deadline: a server that restarts is back within a second or two. */
static bool connect(struct writer *writer, struct deadline deadline, struct error *err)
{
    if (writer->connection != NULL && connection_is_usable(writer->connection))
        return true;
    disconnect(writer);
    while (!connection_open(writer->journal->settings.connection_string, deadline,
                            &writer->connection, err)) {
        if (deadline_left_ms(deadline) <= RECONNECT_EVERY_MS)
            return false;
        (void)poll(NULL, 0, RECONNECT_EVERY_MS);
    }
    return true;
}

/* One transaction for the tickets. The commit's fate is asked for when it was not told. */
static enum commit_outcome attempt(struct writer *writer, struct ticket **tickets, size_t count,
                                   struct deadline deadline, struct error *err)
{
    const struct journal_settings *settings = &writer->journal->settings;

    if (!connect(writer, deadline, err))
        return COMMIT_FAILED;
    struct transaction *transaction = transaction_begin(writer->connection, settings->appender,
                                                        tickets[0]->write->stream, deadline);
    for (size_t i = 0; i < count; i++)
        transaction_write(transaction, tickets[i]->write);
    enum commit_outcome outcome = transaction_commit(transaction, err);
    struct commit_question question = transaction_question(transaction);
    transaction_end(transaction);

    if (outcome == COMMIT_UNKNOWN) {
        disconnect(writer);
        outcome = transaction_resolve(settings->connection_string, &question, deadline);
        metric_add(writer->journal->unknown, 1);
    }
    return outcome;
}

static bool announces(struct ticket *const *tickets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tickets[i]->write->outcome == WRITE_DONE && tickets[i]->write->event_count > 0)
            return true;
    return false;
}

/* Wakes the relay before the callers, who may be many. */
static void finish(struct writer *writer, struct ticket **tickets, size_t count)
{
    const struct journal_settings *settings = &writer->journal->settings;

    CRASH_POINT("journal:before_answer");
    if (settings->on_commit != NULL && announces(tickets, count))
        settings->on_commit(settings->on_commit_ctx, tickets[0]->write->stream);
    tell_all(tickets, count, NULL);
}

static void fail_unknown(struct ticket **tickets, size_t count)
{
    struct error err;

    error_set(&err, ERROR_UNKNOWN_OUTCOME, "outcome_unknown",
              "the database did not say whether it committed; repeat with the same "
              "Idempotency-Key");
    err.retry_after_s = 1;
    tell_all(tickets, count, &err);
}

/* Worth another try as a whole: it was nobody's fault, or the server was away. */
static bool is_weather(enum error_kind kind)
{
    return kind == ERROR_TRANSIENT || kind == ERROR_UNAVAILABLE;
}

/*
 * Commits the tickets, or finds who is in the way: what fails for its content is tried in halves
 * until the offender stands alone. Recursion is at most log2(JOURNAL_BATCH_MAX) deep.
 */
static void commit_tickets(struct writer *writer, struct ticket **tickets, size_t count,
                           struct deadline deadline)
{
    struct error err;
    enum commit_outcome outcome = attempt(writer, tickets, count, deadline, &err);

    if (outcome == COMMIT_FAILED && is_weather(err.kind) && !deadline_passed(deadline)) {
        metric_add(writer->journal->retries, 1);
        outcome = attempt(writer, tickets, count, deadline, &err);
    }
    if (outcome == COMMIT_DONE) {
        finish(writer, tickets, count);
    } else if (outcome == COMMIT_UNKNOWN) {
        fail_unknown(tickets, count);
    } else if (count == 1 || deadline_passed(deadline) || err.kind == ERROR_UNAVAILABLE) {
        log_swallowed(LOG_LEVEL_WARNING, "batch failed", &err);
        tell_all(tickets, count, &err);
    } else {
        metric_add(writer->journal->retries, 1);
        commit_tickets(writer, tickets, count / 2, deadline);
        commit_tickets(writer, tickets + count / 2, count - count / 2, deadline);
    }
}

static void observe_waiting(struct writer *writer, int64_t now_us)
{
    struct journal *journal = writer->journal;

    metric_observe_size(journal->batch_size, (int64_t)writer->count);
    for (size_t i = 0; i < writer->count; i++)
        metric_observe_us(journal->queue_seconds, now_us - writer->batch[i]->queued_at_us);
}

static void *write_batches(void *ctx)
{
    struct writer *writer = ctx;
    struct journal *journal = writer->journal;

    for (;;) {
        take_batch(journal, writer);
        if (writer->count == 0)
            break;
        int64_t start_us = clock_monotonic_us();
        observe_waiting(writer, start_us);
        commit_tickets(writer, writer->batch, writer->count,
                       deadline_in_ms(journal->settings.batch_timeout_ms));
        metric_observe_us(journal->commit_seconds, clock_monotonic_us() - start_us);
    }
    disconnect(writer);
    pthread_mutex_lock(&journal->mutex);
    journal->running--;
    pthread_cond_signal(&journal->ended);
    pthread_mutex_unlock(&journal->mutex);
    return NULL;
}

/* ---- The journal -------------------------------------------------------------------------- */

static void make_metrics(struct journal *journal)
{
    journal->depth = metric_gauge("checkout_journal_queued", "Writes waiting for a batch", "");
    journal->batch_size =
        metric_sizes("checkout_journal_batch_size", "Writes taken into one batch", "");
    journal->commit_seconds =
        metric_seconds("checkout_journal_commit_seconds", "Time of one batch, BEGIN to COMMIT", "");
    journal->queue_seconds =
        metric_seconds("checkout_journal_queue_seconds", "Time a write waited for its batch", "");
    journal->retries =
        metric_counter("checkout_journal_retries_total", "Batches tried again or in halves", "");
    journal->unknown = metric_counter("checkout_journal_unknown_commits_total",
                                      "Commits whose outcome had to be asked for", "");
}

struct journal *journal_create(const struct journal_settings *settings)
{
    struct journal *journal = memory_allocate_zeroed(1, sizeof(*journal));

    assert(settings->writers >= 1 && settings->writers <= WRITERS_MAX);
    journal->settings = *settings;
    pthread_mutex_init(&journal->mutex, NULL);
    pthread_cond_init(&journal->filled, NULL);
    pthread_cond_init(&journal->ended, NULL);
    journal->running = settings->writers;
    make_metrics(journal);
    for (; journal->writer_count < settings->writers; journal->writer_count++) {
        struct writer *writer = &journal->writers[journal->writer_count];

        writer->journal = journal;
        int failed = pthread_create(&writer->thread, NULL, write_batches, writer);
        assert(failed == 0);
    }
    return journal;
}

/* With the mutex held. */
static void refuse_queued(struct journal *journal)
{
    struct error err;

    (void)refuse(journal, &err);
    for (size_t i = 0; i < journal->queue_count; i++) {
        struct queue *queue = &journal->queues[i];

        while (queue->first != NULL) {
            struct ticket *ticket = queue->first;

            queue->first = ticket->next;
            tell(ticket, &err);
        }
        note_empty(queue);
        queue->count = 0;
        queue->bytes = 0;
    }
    journal->queued = 0;
    metric_set(journal->depth, 0);
}

void journal_drain(struct journal *journal, struct deadline deadline)
{
    struct timespec until = deadline_timespec(deadline);

    pthread_mutex_lock(&journal->mutex);
    journal->draining = true;
    pthread_cond_broadcast(&journal->filled);
    while (journal->running > 0 &&
           pthread_cond_clockwait(&journal->ended, &journal->mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
    refuse_queued(journal);
    pthread_mutex_unlock(&journal->mutex);
    for (; journal->writer_count > 0; journal->writer_count--)
        pthread_join(journal->writers[journal->writer_count - 1].thread, NULL);
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return;
    journal_drain(journal, deadline_in_ms(0));
    pthread_cond_destroy(&journal->filled);
    pthread_cond_destroy(&journal->ended);
    pthread_mutex_destroy(&journal->mutex);
    free(journal);
}

static bool was_done(struct ticket *ticket)
{
    return atomic_load_explicit(&ticket->done, memory_order_acquire);
}

/* False when the time is over first. */
static bool is_told(struct ticket *ticket, struct deadline deadline)
{
    struct timespec until = deadline_timespec(deadline);

    while (sem_clockwait(&ticket->told, CLOCK_MONOTONIC, &until) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

/* Waits for the batch that took the ticket, however long: that batch has a deadline. */
static bool await(struct journal *journal, struct ticket *ticket, struct deadline deadline)
{
    int64_t half_ms = deadline_left_ms(deadline) / 2;

    if (is_told(ticket, deadline_in_ms(half_ms < JOURNAL_JOIN_MS ? half_ms : JOURNAL_JOIN_MS)))
        return was_done(ticket);
    call_writer(journal, ticket);
    if (is_told(ticket, deadline))
        return was_done(ticket);
    if (withdraw(journal, ticket))
        return error_set(ticket->err, ERROR_DEADLINE, "deadline_exceeded",
                         "no batch had room in time; nothing was written");
    while (sem_wait(&ticket->told) != 0)
        ;
    return was_done(ticket);
}

bool journal_commit(struct journal *journal, struct write *write, struct deadline deadline,
                    struct error *err)
{
    struct ticket ticket = { .write = write, .err = err, .queued_at_us = clock_monotonic_us() };

    sem_init(&ticket.told, 0, 0);
    bool done = enqueue(journal, &ticket, err) && await(journal, &ticket, deadline);
    sem_destroy(&ticket.told);
    return done;
}
