/*
 * Service: the life of a process - start, run, drain, stop.
 *
 * A program lists its parts bottom up. They are started in that order; when one fails, those before
 * it are stopped and the process exits with 3 (a dependency is not there) or 1. Then it waits for
 * SIGTERM or SIGINT, drains in reverse order (the door first, the database last) and stops in
 * reverse order. Draining has SERVICE_DRAIN_MS; what is not done then is cut off. A SIGINT while
 * draining (Ctrl-C pressed again) ends the process at once.
 *
 *     int main(int argc, char **argv) { ... return service_run(parts, COUNT_OF(parts)); }
 *
 * Signals are blocked in every thread; only service_run() takes them.
 */
#ifndef CHECKOUT_RUNTIME_SERVICE_H
#define CHECKOUT_RUNTIME_SERVICE_H

#include "shared/base/clock.h"
#include "shared/base/error.h"

enum { SERVICE_DRAIN_MS = 8000 };

struct service_part {
    const char *name;
    void *self;
    bool (*start)(void *self, struct error *err);        /* may be NULL */
    void (*drain)(void *self, struct deadline deadline); /* finish what was begun; may be NULL */
    void (*stop)(void *self);                            /* may be NULL */
};

/*
 * Hardens the process (umask 077, no core dumps, SIGPIPE ignored, signals blocked) before any
 * thread is made.
 */
void service_prepare(void);

/* Runs the parts until a signal; returns the exit code. From main() only. */
int service_run(const struct service_part *parts, size_t count);

#endif
