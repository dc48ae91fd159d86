/*
 * Dead letters: what an operator does about events that can not take effect (dead_letter.h).
 *
 *     GET  /v1/dead_letters?status=open    newest first
 *     POST /v1/dead_letters/{id}/replay    tries again; 409 with the reason if it still fails
 *     POST /v1/dead_letters/{id}/discard
 */
#ifndef CHECKOUT_EVENTS_DEAD_LETTERS_H
#define CHECKOUT_EVENTS_DEAD_LETTERS_H

#include "shared/db/journal.h"
#include "shared/events/consumer.h"
#include "shared/events/dead_letter.h"

enum { DEAD_LETTERS_CONSUMERS_MAX = 8 };

struct dead_letters {
    struct pool *pool;
    struct journal *journal;
    size_t consumer_count;
    struct consumer *consumers[DEAD_LETTERS_CONSUMERS_MAX];
};

/* Served with the dead letters as context. */
void dead_letters_add_routes(struct dead_letters *letters, struct router *router);

#endif
