#include <libpq-fe.h>

#include "shared/db/transaction.h"
#include "tests/unit/table.h"

/*
 * What became of a COMMIT, asked of a server that answers from the row under test. The linker
 * sends these calls of transaction.c here (see meson.build).
 */
bool __wrap_connection_open(const char *connection_string, struct deadline deadline,
                            struct connection **out, struct error *err);
void __wrap_connection_close(struct connection *connection);
bool __wrap_connection_query(struct connection *connection, const struct statement *statement,
                             const struct parameters *parameters, struct deadline deadline,
                             struct rows *out, struct error *err);

static const struct fate {
    const char *label;
    const char *xid;
    bool has_witness;
    const char
        *statuses[3]; /* pg_xact_status, question by question; "!" raises, "?" is no answer */
    bool stands_in_log;
    enum commit_outcome expected;
    int expected_questions;
} rows[] = {
    { "committed, and its event stands in the log",
      "7",
      true,
      { "committed" },
      true,
      COMMIT_DONE,
      1 },
    { "committed, but not by us: the id was given out again",
      "7",
      true,
      { "committed" },
      false,
      COMMIT_FAILED,
      1 },
    { "an id from the future was forgotten by a server that was killed",
      "7",
      true,
      { "!" },
      false,
      COMMIT_FAILED,
      1 },
    { "aborted", "7", true, { "aborted" }, true, COMMIT_FAILED, 1 },
    { "in progress is asked again",
      "7",
      true,
      { "in progress", "", "committed" },
      true,
      COMMIT_DONE,
      3 },
    { "a server that does not answer is asked again",
      "7",
      true,
      { "?", "aborted" },
      false,
      COMMIT_FAILED,
      2 },
    { "without an event nothing can be told",
      "7",
      false,
      { "committed" },
      true,
      COMMIT_UNKNOWN,
      0 },
    { "without an id nothing can be asked", "", true, { "committed" }, true, COMMIT_UNKNOWN, 0 },
};

static struct {
    const struct fate *row;
    int questions, open;
} server;

bool __wrap_connection_open(const char *connection_string, struct deadline deadline,
                            struct connection **out, struct error *err)
{
    (void)connection_string, (void)deadline, (void)err;
    server.open++;
    *out = (struct connection *)&server;
    return true;
}

void __wrap_connection_close(struct connection *connection)
{
    assert_ptr_equal(connection, &server);
    server.open--;
}

static struct pg_result *make_status(const char *status)
{
    char name[] = "status", value[16];
    PGresAttDesc column = { .name = name };
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

    text_copy(value, sizeof(value), status);
    assert_true(PQsetResultAttrs(result, 1, &column));
    assert_true(PQsetvalue(result, 0, 0, value, (int)strlen(value)));
    return (struct pg_result *)result;
}

bool __wrap_connection_query(struct connection *connection, const struct statement *statement,
                             const struct parameters *parameters, struct deadline deadline,
                             struct rows *out, struct error *err)
{
    const char *status = server.row->statuses[server.questions++];

    (void)connection, (void)statement, (void)parameters, (void)deadline;
    if (status[0] == '!')
        return error_set(err, ERROR_DATA, "data_refused", "transaction ID 7 is in the future");
    if (status[0] == '?')
        return error_set(err, ERROR_UNAVAILABLE, "database_unavailable", "away");
    *out = (struct rows){ make_status(status), 1 };
    return true;
}

static bool find(struct connection *connection, const struct event *event, struct deadline deadline,
                 bool *found, struct error *err)
{
    (void)connection, (void)event, (void)deadline, (void)err;
    *found = server.row->stands_in_log;
    return true;
}

static void check_resolve(void **state)
{
    static const struct appender appender = { .find = find };
    static const char event;
    const struct fate *row = *state;
    struct commit_question question = { .appender = &appender };

    if (row->has_witness)
        question.witness = (const struct event *)&event;
    text_copy(question.xid, sizeof(question.xid), row->xid);
    server.row = row;
    server.questions = 0;
    server.open = 0;
    assert_int_equal(transaction_resolve("", &question, deadline_in_ms(10000)), row->expected);
    assert_int_equal(server.questions, row->expected_questions);
    assert_int_equal(server.open, 0);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_resolve);
    return table_run(&table);
}
