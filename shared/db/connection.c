#include "shared/db/connection.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>

#include "shared/db/connection_private.h"
#include "shared/db/sqlstate.h"
#include "shared/runtime/log.h"

/*
 * Times are read as UTC. Plans are made once and for keys: our statements name their rows by index,
 * and a plan made while a table was small must not scan it when it is large.
 */
static const char session_settings[] = "SET timezone TO 'UTC'; SET jit TO off;"
                                       "SET plan_cache_mode TO force_generic_plan;"
                                       "SET enable_seqscan TO off";

/*
 * Of an empty table the server has no statistics, and takes any index that begins like the right
 * one for as good: such a plan reads ever more as the table grows. So plans are made anew after so
 * many uses of prepared statements, and whenever they have doubled since.
 */
enum { PLANS_RENEW_AT = 4 };

bool connection_lost(struct connection *connection, struct error *err)
{
    connection->broken = true;
    return sqlstate_error(connection->pg, NULL, err);
}

static bool too_late(struct connection *connection, struct error *err)
{
    connection->broken = true;
    return error_set(err, ERROR_DEADLINE, "database_timeout",
                     "the database did not answer in time");
}

/* Waits for the socket; true when something may be done with it. */
static bool wait_for(struct connection *connection, short events, struct deadline deadline,
                     struct error *err)
{
    struct pollfd socket = { .fd = PQsocket(connection->pg), .events = events };
    int ready = poll(&socket, 1, deadline_left_ms(deadline));

    if (ready > 0 || (ready < 0 && errno == EINTR))
        return true;
    return too_late(connection, err);
}

static bool finish_connecting(struct connection *connection, struct deadline deadline,
                              struct error *err)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED)
            return connection_lost(connection, err);
        if (!wait_for(connection, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline,
                      err))
            return false;
        status = PQconnectPoll(connection->pg);
    }
    return PQsetnonblocking(connection->pg, 1) == 0 || connection_lost(connection, err);
}

static bool open_session(struct connection *connection, const char *connection_string,
                         struct deadline deadline, struct error *err)
{
    const char *const names[] = { "dbname", "client_encoding", NULL };
    const char *const values[] = { connection_string, "UTF8", NULL };

    connection->pg = PQconnectStartParams(names, values, 1);
    if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD)
        return connection_lost(connection, err);
    return finish_connecting(connection, deadline, err) &&
           connection_execute(connection, session_settings, deadline, err);
}

bool connection_open(const char *connection_string, struct deadline deadline,
                     struct connection **out, struct error *err)
{
    struct connection *connection = memory_allocate_zeroed(1, sizeof(*connection));

    connection->renew_at = PLANS_RENEW_AT;
    if (!open_session(connection, connection_string, deadline, err)) {
        connection_close(connection);
        return false;
    }
    *out = connection;
    return true;
}

void connection_close(struct connection *connection)
{
    if (connection == NULL)
        return;
    PQfinish(connection->pg);
    free(connection);
}

bool connection_is_usable(const struct connection *connection)
{
    return !connection->broken && PQstatus(connection->pg) == CONNECTION_OK &&
           PQtransactionStatus(connection->pg) == PQTRANS_IDLE;
}

bool connection_push(struct connection *connection, struct error *err)
{
    /* 1 means that the socket is full: what the server sent meanwhile must be read. */
    int left = PQflush(connection->pg);

    if (left < 0 || (left > 0 && PQconsumeInput(connection->pg) == 0))
        return connection_lost(connection, err);
    return true;
}

bool connection_next_result(struct connection *connection, struct deadline deadline, PGresult **out,
                            struct error *err)
{
    for (;;) {
        int left = PQflush(connection->pg);

        if (left < 0)
            return connection_lost(connection, err);
        if (left == 0 && PQisBusy(connection->pg) == 0)
            break;
        if (!wait_for(connection, left > 0 ? POLLIN | POLLOUT : POLLIN, deadline, err))
            return false;
        if (PQconsumeInput(connection->pg) == 0)
            return connection_lost(connection, err);
    }
    *out = PQgetResult(connection->pg);
    return true;
}

/* Reads all results of one command and keeps the first failure, or else the last result. */
static bool finish_command(struct connection *connection, struct deadline deadline, PGresult **out,
                           struct error *err)
{
    PGresult *kept = NULL, *next = NULL;
    bool failed = false;

