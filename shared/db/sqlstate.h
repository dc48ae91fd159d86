/*
 * SQLSTATE: the one place where the server's error codes become ours.
 */
#ifndef CHECKOUT_DB_SQLSTATE_H
#define CHECKOUT_DB_SQLSTATE_H

#include <libpq-fe.h>

#include "shared/base/error.h"

/* The kind of a five-character SQLSTATE; NULL (the connection broke) is ERROR_UNAVAILABLE. */
enum error_kind sqlstate_kind(const char *sqlstate);

/* Fills err from a result that failed (or NULL, and then from the connection); returns false. */
bool sqlstate_error(const PGconn *pg, const PGresult *result, struct error *err);

#endif
