#include "shared/runtime/rate_limit.h"

#include <pthread.h>

#include "shared/base/buffer.h"
#include "shared/base/text.h"

enum { SETS = RATE_LIMIT_NAMES_MAX / RATE_LIMIT_WAYS, SHARDS = 16, NS_IN_US = 1000 };

struct entry {
    char name[RATE_LIMIT_NAME_SIZE]; /* "": free */
    int64_t full_at_ns;              /* when nothing would be used up any more */
};

struct set {
    struct entry entries[RATE_LIMIT_WAYS];
};

struct rate_limit {
    int64_t each_ns;  /* what one costs */
    int64_t burst_ns; /* what all of them cost */
    pthread_mutex_t mutexes[SHARDS];
    struct set sets[SETS];
};

struct rate_limit *rate_limit_create(int64_t limit, int64_t period_us)
{
    struct rate_limit *created = memory_allocate_zeroed(1, sizeof(*created));

    assert(limit >= 1 && limit <= period_us * NS_IN_US);
    created->each_ns = period_us * NS_IN_US / limit;
    created->burst_ns = created->each_ns * limit;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&created->mutexes[i], NULL);
    return created;
}

void rate_limit_destroy(struct rate_limit *limit)
{
    if (!limit)
        return;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&limit->mutexes[i]);
    free(limit);
}

/* FNV-1a. */
static size_t set_of(const char *name)
{
    uint32_t hash = UINT32_C(2166136261);

    assert(name[0] != '\0');
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT32_C(16777619);
    return hash % SETS;
}

static struct entry *find(struct set *set, const char *name)
{
    for (size_t i = 0; i < RATE_LIMIT_WAYS; i++)
        if (strcmp(set->entries[i].name, name) == 0)
            return &set->entries[i];
    return NULL;
}

/* The place of whoever has the most left; a free one was never used. */
static struct entry *make_room(struct set *set)
{
    struct entry *best = &set->entries[0];

    for (size_t i = 0; i < RATE_LIMIT_WAYS && best->name[0] != '\0'; i++)
        if (set->entries[i].name[0] == '\0' || set->entries[i].full_at_ns < best->full_at_ns)
            best = &set->entries[i];
    return best;
}

static struct entry *find_or_make(struct set *set, const char *name, int64_t now_ns)
{
    struct entry *entry = find(set, name);

    if (entry)
        return entry;
    entry = make_room(set);
    text_copy(entry->name, sizeof(entry->name), name);
    entry->full_at_ns = now_ns;
    return entry;
}

/* When there will be one, if not now. */
static bool has_one(const struct rate_limit *limit, int64_t full_at_ns, int64_t now_ns,
                    int64_t *wait_us)
{
    int64_t wait_ns = full_at_ns + limit->each_ns - limit->burst_ns - now_ns;

    if (wait_ns <= 0)
        return true;
    *wait_us = (wait_ns + NS_IN_US - 1) / NS_IN_US;
    return false;
}

static bool take(struct rate_limit *limit, struct set *set, const char *name, int64_t now_ns,
                 int64_t *wait_us)
{
    struct entry *entry = find_or_make(set, name, now_ns);

    if (entry->full_at_ns < now_ns)
        entry->full_at_ns = now_ns;
    if (!has_one(limit, entry->full_at_ns, now_ns, wait_us))
        return false;
    entry->full_at_ns += limit->each_ns;
    return true;
}

bool rate_limit_take(struct rate_limit *limit, const char *name, int64_t now_us, int64_t *wait_us)
{
    char known_as[RATE_LIMIT_NAME_SIZE];

    text_copy(known_as, sizeof(known_as), name);
    size_t index = set_of(known_as);
    pthread_mutex_t *mutex = &limit->mutexes[index % SHARDS];

    pthread_mutex_lock(mutex);
    bool taken = take(limit, &limit->sets[index], known_as, now_us * NS_IN_US, wait_us);
    pthread_mutex_unlock(mutex);
    return taken;
}

bool rate_limit_check(struct rate_limit *limit, const char *name, int64_t now_us, int64_t *wait_us)
{
    char known_as[RATE_LIMIT_NAME_SIZE];

    text_copy(known_as, sizeof(known_as), name);
    size_t index = set_of(known_as);
    pthread_mutex_t *mutex = &limit->mutexes[index % SHARDS];

    pthread_mutex_lock(mutex);
    const struct entry *entry = find(&limit->sets[index], known_as);
    bool left = !entry || has_one(limit, entry->full_at_ns, now_us * NS_IN_US, wait_us);
    pthread_mutex_unlock(mutex);
    return left;
}
