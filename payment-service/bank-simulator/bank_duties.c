#include "payment-service/bank-simulator/bank_duties.h"

#include <pthread.h>

#include "shared/runtime/log.h"

/* How often it is looked what is due, and the pause after a failure. */
enum { LOOK_EVERY_MS = 100, BACKOFF_MS = 1000 };

struct duties {
    struct desk *desk;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t stop;
    bool stopping;
};

/* True when it is time to stop. */
static bool pause_for(struct duties *duties, int64_t ms)
{
    struct timespec until = deadline_timespec(deadline_in_ms(ms));

    pthread_mutex_lock(&duties->mutex);
    while (!duties->stopping &&
           pthread_cond_clockwait(&duties->stop, &duties->mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
    bool stopping = duties->stopping;
    pthread_mutex_unlock(&duties->mutex);
    return stopping;
}

static void *work(void *ctx)
{
    struct duties *duties = ctx;
    int64_t wait_ms = 0;

    while (!pause_for(duties, wait_ms)) {
        struct error err;
        bool more = false;

        wait_ms = LOOK_EVERY_MS;
        if (!desk_do_duties(duties->desk, &err, &more)) {
            log_swallowed(LOG_LEVEL_WARNING, "the bank's duties wait", &err);
            wait_ms = BACKOFF_MS;
        } else if (more) {
            wait_ms = 0;
        }
    }
    return NULL;
}

struct duties *duties_start(struct desk *desk)
{
    struct duties *duties = memory_allocate_zeroed(1, sizeof(*duties));

    duties->desk = desk;
    pthread_mutex_init(&duties->mutex, NULL);
    pthread_cond_init(&duties->stop, NULL);
    int failed = pthread_create(&duties->thread, NULL, work, duties);
    assert(failed == 0);
    return duties;
}

void duties_stop(struct duties *duties)
{
    if (!duties)
        return;
    pthread_mutex_lock(&duties->mutex);
    duties->stopping = true;
    pthread_cond_signal(&duties->stop);
    pthread_mutex_unlock(&duties->mutex);
    pthread_join(duties->thread, NULL);
    pthread_cond_destroy(&duties->stop);
    pthread_mutex_destroy(&duties->mutex);
    free(duties);
}
