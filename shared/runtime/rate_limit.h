/*
 * Rate limit: how often each of many may do something.
 *
 * Each name may do it `limit` times at once, and gets one more after every period_us / limit. The
 * table is bounded, and what it forgets first is whoever has the most left: who has used nothing up
 * is not worth remembering, and a crowd of newcomers does not free the one that is being held back.
 *
 * Time is a parameter, any monotonic clock in microseconds. Any thread; asking takes one short
 * lock, shared with a sixteenth of the others, and allocates nothing.
 */
#ifndef CHECKOUT_RUNTIME_RATE_LIMIT_H
#define CHECKOUT_RUNTIME_RATE_LIMIT_H

#include "shared/base/compiler.h"

/* Names remembered at once, in sets of RATE_LIMIT_WAYS; a name belongs to one set. */
enum { RATE_LIMIT_NAMES_MAX = 4096, RATE_LIMIT_WAYS = 8 };

/* Bytes of a name, the end included; of a longer one the rest does not count. "" is no name. */
enum { RATE_LIMIT_NAME_SIZE = 48 };

struct rate_limit;

/* `limit` is at least 1 and at most 1000 in a microsecond. */
struct rate_limit *rate_limit_create(int64_t limit, int64_t period_us);

/* Takes NULL. */
void rate_limit_destroy(struct rate_limit *limit);

/* Takes one, or, when nothing is left, says in how many microseconds there is. */
MUST_CHECK bool rate_limit_take(struct rate_limit *limit, const char *name, int64_t now_us,
                                int64_t *wait_us);

/* The same without taking. */
MUST_CHECK bool rate_limit_check(struct rate_limit *limit, const char *name, int64_t now_us,
                                 int64_t *wait_us);

#endif
