/*
 * The inside of a connection, for this room only: the pipeline drives it too.
 */
#ifndef CHECKOUT_DB_CONNECTION_PRIVATE_H
#define CHECKOUT_DB_CONNECTION_PRIVATE_H

#include <libpq-fe.h>

#include "shared/db/connection.h"

/* Statements that one program prepares on one connection. */
enum { CONNECTION_STATEMENTS_MAX = 64 };

struct connection {
    PGconn *pg;
    bool broken; /* a deadline passed or the server is gone: what it did is not known here */
    int64_t uses, renew_at; /* of prepared statements, and when plans are made anew */
    size_t prepared_count;
    const struct statement *prepared[CONNECTION_STATEMENTS_MAX];
};

/* The next result, or NULL at the end of one command's results. The caller clears it. */
MUST_CHECK bool connection_next_result(struct connection *connection, struct deadline deadline,
                                       PGresult **out, struct error *err);

/* Sends until the socket would block, reading meanwhile; true when all is sent. */
MUST_CHECK bool connection_push(struct connection *connection, struct error *err);

/* Before each use: prepares it unless that was done; not inside a pipeline. */
MUST_CHECK bool connection_prepare(struct connection *connection, const struct statement *statement,
                                   struct deadline deadline, struct error *err);

/* Marks it broken; returns false with ERROR_UNAVAILABLE. */
bool connection_lost(struct connection *connection, struct error *err);

#endif
