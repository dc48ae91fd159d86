/*
 * Access: who calls, and what they may do.
 *
 * `Authorization: Bearer ck_<key id>_<secret>`. The database `access` stores the secret's SHA-256,
 * never the secret; a key belongs to a merchant (or to `*`: operators and our own services) and has
 * scopes. What was found is remembered for ACCESS_CACHE_MS, so a revoked key dies within that time.
 * Comparison takes constant time, and an unknown key costs as much as a wrong secret.
 */
#ifndef CHECKOUT_HTTP_ACCESS_H
#define CHECKOUT_HTTP_ACCESS_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

struct json_writer;
struct parameters;
struct pool;

/* A merchant's slug [a-z0-9-]{1,40}, or "*". */
enum { MERCHANT_SIZE = 41 };

/* Key ids have 1 to 32 characters [a-z0-9]; secrets 32 to 64 [A-Za-z0-9]. */
enum { ACCESS_KEY_ID_MAX = 32, ACCESS_SECRET_MAX = 64 };

/* How long a key that was looked up is believed. */
enum { ACCESS_CACHE_MS = 5000 };

/* Keys remembered at once; beyond, the oldest is forgotten. */
enum { ACCESS_CACHE_MAX = 1024 };

enum access_scope {
    SCOPE_ORDERS_READ = 1 << 0,
    SCOPE_ORDERS_WRITE = 1 << 1,
    SCOPE_ORDERS_FULFIL = 1 << 2,
    SCOPE_PAYMENTS_READ = 1 << 3,
    SCOPE_PAYMENTS_WRITE = 1 << 4,
    SCOPE_REFUNDS_WRITE = 1 << 5,
    SCOPE_VOUCHERS_READ = 1 << 6,
    SCOPE_VOUCHERS_WRITE = 1 << 7,
    SCOPE_EVENTS_READ = 1 << 8,
    SCOPE_OPERATOR = 1 << 9,
    SCOPE_COUNT = 10,
    SCOPE_ANY = (1 << SCOPE_COUNT) - 1
};

struct access {
    char key_id[ACCESS_KEY_ID_MAX + 1];
    char merchant[MERCHANT_SIZE]; /* "*": every merchant */
    int stream;
    unsigned scopes;
};

/* The database behind it and what is remembered. Any thread. */
struct access_keys;

/* `pool` (of database access) is borrowed. */
struct access_keys *access_keys_create(struct pool *pool);

/* Takes NULL. */
void access_keys_destroy(struct access_keys *keys);

/* What somebody says about itself. */
struct access_claim {
    const char *authorization; /* the header's value, or NULL */
    bool known_only; /* a key that was not good before, as far as remembered, is not asked for */
};

/*
 * ERROR_UNAUTHENTICATED "key_missing" (authorization is NULL), "key_malformed" or "key_invalid";
 * ERROR_UNAVAILABLE when the database is away.
 */
MUST_CHECK bool access_authenticate(struct access_keys *keys, const struct access_claim *claim,
                                    struct deadline deadline, struct access *out,
                                    struct error *err);

/* ERROR_FORBIDDEN "missing_scope", naming the scopes, unless the key has one of them. */
MUST_CHECK bool access_require(const struct access *access, unsigned scopes, struct error *err);

/* ERROR_FORBIDDEN "merchant_required" for keys of "*"; `what` ("Orders are written") names it. */
MUST_CHECK bool access_require_merchant(const struct access *access, const char *what,
                                        struct error *err);

/* True if the key may see the merchant's objects. */
bool access_covers(const struct access *access, const char *merchant);

/* True for keys of "*". */
bool access_is_everyone(const struct access *access);

/* Adds stream and merchant, by which a merchant's rows are found; nothing for keys of "*". */
void access_add_owner(const struct access *access, struct parameters *parameters);

/* Writes the array of their names, "orders:write" and the like. */
void access_write_scopes(unsigned scopes, struct json_writer *json);

#endif
