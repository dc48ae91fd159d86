#include "shared/db/transaction.h"

#include <poll.h>

#include "shared/db/array.h"
#include "shared/db/connection_private.h"
#include "shared/runtime/crash_point.h"

/* How often the fate of a COMMIT is asked for, and how long one question may take. */
enum { RESOLVE_EVERY_MS = 50, RESOLVE_QUESTION_MS = 1000 };

/* Rolling back is a courtesy: a server that can not answer drops the connection anyway. */
enum { ROLLBACK_MS = 500 };

/* Writes that go to the server as one statement: writes[first] to writes[first + count - 1]. */
struct group {
    size_t first, count;
};

struct transaction {
    struct connection *connection;
    const struct appender *appender;
    int stream;
    struct deadline deadline;
    int64_t since_us;
    bool begun; /* BEGIN was answered */
    bool ended; /* committed or rolled back */
    char xid[TRANSACTION_XID_SIZE];
    size_t write_count;
    size_t flushed_count; /* of them are executed */
    size_t group_count;   /* of the flush at hand */
    struct buffer scratch;
    struct write *writes[TRANSACTION_WRITES_MAX];
    struct group groups[TRANSACTION_WRITES_MAX];
};

/* The number by which a commit whose answer was lost can be asked for. */
STATEMENT(transaction_xid, "any", "SELECT pg_current_xact_id()::text AS xid");
STATEMENT(xact_status, "any", "SELECT pg_xact_status($1::xid8) AS status");

struct transaction *transaction_begin(struct connection *connection,
                                      const struct appender *appender, int stream,
                                      struct deadline deadline)
{
    struct transaction *transaction = memory_allocate(sizeof(*transaction));

    transaction->connection = connection;
    transaction->appender = appender;
    transaction->stream = stream;
    transaction->deadline = deadline;
    transaction->since_us = clock_monotonic_us();
    transaction->begun = false;
    transaction->ended = false;
    transaction->xid[0] = '\0';
    transaction->write_count = 0;
    transaction->flushed_count = 0;
    transaction->group_count = 0;
    transaction->scratch = BUFFER_EMPTY;
    return transaction;
}

/* Whether the row is made by a write that is queued and was not sent yet. */
static bool makes(const struct transaction *transaction, struct id row)
{
    for (size_t i = transaction->flushed_count; i < transaction->write_count; i++)
        if (transaction->writes[i]->kind == WRITE_CREATE &&
            id_equal(transaction->writes[i]->row, row))
            return true;
    return false;
}

void transaction_write(struct transaction *transaction, struct write *write)
{
    assert(transaction->write_count < TRANSACTION_WRITES_MAX);
    assert(write->stream == transaction->stream);
    write->outcome = WRITE_REFUSED;
    write->of_new_row = write->kind == WRITE_CHANGE && makes(transaction, write->row);
    transaction->writes[transaction->write_count++] = write;
}

/* A stable insertion into order; batches arrive almost sorted (ids and keys grow with time). */
static void sort_pending(struct transaction *transaction)
{
    struct write **writes = transaction->writes;

    for (size_t i = transaction->flushed_count + 1; i < transaction->write_count; i++) {
        struct write *write = writes[i];
        size_t place = i;

        while (place > transaction->flushed_count && write_compare(writes[place - 1], write) > 0) {
            writes[place] = writes[place - 1];
            place--;
        }
        writes[place] = write;
    }
}

/* Sorted neighbours share a statement unless they would meet in one row or one key. */
static void form_groups(struct transaction *transaction)
{
    transaction->group_count = 0;
    for (size_t i = transaction->flushed_count; i < transaction->write_count; i++) {
        if (i == transaction->flushed_count ||
            !write_may_share(transaction->writes[i - 1], transaction->writes[i]))
            transaction->groups[transaction->group_count++] = (struct group){ i, 0 };
        transaction->groups[transaction->group_count - 1].count++;
    }
}

