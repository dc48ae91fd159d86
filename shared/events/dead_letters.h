/*
 * Dead letters: events that can not take effect, kept for an operator.
 *
 *     GET  /v1/dead_letters?status=open    newest first
 *     POST /v1/dead_letters/{id}/replay    tries again; 409 with the reason if it still fails
 *     POST /v1/dead_letters/{id}/discard
 *
 * The same payload from the same source is one dead letter, however often it arrives.
 */
#ifndef CHECKOUT_EVENTS_DEAD_LETTERS_H
#define CHECKOUT_EVENTS_DEAD_LETTERS_H

#include "shared/db/journal.h"
#include "shared/events/consumer.h"

/* The longest payload kept; what is longer is cut (and can then only be discarded). */
enum { DEAD_LETTER_PAYLOAD_MAX = 262144 };

struct dead_letter {
    const char *source;
    int stream;
    int64_t sequence; /* 0: not from the log */
    const char *reason;
    const char *detail;
    const char *topic; /* NULL when pulled */
    struct span payload;
};

/* A write that stores it; refused (harmlessly) when it is there already. */
void dead_letter_insert(struct write *write, const struct dead_letter *letter);

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
