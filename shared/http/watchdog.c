#include "shared/http/watchdog.h"

#include <sys/socket.h>

#include "shared/base/buffer.h"
#include "shared/runtime/log.h"

struct watchdog {
    struct sockets *sockets;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    bool stopping;
    struct watch *first;
    struct guard *guards;
};

/* Under the watch's mutex, so the thread cannot leave its request and close the socket. */
static void fire(struct watchdog *watchdog, struct watch *watch)
{
    int descriptor = sockets_find(watchdog->sockets, watch->endpoint);

    watch->fired = true;
    if (descriptor >= 0)
        shutdown(descriptor, watch->phase == WATCH_WRITING ? SHUT_RDWR : SHUT_RD);
    else
        log_debug("watchdog: the connection is gone already");
}

/* An idle one may stay as long as nobody waits: make_room() ends those. */
static void look_at(struct watchdog *watchdog, struct watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    if (watch->phase != WATCH_OFF && watch->phase != WATCH_IDLE && !watch->fired &&
        deadline_passed(watch->deadline))
        fire(watchdog, watch);
    pthread_mutex_unlock(&watch->mutex);
}

static bool is_idle(struct watch *watch, const struct gate *gate, struct deadline *out)
{
    pthread_mutex_lock(&watch->mutex);
    bool idle = watch->phase == WATCH_IDLE && !watch->fired && watch->gate == gate &&
                deadline_passed(watch->deadline);
    *out = watch->deadline;
    pthread_mutex_unlock(&watch->mutex);
    return idle;
}

static struct watch *find_longest_idle(struct watchdog *watchdog, const struct gate *gate)
{
    struct watch *longest = NULL;
    struct deadline deadline, earliest = { 0 };

    for (struct watch *watch = watchdog->first; watch; watch = watch->next) {
        if (!is_idle(watch, gate, &deadline) || (longest && deadline.at_ms >= earliest.at_ms))
            continue;
        longest = watch;
        earliest = deadline;
    }
    return longest;
}

/* It may have got its next request just now, which is then served. */
static void end_idle(struct watchdog *watchdog, struct watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    if (watch->phase == WATCH_IDLE && deadline_passed(watch->deadline))
        fire(watchdog, watch);
    pthread_mutex_unlock(&watch->mutex);
}

/* For as many as wait, and no more: who never said anything goes before who once did. */
static void make_room(struct watchdog *watchdog, const struct guard *guard)
{
    struct watch *idle;

    if (!gate_is_full(guard->gate))
        return;
    int64_t waiting = sockets_count(watchdog->sockets, guard->port) - gate_connections(guard->gate);
    if (waiting <= 0)
        return;
    waiting -= sockets_end_silent(watchdog->sockets, guard->port, WATCHDOG_SILENT_MS, waiting);
    while (waiting-- > 0 && (idle = find_longest_idle(watchdog, guard->gate)))
        end_idle(watchdog, idle);
}

static void *run(void *ctx)
{
    struct watchdog *watchdog = ctx;

    pthread_mutex_lock(&watchdog->mutex);
    while (!watchdog->stopping) {
        struct timespec tick = deadline_timespec(deadline_in_ms(WATCHDOG_TICK_MS));
        for (struct watch *watch = watchdog->first; watch; watch = watch->next)
            look_at(watchdog, watch);
        for (const struct guard *guard = watchdog->guards; guard; guard = guard->next)
            make_room(watchdog, guard);
        pthread_cond_timedwait(&watchdog->wake, &watchdog->mutex, &tick);
    }
    pthread_mutex_unlock(&watchdog->mutex);
    return NULL;
}

struct watchdog *watchdog_create(struct sockets *sockets)
{
    struct watchdog *watchdog = memory_allocate_zeroed(1, sizeof(*watchdog));
    pthread_condattr_t attributes;

    watchdog->sockets = sockets;
    pthread_mutex_init(&watchdog->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watchdog->thread, NULL, run, watchdog) == 0)
        return watchdog;
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->mutex);
    free(watchdog);
    return NULL;
}

void watchdog_destroy(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    pthread_mutex_lock(&watchdog->mutex);
    assert(!watchdog->first);
    watchdog->stopping = true;
    pthread_cond_signal(&watchdog->wake);
    pthread_mutex_unlock(&watchdog->mutex);
    pthread_join(watchdog->thread, NULL);
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->mutex);
    free(watchdog);
}

void watchdog_add(struct watchdog *watchdog, struct watch *watch, const struct gate *gate)
{
    watch->gate = gate;
    pthread_mutex_init(&watch->mutex, NULL);
    watch->phase = WATCH_OFF;
    pthread_mutex_lock(&watchdog->mutex);
    watch->next = watchdog->first;
    watchdog->first = watch;
    pthread_mutex_unlock(&watchdog->mutex);
}

void watchdog_remove(struct watchdog *watchdog, struct watch *watch)
{
    struct watch **link = &watchdog->first;

    pthread_mutex_lock(&watchdog->mutex);
    while (*link != watch)
        link = &(*link)->next;
    *link = watch->next;
    pthread_mutex_unlock(&watchdog->mutex);
    pthread_mutex_destroy(&watch->mutex);
}

void watchdog_guard(struct watchdog *watchdog, struct guard *guard)
{
    pthread_mutex_lock(&watchdog->mutex);
    guard->next = watchdog->guards;
    watchdog->guards = guard;
    pthread_mutex_unlock(&watchdog->mutex);
}

void watchdog_unguard(struct watchdog *watchdog, struct guard *guard)
{
    struct guard **link = &watchdog->guards;

    pthread_mutex_lock(&watchdog->mutex);
    while (*link != guard)
        link = &(*link)->next;
    *link = guard->next;
    pthread_mutex_unlock(&watchdog->mutex);
}

void watch_set(struct watch *watch, enum watch_phase phase, struct endpoint endpoint,
               struct deadline deadline)
{
    pthread_mutex_lock(&watch->mutex);
    watch->phase = phase;
    watch->fired = false;
    watch->endpoint = endpoint;
    watch->deadline = deadline;
    pthread_mutex_unlock(&watch->mutex);
}

bool watch_clear(struct watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    bool fired = watch->fired;
    watch->phase = WATCH_OFF;
    watch->fired = false; /* that was this connection's: the thread's next one knows nothing */
    pthread_mutex_unlock(&watch->mutex);
    return fired;
}
