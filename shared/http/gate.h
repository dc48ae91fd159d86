/*
 * Gate: who is inside, so that the server can end without cutting anybody off.
 *
 * Open, draining (requests are served, and their connections closed), closed (refused). When it is
 * closed and nobody is inside, nobody ever will be: entering counts first and looks second, closing
 * does it the other way round. Any thread; entering and leaving take no lock.
 */
#ifndef CHECKOUT_HTTP_GATE_H
#define CHECKOUT_HTTP_GATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "shared/base/clock.h"

enum gate_state { GATE_OPEN, GATE_DRAINING, GATE_CLOSED };

struct gate {
    _Atomic int state;
    _Atomic int64_t requests;
    _Atomic int64_t connections;
    int64_t connections_max; /* as many as there are threads */
    pthread_mutex_t mutex;   /* for waiting */
    pthread_cond_t changed;
};

void gate_open(struct gate *gate, int64_t connections_max);
void gate_release(struct gate *gate);

/* A request comes in; false when it is closed. Whoever got in leaves. */
MUST_CHECK bool gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* A connection is made or ended. */
void gate_connected(struct gate *gate);
void gate_disconnected(struct gate *gate);

bool gate_is_open(const struct gate *gate);

/* Connections that have a thread. */
int64_t gate_connections(const struct gate *gate);

/* Every thread has one: the next connection has to wait. */
bool gate_is_full(const struct gate *gate);

void gate_set(struct gate *gate, enum gate_state state);

/* Until no request is inside; false when the deadline passed before. */
bool gate_wait_for_requests(struct gate *gate, struct deadline deadline);

/* The same for requests and connections. */
bool gate_wait_for_connections(struct gate *gate, struct deadline deadline);

#endif
