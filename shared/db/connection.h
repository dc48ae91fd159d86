/*
 * Connection: one session with Postgres, waited for with a deadline.
 *
 * A frozen server ignores every timeout it was given, so all waiting happens here, in poll() on
 * the client's side. A connection whose deadline passed in the middle of something is broken: what
 * it was doing may still happen. The owner closes it and opens another.
 *
 * A connection belongs to one thread at a time.
 */
#ifndef CHECKOUT_DB_CONNECTION_H
#define CHECKOUT_DB_CONNECTION_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/db/parameters.h"
#include "shared/db/row.h"
#include "shared/db/statement.h"

struct connection;

/*
 * Connects with libpq's `connection_string` (URI or keywords). ERROR_UNAVAILABLE or
 * ERROR_DEADLINE; `out` is the caller's to close.
 */
MUST_CHECK bool connection_open(const char *connection_string, struct deadline deadline,
                                struct connection **out, struct error *err);

/* Takes NULL. */
void connection_close(struct connection *connection);

/* False once something went wrong that makes it useless: close it. */
bool connection_is_usable(const struct connection *connection);

/* Executes one statement by itself (its own transaction, unless one is open). */
MUST_CHECK bool connection_query(struct connection *connection, const struct statement *statement,
                                 const struct parameters *parameters, struct deadline deadline,
                                 struct rows *out, struct error *err);

/* Executes text without parameters: BEGIN, ROLLBACK, LISTEN, SET. Literals only. */
MUST_CHECK bool connection_execute(struct connection *connection, const char *sql,
                                   struct deadline deadline, struct error *err);

/* The socket, to poll for notifications; -1 when it is closed. */
int connection_socket(const struct connection *connection);

/* Reads what arrived; returns true when at least one notification was among it. */
bool connection_take_notifications(struct connection *connection);

#endif
