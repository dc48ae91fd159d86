#include "shared/http/access_cache.h"

/* From this age on somebody asks again, so that not everybody has to at the end. */
enum { AGING_MS = ACCESS_CACHE_MS - 1000 };

/* Whoever went to ask and has not come back for so long is not waited for. */
enum { CLAIM_MS = 500 };

/* Unknown keys in one shard. */
enum { UNKNOWN_MAX = ACCESS_SHARD_MAX / 4 };

void access_cache_start(struct access_cache *cache)
{
    for (size_t i = 0; i < ACCESS_SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].mutex, NULL);
}

void access_cache_end(struct access_cache *cache)
{
    for (size_t i = 0; i < ACCESS_SHARDS; i++)
        pthread_mutex_destroy(&cache->shards[i].mutex);
}

/* FNV-1a. */
static struct access_shard *shard_of(struct access_cache *cache, const char *key_id)
{
    uint32_t hash = UINT32_C(2166136261);

    for (; *key_id != '\0'; key_id++)
        hash = (hash ^ (unsigned char)*key_id) * UINT32_C(16777619);
    return &cache->shards[hash % ACCESS_SHARDS];
}

static struct access_entry *find(struct access_shard *shard, const char *key_id)
{
    for (size_t i = 0; i < ACCESS_SHARD_MAX; i++)
        if (shard->entries[i].asked_at_ms != 0 &&
            strcmp(shard->entries[i].record.access.key_id, key_id) == 0)
            return &shard->entries[i];
    return NULL;
}

/* Under the lock. */
static enum access_age age_of(struct access_entry *entry, int64_t now_ms)
{
    int64_t age_ms = now_ms - entry->asked_at_ms;

    if (age_ms >= ACCESS_CACHE_MS)
        return ACCESS_ABSENT;
    if (age_ms < AGING_MS || now_ms - entry->claimed_at_ms < CLAIM_MS)
        return ACCESS_FRESH;
    entry->claimed_at_ms = now_ms;
    return ACCESS_AGING;
}

enum access_age access_cache_find(struct access_cache *cache, const char *key_id, int64_t now_ms,
                                  struct access_record *out, int64_t *left_ms)
{
    struct access_shard *shard = shard_of(cache, key_id);
    enum access_age age = ACCESS_ABSENT;

    pthread_mutex_lock(&shard->mutex);
    struct access_entry *entry = find(shard, key_id);
    if (entry)
        age = age_of(entry, now_ms);
    if (age != ACCESS_ABSENT) {
        *out = entry->record;
        *left_ms = entry->asked_at_ms + ACCESS_CACHE_MS - now_ms;
    }
    pthread_mutex_unlock(&shard->mutex);
    return age;
}

bool access_cache_knew(struct access_cache *cache, const char *key_id, struct digest secret_hash)
{
    struct access_shard *shard = shard_of(cache, key_id);

    pthread_mutex_lock(&shard->mutex);
    const struct access_entry *entry = find(shard, key_id);
    bool knew =
        entry && entry->record.known && digest_equal(entry->record.secret_hash, secret_hash);
    pthread_mutex_unlock(&shard->mutex);
    return knew;
}

/* The older of both; NULL is none. */
static struct access_entry *older(struct access_entry *a, struct access_entry *b)
{
    return a && a->asked_at_ms <= b->asked_at_ms ? a : b;
}

/* A free entry, or the one to forget. */
static struct access_entry *make_room(struct access_shard *shard, bool known)
{
    struct access_entry *free_entry = NULL, *oldest = NULL, *oldest_unknown = NULL;
    size_t unknown_count = 0;

    for (size_t i = 0; i < ACCESS_SHARD_MAX; i++) {
        struct access_entry *entry = &shard->entries[i];
        if (entry->asked_at_ms == 0) {
            free_entry = entry;
            continue;
        }
        oldest = older(oldest, entry);
        if (!entry->record.known) {
            oldest_unknown = older(oldest_unknown, entry);
            unknown_count++;
        }
    }
    if (!known && unknown_count >= UNKNOWN_MAX)
        return oldest_unknown;
    if (free_entry)
        return free_entry;
    return oldest_unknown ? oldest_unknown : oldest;
}

void access_cache_store(struct access_cache *cache, const struct access_record *record,
                        int64_t asked_at_ms)
{
    struct access_shard *shard = shard_of(cache, record->access.key_id);

    pthread_mutex_lock(&shard->mutex);
    struct access_entry *entry = find(shard, record->access.key_id);
    if (!entry)
        entry = make_room(shard, record->known);
    if (asked_at_ms >= entry->asked_at_ms ||
        strcmp(entry->record.access.key_id, record->access.key_id) != 0) {
        entry->record = *record;
        entry->asked_at_ms = asked_at_ms;
        entry->claimed_at_ms = 0;
    }
    pthread_mutex_unlock(&shard->mutex);
}
