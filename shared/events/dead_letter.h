/*
 * Dead letter: an event that can not take effect, kept with the reason.
 *
 * It is stored in the transaction that moves a consumer's position past it. The same payload from
 * the same source is one dead letter, however often it arrives.
 */
#ifndef CHECKOUT_EVENTS_DEAD_LETTER_H
#define CHECKOUT_EVENTS_DEAD_LETTER_H

#include "shared/db/pool.h"
#include "shared/db/write.h"

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

/* Open ones that dead_letter_count() counts. */
enum { DEAD_LETTERS_COUNTED_MAX = 1000 };

/* How many are open; DEAD_LETTERS_COUNTED_MAX stands for more, too. */
MUST_CHECK bool dead_letter_count(struct pool *pool, struct deadline deadline, int64_t *out,
                                  struct error *err);

/* A write that closes an open one as "replayed" or "discarded"; refused when it is not open. */
void dead_letter_resolve(struct write *write, int stream, struct id id, const char *status);

#endif
