#include "shared/db/pipeline.h"

#include "shared/db/connection_private.h"
#include "shared/db/sqlstate.h"

bool pipeline_begin(struct connection *connection, struct error *err)
{
    return PQenterPipelineMode(connection->pg) == 1 || connection_lost(connection, err);
}

bool pipeline_send_text(struct connection *connection, const char *sql, struct error *err)
{
    if (PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0) == 0)
        return connection_lost(connection, err);
    return true;
}

bool pipeline_send(struct connection *connection, const struct statement *statement,
                   const struct pipeline_value *values, size_t count, struct error *err)
{
    const char *texts[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];

    assert(count <= PARAMETERS_MAX);
    for (size_t i = 0; i < count; i++) {
        texts[i] = values[i].null ? NULL : values[i].value.at;
        lengths[i] = (int)values[i].value.length;
        formats[i] = values[i].binary;
    }
    if (PQsendQueryPrepared(connection->pg, statement->name, (int)count, texts, lengths, formats,
                            0) == 0)
        return connection_lost(connection, err);
    return connection_push(connection, err);
}

bool pipeline_sync(struct connection *connection, struct error *err)
{
    if (PQpipelineSync(connection->pg) == 0)
        return connection_lost(connection, err);
    return connection_push(connection, err);
}

/* A statement's results end with NULL; ours have exactly one. */
static bool read_end_of_statement(struct connection *connection, struct deadline deadline,
                                  struct error *err)
{
    PGresult *end = NULL;

    if (!connection_next_result(connection, deadline, &end, err))
        return false;
    assert(end == NULL);
    return true;
}

bool pipeline_result(struct connection *connection, struct deadline deadline, struct rows *out,
                     struct error *err)
{
    PGresult *result = NULL;

    if (!connection_next_result(connection, deadline, &result, err))
        return false;
    if (result == NULL)
        return connection_lost(connection, err);

    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        (void)sqlstate_error(connection->pg, result, err);
        connection->broken |= PQstatus(connection->pg) != CONNECTION_OK;
        PQclear(result);
        return false;
    }
    if (!read_end_of_statement(connection, deadline, err)) {
        PQclear(result);
        return false;
    }
    out->result = (struct pg_result *)result;
    out->count = (size_t)PQntuples(result);
    return true;
}

const char *pipeline_tag(const struct rows *rows)
{
    return PQcmdStatus((PGresult *)rows->result);
}

/* Reads on to the sync: two NULLs in a row can not happen before it. */
static bool read_to_sync(struct connection *connection, struct deadline deadline)
{
    struct error err;
    bool synced = false;

    while (!synced) {
        PGresult *result = NULL;

        if (connection->broken || PQstatus(connection->pg) != CONNECTION_OK ||
            !connection_next_result(connection, deadline, &result, &err))
            return false;
        synced = result != NULL && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    return true;
}

bool pipeline_end(struct connection *connection, struct deadline deadline)
{
    if (!read_to_sync(connection, deadline) || PQexitPipelineMode(connection->pg) == 0)
        connection->broken = true;
    return !connection->broken;
}