/* Everything that the pipeline will use; a pipeline that raised would leave it half prepared. */
static bool prepare_statements(struct transaction *transaction, struct error *err)
{
    const struct appender *appender = transaction->appender;
    struct connection *connection = transaction->connection;

    if (!transaction->begun &&
        !connection_prepare(connection, &transaction_xid, transaction->deadline, err))
        return false;
    for (size_t i = 0; !transaction->begun && i < appender->statement_count; i++)
        if (!connection_prepare(connection, appender->statements[i], transaction->deadline, err))
            return false;
    for (size_t i = 0; i < transaction->group_count; i++)
        if (!connection_prepare(connection,
                                transaction->writes[transaction->groups[i].first]->statement,
                                transaction->deadline, err))
            return false;
    return true;
}

/* One column of a group as an array, appended to the scratch buffer. */
static void write_column(struct transaction *transaction, const struct group *group, size_t column)
{
    struct write *const *writes = &transaction->writes[group->first];

    array_begin(&transaction->scratch, writes[0]->parameters.at[column].type, group->count);
    for (size_t i = 0; i < group->count; i++) {
        if (writes[i]->parameters.at[column].null)
            array_add_null(&transaction->scratch);
        else
            array_add(&transaction->scratch, parameters_value(&writes[i]->parameters, column));
    }
}

static bool send_group(struct transaction *transaction, const struct group *group,
                       struct error *err)
{
    const struct write *first = transaction->writes[group->first];
    struct pipeline_value values[PARAMETERS_MAX];
    size_t ends[PARAMETERS_MAX];
    size_t start = 0;

    buffer_clear(&transaction->scratch);
    for (size_t column = 0; column < first->parameters.count; column++) {
        write_column(transaction, group, column);
        ends[column] = transaction->scratch.length;
    }
    /* Only now does the buffer stand still. */
    for (size_t column = 0; column < first->parameters.count; column++) {
        values[column] = (struct pipeline_value){
            .value = { transaction->scratch.at + start, ends[column] - start }, .binary = true
        };
        start = ends[column];
    }
    return pipeline_send(transaction->connection, first->statement, values, first->parameters.count,
                         err);
}

static bool send_flush(struct transaction *transaction, struct error *err)
{
    struct connection *connection = transaction->connection;

    if (!transaction->begun &&
        (!pipeline_send_text(connection, "BEGIN", err) ||
         !pipeline_send(connection, &transaction_xid, NULL, 0, err)))
        return false;
    for (size_t i = 0; i < transaction->group_count; i++)
        if (!send_group(transaction, &transaction->groups[i], err))
            return false;
    return pipeline_sync(connection, err);
}

static bool read_begin(struct transaction *transaction, struct error *err)
{
    AUTO(rows_release) struct rows begin = ROWS_EMPTY;
    AUTO(rows_release) struct rows xid = ROWS_EMPTY;

    if (!pipeline_result(transaction->connection, transaction->deadline, &begin, err) ||
        !pipeline_result(transaction->connection, transaction->deadline, &xid, err))
        return false;
    struct row row = rows_at(&xid, 0);
    row_copy_text(&row, "xid", transaction->xid, sizeof(transaction->xid));
    transaction->begun = true;
    return true;
}

/* Rows come back mostly in the order of the writes, so the search goes on where it last ended. */
static void mark_done(struct transaction *transaction, const struct group *group,
                      const struct rows *rows)
{
    size_t at = 0;

    for (size_t i = 0; i < rows->count; i++) {
        struct row row = rows_at(rows, i);
        struct id id = row_id(&row, "id");
        size_t steps = 0;

        while (steps++ < group->count && !id_equal(transaction->writes[group->first + at]->row, id))
            at = (at + 1) % group->count;
        assert(steps <= group->count);
        transaction->writes[group->first + at]->outcome = WRITE_DONE;
    }
}