    for (;;) {
        if (!connection_next_result(connection, deadline, &next, err)) {
            PQclear(kept);
            return false;
        }
        if (next == NULL)
            break;
        if (failed) {
            PQclear(next);
            continue;
        }
        PQclear(kept);
        kept = next;
        failed = PQresultStatus(kept) == PGRES_FATAL_ERROR;
    }
    if (kept == NULL || failed) {
        connection->broken |= PQstatus(connection->pg) != CONNECTION_OK;
        (void)sqlstate_error(connection->pg, kept, err);
        PQclear(kept);
        return false;
    }
    *out = kept;
    return true;
}

bool connection_execute(struct connection *connection, const char *sql, struct deadline deadline,
                        struct error *err)
{
    PGresult *result = NULL;

    if (PQsendQuery(connection->pg, sql) == 0)
        return connection_lost(connection, err);
    if (!finish_command(connection, deadline, &result, err))
        return false;
    PQclear(result);
    return true;
}

/* False when the connection is lost: a server that keeps its plans is no reason to fail. */
static bool renew_plans(struct connection *connection, struct deadline deadline, struct error *err)
{
    if (++connection->uses < connection->renew_at ||
        PQtransactionStatus(connection->pg) != PQTRANS_IDLE)
        return true;
    connection->renew_at = 2 * connection->uses;
    if (!connection_execute(connection, "DISCARD PLANS", deadline, err) && !connection->broken)
        log_swallowed(LOG_LEVEL_WARNING, "plans were not made anew", err);
    return !connection->broken;
}

bool connection_prepare(struct connection *connection, const struct statement *statement,
                        struct deadline deadline, struct error *err)
{
    PGresult *result = NULL;

    for (size_t i = 0; i < connection->prepared_count; i++)
        if (connection->prepared[i] == statement)
            return renew_plans(connection, deadline, err);
    assert(connection->prepared_count < CONNECTION_STATEMENTS_MAX);
    if (PQsendPrepare(connection->pg, statement->name, statement->sql, 0, NULL) == 0)
        return connection_lost(connection, err);
    if (!finish_command(connection, deadline, &result, err))
        return false;
    PQclear(result);
    connection->prepared[connection->prepared_count++] = statement;
    return true;
}

/* Numbers go as text, so that the server takes them for whatever integer type it expects. */
static void bind(const struct parameters *parameters, const char **values, int *lengths,
                 int *formats, char (*numbers)[24])
{
    for (size_t i = 0; i < parameters->count; i++) {
        const struct parameter *parameter = &parameters->at[i];
        struct span value = parameters_value(parameters, i);

        values[i] = parameter->null ? NULL : value.at;
        lengths[i] = (int)value.length;
        formats[i] = parameter->type != PARAMETER_TEXT;
        if (parameter->type == PARAMETER_INTEGER && !parameter->null) {
            uint64_t network_order;

            memcpy(&network_order, value.at, sizeof(network_order));
            text_format(numbers[i], sizeof(numbers[i]), "%lld", (long long)be64toh(network_order));
            values[i] = numbers[i];
            formats[i] = 0;
        }
    }
}

bool connection_query(struct connection *connection, const struct statement *statement,
                      const struct parameters *parameters, struct deadline deadline,
                      struct rows *out, struct error *err)
{
    static const struct parameters none = { .count = 0 };
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    char numbers[PARAMETERS_MAX][24];
    PGresult *result = NULL;

    parameters = parameters != NULL ? parameters : &none;
    if (!connection_prepare(connection, statement, deadline, err))
        return false;
    bind(parameters, values, lengths, formats, numbers);
    if (PQsendQueryPrepared(connection->pg, statement->name, (int)parameters->count, values,
                            lengths, formats, 0) == 0)
        return connection_lost(connection, err);
    if (!finish_command(connection, deadline, &result, err))
        return false;
    out->result = (struct pg_result *)result;
    out->count = (size_t)PQntuples(result);
    return true;
}

int connection_socket(const struct connection *connection)
{
    return PQsocket(connection->pg);
}

bool connection_take_notifications(struct connection *connection)
{
    bool any = false;
    PGnotify *notification = NULL;

    if (PQconsumeInput(connection->pg) == 0)
        connection->broken = true;
    while ((notification = PQnotifies(connection->pg)) != NULL) {
        PQfreemem(notification);
        any = true;
    }
    return any;
}
