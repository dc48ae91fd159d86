/*
 * Watchdog: ends the waiting of threads that a client keeps waiting.
 *
 * The library starts its timeout anew with every byte, so a client that sends or takes one byte
 * now and then would hold a thread for ever. Each thread has a watch; before it reads or writes it
 * sets the watch, afterwards it clears it. When the deadline passes in between, the watchdog shuts
 * the connection's socket: reading ends as if the client had gone, and an answer can still be
 * sent; writing fails.
 */
#ifndef CHECKOUT_HTTP_WATCHDOG_H
#define CHECKOUT_HTTP_WATCHDOG_H

#include <pthread.h>

#include "shared/base/clock.h"
#include "shared/http/sockets.h"

/* How late it may be. */
enum { WATCHDOG_TICK_MS = 50 };

enum watch_phase { WATCH_OFF, WATCH_READING, WATCH_WRITING };

struct watch {
    pthread_mutex_t
        mutex; /* held while the socket is shut: it stays this connection's until then */
    enum watch_phase phase;
    bool fired;
    struct deadline deadline;
    struct endpoint endpoint;
    struct watch *next;
};

struct watchdog;

/* `sockets` is borrowed. */
struct watchdog *watchdog_create(struct sockets *sockets);

/* Takes NULL. Nobody may have a watch any more. */
void watchdog_destroy(struct watchdog *watchdog);

/* A thread's watch, embedded in what it owns; removed before that goes. */
void watchdog_add(struct watchdog *watchdog, struct watch *watch);
void watchdog_remove(struct watchdog *watchdog, struct watch *watch);

void watch_set(struct watch *watch, enum watch_phase phase, struct endpoint endpoint,
               struct deadline deadline);

/* Returns true when the socket was shut. */
bool watch_clear(struct watch *watch);

#endif