static bool read_flush(struct transaction *transaction, struct error *err)
{
    if (!transaction->begun && !read_begin(transaction, err))
        return false;
    for (size_t i = 0; i < transaction->group_count; i++) {
        AUTO(rows_release) struct rows rows = ROWS_EMPTY;

        if (!pipeline_result(transaction->connection, transaction->deadline, &rows, err))
            return false;
        mark_done(transaction, &transaction->groups[i], &rows);
    }
    return true;
}

/* Executes what is queued, and BEGIN if that is due. */
static bool execute_pending(struct transaction *transaction, struct error *err)
{
    assert(!transaction->ended);
    sort_pending(transaction);
    form_groups(transaction);
    if (!prepare_statements(transaction, err) || !pipeline_begin(transaction->connection, err))
        return false;

    bool done = send_flush(transaction, err) && read_flush(transaction, err);
    if (!pipeline_end(transaction->connection, transaction->deadline) && done)
        return connection_lost(transaction->connection, err);
    transaction->flushed_count = transaction->write_count;
    return done;
}

bool transaction_flush(struct transaction *transaction, struct error *err)
{
    if (transaction->flushed_count == transaction->write_count)
        return true;
    return execute_pending(transaction, err);
}

bool transaction_read(struct transaction *transaction, const struct statement *statement,
                      const struct parameters *parameters, struct rows *out, struct error *err)
{
    bool pending = transaction->flushed_count < transaction->write_count;

    if ((pending || !transaction->begun) && !execute_pending(transaction, err))
        return false;
    return connection_query(transaction->connection, statement, parameters, transaction->deadline,
                            out, err);
}

/* The events of all writes that took effect, in the order of the writes. The caller frees. */
static const struct event **collect_events(const struct transaction *transaction, size_t *count)
{
    const struct event **events =
        memory_allocate((transaction->write_count * WRITE_EVENTS_MAX + 1) * sizeof(*events));

    *count = 0;
    for (size_t i = 0; i < transaction->write_count; i++) {
        const struct write *write = transaction->writes[i];

        for (size_t j = 0; write->outcome == WRITE_DONE && j < write->event_count; j++)
            events[(*count)++] = write->events[j];
    }
    return events;
}

static void tell_committed(const struct transaction *transaction)
{
    size_t count = 0;
    const struct event **events = collect_events(transaction, &count);

    for (size_t i = 0; i < count; i++)
        transaction->appender->committed(events[i], transaction->since_us);
    free(events);
}

static bool send_commit(struct transaction *transaction, bool *appends, struct error *err)
{
    size_t count = 0;
    const struct event **events = collect_events(transaction, &count);

    *appends = count > 0;
    bool sent =
        (count == 0 || transaction->appender->send(transaction->connection, transaction->stream,
                                                   events, count, err)) &&
        pipeline_send_text(transaction->connection, "COMMIT", err);
    free(events);
    if (!sent || !pipeline_sync(transaction->connection, err))
        return false;
    CRASH_POINT("transaction:commit_sent");
    return true;
}

static bool read_commit(struct transaction *transaction, bool appends, struct error *err)
{
    size_t before = appends ? transaction->appender->statement_count : 0;

    for (size_t i = 0; i <= before; i++) {
        AUTO(rows_release) struct rows rows = ROWS_EMPTY;

        if (!pipeline_result(transaction->connection, transaction->deadline, &rows, err))
            return false;
        /* A COMMIT of a failed transaction succeeds, and says ROLLBACK. */
        if (i == before && strcmp(pipeline_tag(&rows), "COMMIT") != 0)
            return error_set(err, ERROR_TRANSIENT, "database_busy",
                             "the transaction was rolled back");
    }
    return true;
}

/* COMMIT may have left: only the server's word says that it did not happen. */
static enum commit_outcome judge_failure(const struct transaction *transaction,
                                         const struct error *err)
{
    return transaction->connection->broken || err->kind == ERROR_UNAVAILABLE ? COMMIT_UNKNOWN
                                                                             : COMMIT_FAILED;
}

enum commit_outcome transaction_commit(struct transaction *transaction, struct error *err)
{
    bool appends = false;

