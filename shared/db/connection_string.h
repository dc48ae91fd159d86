/*
 * Connection string: what a setting like DATABASE_URL may hold, looked at before it is used.
 *
 * libpq quotes what it can not read, and a password with a '%', '/' or '@' that was not spelled
 * with percent signs is just that: it would stand in the log. So whatever libpq can not read, or
 * reads with a piece of the password in a wrong place, is refused in words of ours.
 */
#ifndef CHECKOUT_DB_CONNECTION_STRING_H
#define CHECKOUT_DB_CONNECTION_STRING_H

#include "shared/base/error.h"

/*
 * A URI or keywords as libpq takes them; ERROR_CONFIGURATION names the setting `name` and tells
 * nothing of `text`. Any thread.
 */
MUST_CHECK bool connection_string_check(const char *name, const char *text, struct error *err);

#endif
