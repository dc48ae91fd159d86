/*
 * Fake database: what shared/http asks the database `access` for, answered from memory.
 *
 * Its functions have the names of shared/db's, so a test that links it links none of those.
 */
#ifndef CHECKOUT_TESTS_UNIT_HTTP_FAKE_DATABASE_H
#define CHECKOUT_TESTS_UNIT_HTTP_FAKE_DATABASE_H

#include "shared/base/compiler.h"

/* Secrets of all fake keys: 40 characters. */
#define FAKE_SECRET "0123456789abcdefghijABCDEFGHIJ0123456789"

/*
 * Keys: "demo" (merchant demo, stream 3, orders:read orders:write), "reader" (merchant demo,
 * orders:read), "operator" (every merchant, operator), "revoked". Everything else is unknown.
 */
#define FAKE_KEY(id) "Bearer ck_" id "_" FAKE_SECRET

/* While away every query fails as when the server is not there. Any thread. */
void fake_database_set_away(bool away);

/* Queries asked since the program started. */
int fake_database_asked(void);

#endif
