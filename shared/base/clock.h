/*
 * Clock: what time it is, and how long is left.
 *
 * Instants are wall-clock milliseconds since 1970 (UTC): what people and rows see; they may jump.
 * Deadlines are on the monotonic clock: how long somebody waits; they never jump. Nothing mixes
 * the two. The domain takes instants as parameters and reads no clock.
 *
 * All functions are safe in any thread.
 */
#ifndef CHECKOUT_BASE_CLOCK_H
#define CHECKOUT_BASE_CLOCK_H

#include "shared/base/compiler.h"

/* Milliseconds since 1970-01-01T00:00:00Z. */
struct instant {
    int64_t ms;
};

/* "2026-01-31T23:59:59.123Z" and its NUL. */
enum { INSTANT_TEXT_SIZE = 25 };

struct instant_text {
    char text[INSTANT_TEXT_SIZE];
};

/* A moment on the monotonic clock, in milliseconds. */
struct deadline {
    int64_t at_ms;
};

struct instant clock_now(void);

/* The monotonic clock in microseconds, to measure durations with. */
int64_t clock_monotonic_us(void);

struct instant instant_add_ms(struct instant instant, int64_t ms);

/* RFC 3339, UTC, milliseconds. Years outside 0000-9999 are our own bug. */
struct instant_text instant_text(struct instant instant);

/*
 * Reads an RFC 3339 date-time (any offset, 0-9 digits of fraction; below a millisecond is cut), or
 * what Postgres prints for a timestamptz in UTC ("2026-01-31 23:59:59.123+00").
 */
MUST_CHECK bool instant_parse(const char *text, struct instant *out);

struct deadline deadline_in_ms(int64_t ms);

/* 0 when it has passed; at most INT_MAX, so that it suits poll(). */
int deadline_left_ms(struct deadline deadline);

bool deadline_passed(struct deadline deadline);

struct deadline deadline_earlier(struct deadline a, struct deadline b);
struct deadline deadline_later(struct deadline a, struct deadline b);

/* For pthread_cond_timedwait() on a condition with CLOCK_MONOTONIC. */
struct timespec deadline_timespec(struct deadline deadline);

#endif
