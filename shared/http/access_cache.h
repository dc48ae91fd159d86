/*
 * Access cache: the keys that were looked up within the last ACCESS_CACHE_MS.
 *
 * Keys that do not exist are remembered too, in a quarter of the room, so that guessing neither
 * reaches the database each time nor pushes out those that do exist. Any thread.
 */
#ifndef CHECKOUT_HTTP_ACCESS_CACHE_H
#define CHECKOUT_HTTP_ACCESS_CACHE_H

#include <pthread.h>

#include "shared/crypto/hash.h"
#include "shared/http/access.h"

/* What the database said about a key id. */
struct access_record {
    bool known; /* false: no such key, or it was revoked */
    struct digest secret_hash;
    struct access access; /* has the key id, known or not */
};

/* Parts with a lock of their own. */
enum { ACCESS_SHARDS = 16, ACCESS_SHARD_MAX = ACCESS_CACHE_MAX / ACCESS_SHARDS };

struct access_entry {
    struct access_record record;
    int64_t asked_at_ms;   /* when the database was asked, on the monotonic clock; 0: free */
    int64_t claimed_at_ms; /* when somebody went to ask again */
};

struct access_cache {
    struct access_shard {
        pthread_mutex_t mutex;
        struct access_entry entries[ACCESS_SHARD_MAX];
    } shards[ACCESS_SHARDS];
};

enum access_age {
    ACCESS_ABSENT, /* ask the database */
    ACCESS_FRESH,
    ACCESS_AGING, /* good until `left_ms` is over, but this caller should ask the database now */
};

void access_cache_start(struct access_cache *cache);
void access_cache_end(struct access_cache *cache);

/* Writes `out` and `left_ms` unless it is absent. Of all callers one is told ACCESS_AGING. */
enum access_age access_cache_find(struct access_cache *cache, const char *key_id, int64_t now_ms,
                                  struct access_record *out, int64_t *left_ms);

/* True if a key was good with that secret when it was last asked for, however long ago. */
bool access_cache_knew(struct access_cache *cache, const char *key_id, struct digest secret_hash);

/* Remembers what the database said when it was asked at `asked_at_ms`. */
void access_cache_store(struct access_cache *cache, const struct access_record *record,
                        int64_t asked_at_ms);

#endif
