#include "shared/http/gate.h"

void gate_open(struct gate *gate, int64_t connections_max)
{
    pthread_condattr_t attributes;

    gate->connections_max = connections_max;
    atomic_init(&gate->state, GATE_OPEN);
    atomic_init(&gate->requests, 0);
    atomic_init(&gate->connections, 0);
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void gate_release(struct gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->mutex);
}

/* Somebody waits only while it is not open; until then nobody needs the lock. */
static void count_down(struct gate *gate, _Atomic int64_t *counter)
{
    atomic_fetch_sub(counter, 1);
    if (gate_is_open(gate))
        return;
    pthread_mutex_lock(&gate->mutex);
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

bool gate_enter(struct gate *gate)
{
    atomic_fetch_add(&gate->requests, 1);
    if (atomic_load(&gate->state) != GATE_CLOSED)
        return true;
    count_down(gate, &gate->requests);
    return false;
}

void gate_leave(struct gate *gate)
{
    count_down(gate, &gate->requests);
}

void gate_connected(struct gate *gate)
{
    atomic_fetch_add(&gate->connections, 1);
}

void gate_disconnected(struct gate *gate)
{
    count_down(gate, &gate->connections);
}

bool gate_is_open(const struct gate *gate)
{
    return atomic_load(&gate->state) == GATE_OPEN;
}

int64_t gate_connections(const struct gate *gate)
{
    return atomic_load(&gate->connections);
}

bool gate_is_full(const struct gate *gate)
{
    return gate_connections(gate) >= gate->connections_max;
}

void gate_set(struct gate *gate, enum gate_state state)
{
    atomic_store(&gate->state, (int)state);
}

static bool is_empty(struct gate *gate, bool of_connections)
{
    return atomic_load(&gate->requests) == 0 &&
           (!of_connections || atomic_load(&gate->connections) == 0);
}

static bool wait_until_empty(struct gate *gate, bool of_connections, struct deadline deadline)
{
    struct timespec until = deadline_timespec(deadline);

    pthread_mutex_lock(&gate->mutex);
    while (!is_empty(gate, of_connections) && !deadline_passed(deadline))
        pthread_cond_timedwait(&gate->changed, &gate->mutex, &until);
    bool empty = is_empty(gate, of_connections);
    pthread_mutex_unlock(&gate->mutex);
    return empty;
}

bool gate_wait_for_requests(struct gate *gate, struct deadline deadline)
{
    return wait_until_empty(gate, false, deadline);
}

bool gate_wait_for_connections(struct gate *gate, struct deadline deadline)
{
    return wait_until_empty(gate, true, deadline);
}
