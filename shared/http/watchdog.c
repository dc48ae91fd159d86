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
};

/* Under the watch's mutex, so the thread cannot leave its request and close the socket. */
static void fire(struct watchdog *watchdog, struct watch *watch)
{
    int descriptor = sockets_find(watchdog->sockets, watch->endpoint);

    watch->fired = true;
    if (descriptor >= 0)
        shutdown(descriptor, watch->phase == WATCH_READING ? SHUT_RD : SHUT_RDWR);
    else
        log_debug("watchdog: the connection is gone already");
}

static void look_at(struct watchdog *watchdog, struct watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    if (watch->phase != WATCH_OFF && !watch->fired && deadline_passed(watch->deadline))
        fire(watchdog, watch);
    pthread_mutex_unlock(&watch->mutex);
}

static void *run(void *ctx)
{
    struct watchdog *watchdog = ctx;

    pthread_mutex_lock(&watchdog->mutex);
    while (!watchdog->stopping) {
        struct timespec tick = deadline_timespec(deadline_in_ms(WATCHDOG_TICK_MS));
        for (struct watch *watch = watchdog->first; watch; watch = watch->next)
            look_at(watchdog, watch);
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

void watchdog_add(struct watchdog *watchdog, struct watch *watch)
{
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
    pthread_mutex_unlock(&watch->mutex);
    return fired;
}
