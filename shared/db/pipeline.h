/*
 * Pipeline: several statements sent before the first answer is read.
 *
 *     pipeline_begin
 *     pipeline_send ... pipeline_send     queue statements, which must be prepared already
 *     pipeline_sync                       ends the queue
 *     pipeline_result ... pipeline_result one for each statement, in order
 *     pipeline_end                        reads what is left, also after a failure
 *
 * After the first statement that raises, the server skips all others up to the sync. Sending never
 * blocks on a server that blocks on sending to us: answers are read meanwhile.
 */
#ifndef CHECKOUT_DB_PIPELINE_H
#define CHECKOUT_DB_PIPELINE_H

#include "shared/db/connection.h"

/* One value as it goes over the wire; text needs a NUL behind its span. */
struct pipeline_value {
    struct span value;
    bool binary;
    bool null;
};

MUST_CHECK bool pipeline_begin(struct connection *connection, struct error *err);

/* A literal without parameters: BEGIN, COMMIT. */
MUST_CHECK bool pipeline_send_text(struct connection *connection, const char *sql,
                                   struct error *err);

MUST_CHECK bool pipeline_send(struct connection *connection, const struct statement *statement,
                              const struct pipeline_value *values, size_t count, struct error *err);

MUST_CHECK bool pipeline_sync(struct connection *connection, struct error *err);

/* What the next statement returned: rows, or only its command tag. `out` is the caller's. */
MUST_CHECK bool pipeline_result(struct connection *connection, struct deadline deadline,
                                struct rows *out, struct error *err);

/* The command tag of a result ("COMMIT", "INSERT 0 3"), borrowed from the rows. */
const char *pipeline_tag(const struct rows *rows);

/* False only when the connection is of no use any more. */
bool pipeline_end(struct connection *connection, struct deadline deadline);

#endif
