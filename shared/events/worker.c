#include "shared/events/worker.h"

#include <pthread.h>

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/runtime/log.h"

struct worker {
    struct work work;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop;
    bool stopping;
};

/* True when it is time to stop. */
static bool pause_for(struct worker *worker, int64_t ms)
{
    struct timespec until = deadline_timespec(deadline_in_ms(ms));

    pthread_mutex_lock(&worker->mutex);
    while (!worker->stopping &&
           pthread_cond_clockwait(&worker->stop, &worker->mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
    bool stopping = worker->stopping;
    pthread_mutex_unlock(&worker->mutex);
    return stopping;
}

static void *run(void *ctx)
{
    struct worker *worker = ctx;
    int64_t wait_ms = 0;

    while (!pause_for(worker, wait_ms)) {
        struct error err;
        bool more = false;

        if (worker->work.work(worker->work.ctx, &err, &more)) {
            wait_ms = more ? 0 : worker->work.every_ms;
        } else {
            log_swallowed(LOG_LEVEL_WARNING, worker->work.name, &err);
            wait_ms = WORKER_BACKOFF_MS;
        }
    }
    return NULL;
}

struct worker *worker_start(const struct work *work)
{
    struct worker *worker = memory_allocate_zeroed(1, sizeof(*worker));

    worker->work = *work;
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->stop, NULL);
    int failed = pthread_create(&worker->thread, NULL, run, worker);
    assert(failed == 0);
    return worker;
}

void worker_end(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_cond_signal(&worker->stop);
    pthread_mutex_unlock(&worker->mutex);
}

void worker_stop(struct worker *worker)
{
    if (worker == NULL)
        return;
    worker_end(worker);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->stop);
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
}
