#include "payment-service/bank-simulator/bank_calls.h"

#include <pthread.h>

#include "shared/base/buffer.h"

struct calls {
    pthread_mutex_t mutex; /* guards what follows */
    int64_t first, next;   /* numbers of those that are remembered: [first, next) */
    struct call at[CALLS_MAX];
};

struct calls *calls_create(void)
{
    struct calls *calls = memory_allocate_zeroed(1, sizeof(*calls));

    pthread_mutex_init(&calls->mutex, NULL);
    return calls;
}

void calls_destroy(struct calls *calls)
{
    if (!calls)
        return;
    pthread_mutex_destroy(&calls->mutex);
    free(calls);
}

int64_t calls_add(struct calls *calls, const struct call *call)
{
    pthread_mutex_lock(&calls->mutex);
    int64_t number = calls->next++;
    if (calls->next - calls->first > CALLS_MAX)
        calls->first++;
    calls->at[number % CALLS_MAX] = *call;
    pthread_mutex_unlock(&calls->mutex);
    return number;
}

void calls_tell(struct calls *calls, int64_t number, const struct call *call)
{
    pthread_mutex_lock(&calls->mutex);
    if (number >= calls->first)
        calls->at[number % CALLS_MAX] = *call;
    pthread_mutex_unlock(&calls->mutex);
}

void calls_forget(struct calls *calls)
{
    pthread_mutex_lock(&calls->mutex);
    calls->first = calls->next;
    pthread_mutex_unlock(&calls->mutex);
}

void calls_each(struct calls *calls, void (*visit)(void *ctx, const struct call *call), void *ctx)
{
    pthread_mutex_lock(&calls->mutex);
    for (int64_t number = calls->first; number < calls->next; number++)
        visit(ctx, &calls->at[number % CALLS_MAX]);
    pthread_mutex_unlock(&calls->mutex);
}
