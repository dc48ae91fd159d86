/*
 * Transaction: writes, reads between them, and their announcements, committed as one.
 *
 *     transaction_begin      BEGIN and the transaction's id, sent with the first flush
 *     transaction_write      queues a write; nothing is sent yet
 *     transaction_read       sends what is queued, then reads: it sees what was written before
 *     transaction_flush      sends what is queued (pipelined, equal writes as one statement) and
 *                            sets each write's outcome
 *     transaction_commit     flushes, appends the events of all writes that took effect to the
 *                            event log (the stream's lock is the last lock taken), and commits
 *     transaction_rollback   forgets everything; after any failure it is the only call allowed
 *
 * The journal and the consumers stand on this: there is no other way to write.
 *
 * The connection is borrowed. One thread.
 */
#ifndef CHECKOUT_DB_TRANSACTION_H
#define CHECKOUT_DB_TRANSACTION_H

#include "shared/db/pipeline.h"
#include "shared/db/write.h"

/* Writes in one transaction: bounds its memory and how long the stream's lock is held. */
enum { TRANSACTION_WRITES_MAX = 1024 };

/* How events reach the log: given by shared/events, so that this room needs not know it. */
struct appender {
    /* Queues the statements that append `events` to `stream` with pipeline_send(). */
    bool (*send)(struct connection *connection, int stream, const struct event *const *events,
                 size_t count, struct error *err);
    /* The statements it queues, in order: prepared before, and one result is read for each. */
    const struct statement *const *statements;
    size_t statement_count;
    /* Whether this very event stands in the log. */
    bool (*find)(struct connection *connection, const struct event *event, struct deadline deadline,
                 bool *found, struct error *err);
    /* Told of each event once its commit is confirmed; `since_us` is when its transaction began, on
     * the monotonic clock. */
    void (*committed)(const struct event *event, int64_t since_us);
};

enum commit_outcome {
    COMMIT_FAILED,  /* certainly not committed */
    COMMIT_DONE,    /* certainly committed */
    COMMIT_UNKNOWN, /* the connection broke at COMMIT: ask with transaction_resolve() */
};

struct transaction;

/* Never fails: nothing is sent. All writes are of one stream. The caller ends it. */
struct transaction *transaction_begin(struct connection *connection,
                                      const struct appender *appender, int stream,
                                      struct deadline deadline);

/* Queues the write, borrowed until the transaction ends. Our own bug beyond the maximum. */
void transaction_write(struct transaction *transaction, struct write *write);

MUST_CHECK bool transaction_flush(struct transaction *transaction, struct error *err);

MUST_CHECK bool transaction_read(struct transaction *transaction, const struct statement *statement,
                                 const struct parameters *parameters, struct rows *out,
                                 struct error *err);

/* err is filled unless it returns COMMIT_DONE. */
MUST_CHECK enum commit_outcome transaction_commit(struct transaction *transaction,
                                                  struct error *err);

/* Rolls back if it is still open; the connection is unusable when even that failed. */
void transaction_rollback(struct transaction *transaction);

/* Frees it, rolled back if it is still open. Takes NULL. */
void transaction_end(struct transaction *transaction);

/* "18446744073709551615" and its NUL. */
enum { TRANSACTION_XID_SIZE = 24 };

/* What is needed to ask for a COMMIT after its transaction has ended. */
struct commit_question {
    const struct appender *appender;
    char xid[TRANSACTION_XID_SIZE]; /* "" before the first flush */
    const struct event *witness;    /* one of the events it appended, borrowed; or NULL */
};

struct commit_question transaction_question(const struct transaction *transaction);

/*
 * Asks on another connection what became of a COMMIT, again and again until it is known or the
 * deadline passes. pg_xact_status tells when it is decided, but not alone how: a server that was
 * killed forgets the ids of transactions that it had not yet written, and gives them to others. So
 * "committed" counts only if the witness stands in the log, and a transaction without events stays
 * COMMIT_UNKNOWN.
 */
enum commit_outcome transaction_resolve(const char *connection_string,
                                        const struct commit_question *question,
                                        struct deadline deadline);

#endif
