/*
 * Circuit breaker: whether a bank is worth asking.
 *
 *     closed      calls go through; when, of at least `calls_min` calls within `window_ms`, the
 *                 share that failed reaches `error_percent`, it opens
 *     open        nothing goes through until `open_ms` are over
 *     half-open   one call at a time goes through; `probes` in a row that succeed close it, one
 *                 that fails opens it again. A probe that never tells its outcome is given up after
 *                 `open_ms`, and another one may go
 *
 * Calls may end late, in another state than that they were allowed in. What they tell is ignored
 * while it is open; while it is half-open it is taken for the outcome of the probe under way, and
 * ignored if there is none. One that closes has forgotten all calls before.
 *
 * Pure: time is a parameter (monotonic milliseconds, not negative). Threads read the clock before
 * they get the lock, so a time may lie before one seen already; it then counts as that. The window
 * is a ring of BREAKER_SLICES slices, so it forgets by slices: a call counts for more than nine
 * tenths of `window_ms`, and at most for the whole of it. Not for two threads at once: the owner
 * has the lock.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_CIRCUIT_BREAKER_H
#define CHECKOUT_PAYMENT_SERVICE_CIRCUIT_BREAKER_H

#include "shared/base/compiler.h"

enum { BREAKER_SLICES = 10 };

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN, BREAKER_STATE_COUNT };

/* "closed", "open", "half_open". */
extern const char *const breaker_state_words[BREAKER_STATE_COUNT];

struct breaker_settings {
    int64_t window_ms;     /* default 10000 */
    int64_t calls_min;     /* default 5 */
    int64_t error_percent; /* default 50 */
    int64_t open_ms;       /* default 5000 */
    int64_t probes;        /* default 1 */
};

struct circuit_breaker {
    struct breaker_settings settings;
    enum breaker_state state;
    int64_t changed_at_ms; /* when it came into this state */
    int64_t slice;         /* number of the newest slice: time divided by the slice's length */
    struct {
        int64_t calls, errors;
    } slices[BREAKER_SLICES];
    bool probing; /* half-open: a probe is under way, since: */
    int64_t probe_at_ms;
    int64_t probes_passed;
};

/* Every setting is 1 or more, and `error_percent` at most 100: our own bug otherwise. */
void breaker_init(struct circuit_breaker *breaker, const struct breaker_settings *settings,
                  int64_t now_ms);

/*
 * Asks for one call: true if it may be made; then breaker_record() must tell what became of it, or
 * breaker_forgo() that it was not made. May move from open to half-open.
 */
bool breaker_allow(struct circuit_breaker *breaker, int64_t now_ms);

/* What became of an allowed call. A decline is no error: the bank works. */
void breaker_record(struct circuit_breaker *breaker, bool failed, int64_t now_ms);

/* An allowed call was not made after all: a half-open breaker may allow another. */
void breaker_forgo(struct circuit_breaker *breaker);

/* The state as it is seen now, and calls and errors in the window: for metrics and the API. */
struct breaker_view {
    enum breaker_state state;
    int64_t calls, errors;
    int64_t retry_in_ms; /* open: until it is half-open; else 0 */
};

struct breaker_view breaker_look(const struct circuit_breaker *breaker, int64_t now_ms);

#endif
