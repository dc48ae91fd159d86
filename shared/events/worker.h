/*
 * Worker: something that is done again and again, in a thread of its own.
 *
 * Expiring orders, forgetting old answers: work that nobody waits for. It is done in small bites;
 * after a failure the worker logs it and pauses.
 */
#ifndef CHECKOUT_EVENTS_WORKER_H
#define CHECKOUT_EVENTS_WORKER_H

#include "shared/base/error.h"

/* The pause after a failure. */
enum { WORKER_BACKOFF_MS = 1000 };

struct work {
    const char *name; /* "expire orders"; a literal */
    int64_t every_ms;
    /* One bite, with a deadline of its own; `more` when there is more to do at once. */
    bool (*work)(void *ctx, struct error *err, bool *more);
    void *ctx;
};

struct worker;

/* Starts its thread, which begins at once. */
struct worker *worker_start(const struct work *work);

/* Tells it to end after the bite at hand, and does not wait: several of them end together. */
void worker_end(struct worker *worker);

/* Ends it, waits for the bite at hand, and frees it. Takes NULL. */
void worker_stop(struct worker *worker);

#endif
