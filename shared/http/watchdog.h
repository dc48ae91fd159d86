/*
 * Watchdog: ends the waiting of threads that a client keeps waiting.
 *
 * The library starts its timeout anew with every byte, so a client that sends or takes one byte
 * now and then would hold a thread for ever. Each thread has a watch; before it reads or writes it
 * sets the watch, afterwards it clears it. When the deadline passes in between, the watchdog shuts
 * the connection's socket: reading ends as if the client had gone, and an answer can still be
 * sent; writing fails.
 *
 * A connection that waits for a request has a thread, too. It may keep it until the library gives
 * up - unless all threads are taken and others wait: then as many as wait are ended, first of those
 * that never said anything and then of those that have been idle beyond their watch's deadline,
 * each time the longest first. So a thousand clients who say nothing cannot keep out one who does.
 * What has arrived by then is still answered; the beginning of a next request is told 408.
 */
#ifndef CHECKOUT_HTTP_WATCHDOG_H
#define CHECKOUT_HTTP_WATCHDOG_H

#include <pthread.h>

#include "shared/base/clock.h"
#include "shared/http/gate.h"
#include "shared/http/sockets.h"

/* How late it may be. */
enum { WATCHDOG_TICK_MS = 50 };

/* How long a new connection may say nothing when others wait for a thread. */
enum { WATCHDOG_SILENT_MS = 250 };

enum watch_phase { WATCH_OFF, WATCH_IDLE, WATCH_READING, WATCH_WRITING };

struct watch {
    pthread_mutex_t
        mutex; /* held while the socket is shut: it stays this connection's until then */
    enum watch_phase phase;
    bool fired;
    struct deadline deadline;
    struct endpoint endpoint;
    const struct gate *gate;
    struct watch *next;
};

/* A port, whose gate says whether all of its threads are taken. */
struct guard {
    const struct gate *gate;
    uint16_t port;
    struct guard *next;
};

struct watchdog;

/* `sockets` is borrowed. */
struct watchdog *watchdog_create(struct sockets *sockets);

/* Takes NULL. Nobody may have a watch any more. */
void watchdog_destroy(struct watchdog *watchdog);

/* A thread's watch, embedded in what it owns; removed before that goes. The gate is borrowed. */
void watchdog_add(struct watchdog *watchdog, struct watch *watch, const struct gate *gate);
void watchdog_remove(struct watchdog *watchdog, struct watch *watch);

/* While it is guarded, a port's silent connections give way to others. The guard is borrowed. */
void watchdog_guard(struct watchdog *watchdog, struct guard *guard);
void watchdog_unguard(struct watchdog *watchdog, struct guard *guard);

void watch_set(struct watch *watch, enum watch_phase phase, struct endpoint endpoint,
               struct deadline deadline);

/* Returns true when the socket was shut since the watch was set. */
bool watch_clear(struct watch *watch);

#endif
