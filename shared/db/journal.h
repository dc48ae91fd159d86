/*
 * Journal: the one way a service writes on behalf of a request or a worker.
 *
 * Writes that arrive together are committed together, with their events, in one transaction; each
 * caller waits for that commit and learns its own outcome:
 *
 *     struct write write;
 *     order_insert(&write, &order, &event);
 *     if (!journal_commit(journal, &write, deadline, err)) ...
 *     if (write.outcome == WRITE_REFUSED) ...
 *
 * A writer thread takes whatever has queued for one stream, without waiting for more. While it
 * commits, the next batch gathers: the busier the service, the larger the batches and the fewer
 * commits per write. Another writer joins when JOURNAL_JOIN_COUNT writes have gathered, or fewer
 * with values of JOURNAL_JOIN_BYTES, to execute their statements while the first commits; or when
 * one has waited JOURNAL_JOIN_MS, so that nobody stands behind statements that hang while a writer
 * is free. Sooner it would only make more and smaller batches.
 *
 * A statement that returns no row has refused (somebody was faster, the key was used before):
 * WRITE_REFUSED, nothing written, nothing announced. A statement that raises takes nobody with it:
 * its batch is retried in halves until the offender stands alone. Deadlocks and lock timeouts are
 * retried whole once.
 *
 * Any thread may commit. The deadline ends waiting in the queue; once a batch has taken the write,
 * the caller waits for that batch, which has a deadline of its own. Nothing is durable, and nothing
 * may be answered, before journal_commit() returns true. ERROR_UNKNOWN_OUTCOME means that the
 * commit may or may not have happened: repeat with the same idempotency key.
 */
#ifndef CHECKOUT_DB_JOURNAL_H
#define CHECKOUT_DB_JOURNAL_H

#include "shared/db/transaction.h"

/* Writes in one transaction. */
enum { JOURNAL_BATCH_MAX = 256 };

/* Writes waiting for a batch; one more is refused with ERROR_OVERLOADED. */
enum { JOURNAL_QUEUE_MAX = 4096 };

/* When a stream has another batch beside the one under way. */
enum { JOURNAL_JOIN_COUNT = 64, JOURNAL_JOIN_BYTES = 128 * 1024, JOURNAL_JOIN_MS = 100 };

/* Streams that one journal keeps apart. */
enum { JOURNAL_STREAMS_MAX = 64 };

struct journal_settings {
    const char *connection_string; /* borrowed for the journal's life */
    const struct appender *appender;
    size_t writers;           /* threads and connections, 1-16 */
    int64_t batch_timeout_ms; /* for one batch, retries and resolving included */

    /* Called after a commit that appended events, in the writer's thread: wakes the relay. */
    void (*on_commit)(void *ctx, int stream);
    void *on_commit_ctx;
};

struct journal;

/* Starts the writers, which connect by themselves. */
struct journal *journal_create(const struct journal_settings *settings);

/* Commits what is queued until the deadline, refuses the rest, and ends the writers. */
void journal_drain(struct journal *journal, struct deadline deadline);

/* Drains at once if it was not drained. Nobody may be in journal_commit(). Takes NULL. */
void journal_destroy(struct journal *journal);

MUST_CHECK bool journal_commit(struct journal *journal, struct write *write,
                               struct deadline deadline, struct error *err);

#endif