    if (!transaction_flush(transaction, err))
        return COMMIT_FAILED;
    if (!transaction->begun) {
        transaction->ended = true;
        return COMMIT_DONE;
    }
    if (!pipeline_begin(transaction->connection, err))
        return COMMIT_FAILED;
    CRASH_POINT("transaction:before_commit");
    transaction->ended =
        send_commit(transaction, &appends, err) && read_commit(transaction, appends, err);
    (void)pipeline_end(transaction->connection, transaction->deadline);
    if (!transaction->ended)
        return judge_failure(transaction, err);
    tell_committed(transaction);
    return COMMIT_DONE;
}

void transaction_rollback(struct transaction *transaction)
{
    struct connection *connection = transaction->connection;
    struct error err;

    if (transaction->ended)
        return;
    transaction->ended = true;
    if (!connection->broken && PQtransactionStatus(connection->pg) != PQTRANS_IDLE &&
        !connection_execute(connection, "ROLLBACK", deadline_in_ms(ROLLBACK_MS), &err))
        connection->broken = true;
}

void transaction_end(struct transaction *transaction)
{
    if (transaction == NULL)
        return;
    transaction_rollback(transaction);
    buffer_release(&transaction->scratch);
    free(transaction);
}

/* Any event that was appended will do: they stand in the log together or not at all. */
static const struct event *find_witness(const struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->write_count; i++) {
        const struct write *write = transaction->writes[i];

        if (write->outcome == WRITE_DONE && write->event_count > 0)
            return write->events[0];
    }
    return NULL;
}

struct commit_question transaction_question(const struct transaction *transaction)
{
    struct commit_question question = { .appender = transaction->appender,
                                        .witness = find_witness(transaction) };

    text_copy(question.xid, sizeof(question.xid), transaction->xid);
    return question;
}

/* True when it is known how the transaction ended: `committed` is what its id says. */
static bool ask_status(struct connection *connection, const char *xid, struct deadline deadline,
                       bool *committed)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct error err;

    *committed = false;
    parameters_begin(&parameters);
    parameters_add_text(&parameters, xid);
    if (!connection_query(connection, &xact_status, &parameters, deadline, &rows, &err))
        return err.kind == ERROR_DATA; /* "in the future": the server was killed and forgot it */
    struct row row = rows_at(&rows, 0);
    *committed = strcmp(row_text(&row, "status"), "committed") == 0;
    return *committed || strcmp(row_text(&row, "status"), "aborted") == 0;
}

/* COMMIT_UNKNOWN while it is in progress or the server does not answer. */
static enum commit_outcome ask(struct connection *connection,
                               const struct commit_question *question, struct deadline deadline)
{
    struct error err;
    bool committed, found;

    if (!ask_status(connection, question->xid, deadline, &committed))
        return COMMIT_UNKNOWN;
    if (!committed)
        return COMMIT_FAILED;
    if (!question->appender->find(connection, question->witness, deadline, &found, &err))
        return COMMIT_UNKNOWN;
    return found ? COMMIT_DONE : COMMIT_FAILED;
}

enum commit_outcome transaction_resolve(const char *connection_string,
                                        const struct commit_question *question,
                                        struct deadline deadline)
{
    enum commit_outcome outcome = COMMIT_UNKNOWN;
    bool can_tell = question->xid[0] != '\0' && question->witness != NULL;

    while (can_tell && outcome == COMMIT_UNKNOWN && !deadline_passed(deadline)) {
        struct deadline patience = deadline_earlier(deadline, deadline_in_ms(RESOLVE_QUESTION_MS));
        struct connection *connection = NULL;
        struct error err;

        if (connection_open(connection_string, patience, &connection, &err))
            outcome = ask(connection, question, patience);
        connection_close(connection);
        if (outcome == COMMIT_UNKNOWN)
            (void)poll(NULL, 0, RESOLVE_EVERY_MS);
    }
    return outcome;
}
