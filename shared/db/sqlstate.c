#include "shared/db/sqlstate.h"

#include "shared/runtime/log.h"

/* Longest prefix first. What is not listed is our own bug. */
static const struct {
    const char *prefix;
    enum error_kind kind;
} kinds[] = {
    { "40001", ERROR_TRANSIENT },   /* serialization failure */
    { "40P01", ERROR_TRANSIENT },   /* deadlock */
    { "55P03", ERROR_TRANSIENT },   /* lock timeout */
    { "57014", ERROR_TRANSIENT },   /* statement timeout */
    { "25006", ERROR_UNAVAILABLE }, /* a standby: read only */
    { "25P03", ERROR_UNAVAILABLE }, /* idle in transaction for too long: the session is gone */
    { "57P", ERROR_UNAVAILABLE },   /* shutting down, crashed, starting up */
    { "08", ERROR_UNAVAILABLE },    /* connection */
    { "53", ERROR_UNAVAILABLE },    /* disk full, out of memory, too many connections */
    { "58", ERROR_UNAVAILABLE },    /* the server's own input or output failed */
    { "22", ERROR_DATA },           { "23", ERROR_DATA },
};

enum error_kind sqlstate_kind(const char *sqlstate)
{
    if (sqlstate == NULL)
        return ERROR_UNAVAILABLE;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strncmp(sqlstate, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return ERROR_INTERNAL;
}

static const char *code_of(enum error_kind kind)
{
    if (kind == ERROR_UNAVAILABLE)
        return "database_unavailable";
    if (kind == ERROR_TRANSIENT)
        return "database_busy";
    return kind == ERROR_DATA ? "data_refused" : "internal";
}

/* What the server says is for operators; clients learn only what they can do about it. */
static bool set_error(struct error *err, enum error_kind kind, const char *message)
{
    if (kind == ERROR_UNAVAILABLE)
        return error_set(err, kind, code_of(kind), "the database is not available");
    if (kind == ERROR_TRANSIENT)
        return error_set(err, kind, code_of(kind), "the database is busy");
    return error_set(err, kind, code_of(kind), "%s", message);
}

bool sqlstate_error(const PGconn *pg, const PGresult *result, struct error *err)
{
    const char *sqlstate = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : PQerrorMessage(pg);

    message = message != NULL ? message : "connection lost";
    log_info("database error", LOG_TEXT("sqlstate", sqlstate != NULL ? sqlstate : ""),
             LOG_TEXT("said", message));
    return set_error(err, sqlstate_kind(sqlstate), message);
}
