/*
 * Pool: the connections that reads are made on.
 *
 * At most `size` connections, opened when first needed, one at a time: a server that makes them
 * slowly, or says nothing, holds one caller up and not all. Whoever finds all busy waits until the
 * deadline.
 *
 * After the server was away the first query on each connection fails; a read is simply
 * repeated until it met a connection that lives, and the pool heals by itself.
 *
 * Any thread.
 */
#ifndef CHECKOUT_DB_POOL_H
#define CHECKOUT_DB_POOL_H

#include "shared/db/connection.h"

struct pool;

/* Opens nothing yet. `name` labels its metrics; both strings are copied. */
struct pool *pool_create(const char *name, const char *connection_string, size_t size);

/* Nobody may hold a connection any more. Takes NULL. */
void pool_destroy(struct pool *pool);

/*
 * ERROR_OVERLOADED when none becomes free in time, ERROR_UNAVAILABLE when the server is away,
 * ERROR_DEADLINE when it says nothing.
 */
MUST_CHECK bool pool_acquire(struct pool *pool, struct deadline deadline, struct connection **out,
                             struct error *err);

/* Gives it back; closes it when it is not usable any more. Takes NULL. */
void pool_release(struct pool *pool, struct connection *connection);

/* One statement on a connection of the pool. Reads only: writes go through the journal. */
MUST_CHECK bool db_query(struct pool *pool, const struct statement *statement,
                         const struct parameters *parameters, struct deadline deadline,
                         struct rows *out, struct error *err);

#endif
