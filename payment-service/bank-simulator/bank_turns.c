#include "payment-service/bank-simulator/bank_turns.h"

#include <pthread.h>

#include "shared/base/buffer.h"

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t given_back;
    bool taken;
};

struct turns {
    struct queue queues[TURNS];
};

struct turns *turns_create(void)
{
    struct turns *turns = memory_allocate_zeroed(1, sizeof(*turns));

    for (size_t i = 0; i < TURNS; i++) {
        pthread_mutex_init(&turns->queues[i].mutex, NULL);
        pthread_cond_init(&turns->queues[i].given_back, NULL);
    }
    return turns;
}

void turns_destroy(struct turns *turns)
{
    if (!turns)
        return;
    for (size_t i = 0; i < TURNS; i++) {
        pthread_cond_destroy(&turns->queues[i].given_back);
        pthread_mutex_destroy(&turns->queues[i].mutex);
    }
    free(turns);
}

/* Of a UUID the last bits are random. */
static struct queue *queue_of(struct turns *turns, struct id payment)
{
    return &turns->queues[payment.bytes[sizeof(payment.bytes) - 1]];
}

_Static_assert(TURNS == UINT8_MAX + 1, "each last byte has a queue");

bool turns_take(struct turns *turns, struct id payment, struct deadline deadline, struct error *err)
{
    struct queue *queue = queue_of(turns, payment);
    struct timespec until = deadline_timespec(deadline);

    pthread_mutex_lock(&queue->mutex);
    while (queue->taken &&
           pthread_cond_clockwait(&queue->given_back, &queue->mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
    bool mine = !queue->taken;
    queue->taken = true;
    pthread_mutex_unlock(&queue->mutex);
    return mine || error_set(err, ERROR_DEADLINE, "deadline_exceeded",
                             "too many ask about one payment; nothing was done");
}

void turns_give_back(struct turns *turns, struct id payment)
{
    struct queue *queue = queue_of(turns, payment);

    pthread_mutex_lock(&queue->mutex);
    queue->taken = false;
    pthread_cond_signal(&queue->given_back);
    pthread_mutex_unlock(&queue->mutex);
}
