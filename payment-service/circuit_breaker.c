#include "payment-service/circuit_breaker.h"

enum { PERCENT = 100 };

const char *const breaker_state_words[BREAKER_STATE_COUNT] = {
    [BREAKER_CLOSED] = "closed",
    [BREAKER_OPEN] = "open",
    [BREAKER_HALF_OPEN] = "half_open",
};

static int64_t slice_at(const struct circuit_breaker *breaker, int64_t now_ms)
{
    int64_t length_ms = breaker->settings.window_ms / BREAKER_SLICES;

    assert(now_ms >= 0);
    return now_ms / (length_ms > 0 ? length_ms : 1);
}

static void forget(struct circuit_breaker *breaker)
{
    memset(breaker->slices, 0, sizeof(breaker->slices));
}

/* Makes the slice of `now_ms` the newest one; those that fell out of the window are emptied. */
static void advance(struct circuit_breaker *breaker, int64_t now_ms)
{
    int64_t slice = slice_at(breaker, now_ms);

    if (slice >= breaker->slice + BREAKER_SLICES)
        forget(breaker);
    else
        for (int64_t passed = breaker->slice + 1; passed <= slice; passed++)
            memset(&breaker->slices[passed % BREAKER_SLICES], 0, sizeof(breaker->slices[0]));
    if (slice > breaker->slice)
        breaker->slice = slice;
}

/* The one place in which the state changes. */
static void move(struct circuit_breaker *breaker, enum breaker_state state, int64_t now_ms)
{
    breaker->state = state;
    breaker->changed_at_ms = now_ms;
    breaker->probing = false;
    breaker->probes_passed = 0;
    if (state == BREAKER_CLOSED)
        forget(breaker);
}

void breaker_init(struct circuit_breaker *breaker, const struct breaker_settings *settings,
                  int64_t now_ms)
{
    assert(settings->window_ms > 0 && settings->calls_min > 0 && settings->open_ms > 0);
    assert(settings->error_percent > 0 && settings->error_percent <= PERCENT);
    assert(settings->probes > 0);
    *breaker = (struct circuit_breaker){ .settings = *settings };
    breaker->slice = slice_at(breaker, now_ms);
    move(breaker, BREAKER_CLOSED, now_ms);
}

static bool waited(const struct circuit_breaker *breaker, int64_t since_ms, int64_t now_ms)
{
    return now_ms - since_ms >= breaker->settings.open_ms;
}

static bool allow_probe(struct circuit_breaker *breaker, int64_t now_ms)
{
    if (breaker->probing && !waited(breaker, breaker->probe_at_ms, now_ms))
        return false;
    breaker->probing = true;
    breaker->probe_at_ms = now_ms;
    return true;
}

bool breaker_allow(struct circuit_breaker *breaker, int64_t now_ms)
{
    if (breaker->state == BREAKER_CLOSED)
        return true;
    if (breaker->state == BREAKER_OPEN) {
        if (!waited(breaker, breaker->changed_at_ms, now_ms))
            return false;
        move(breaker, BREAKER_HALF_OPEN, now_ms);
    }
    return allow_probe(breaker, now_ms);
}

/* Calls and errors of the window that ends in this slice. */
static void sum(const struct circuit_breaker *breaker, int64_t slice, struct breaker_view *out)
{
    int64_t oldest = slice - BREAKER_SLICES + 1;

    for (int64_t at = oldest > 0 ? oldest : 0; at <= breaker->slice; at++) {
        out->calls += breaker->slices[at % BREAKER_SLICES].calls;
        out->errors += breaker->slices[at % BREAKER_SLICES].errors;
    }
}

static void count(struct circuit_breaker *breaker, bool failed, int64_t now_ms)
{
    struct breaker_view window = { .calls = 0 };

    advance(breaker, now_ms);
    breaker->slices[breaker->slice % BREAKER_SLICES].calls++;
    breaker->slices[breaker->slice % BREAKER_SLICES].errors += failed;
    sum(breaker, breaker->slice, &window);
    if (window.calls >= breaker->settings.calls_min &&
        window.errors * PERCENT >= window.calls * breaker->settings.error_percent)
        move(breaker, BREAKER_OPEN, now_ms);
}

static void judge_probe(struct circuit_breaker *breaker, bool failed, int64_t now_ms)
{
    if (!breaker->probing) /* of a call that was allowed before */
        return;
    breaker->probing = false;
    if (failed)
        move(breaker, BREAKER_OPEN, now_ms);
    else if (++breaker->probes_passed >= breaker->settings.probes)
        move(breaker, BREAKER_CLOSED, now_ms);
}

void breaker_record(struct circuit_breaker *breaker, bool failed, int64_t now_ms)
{
    if (breaker->state == BREAKER_CLOSED)
        count(breaker, failed, now_ms);
    else if (breaker->state == BREAKER_HALF_OPEN)
        judge_probe(breaker, failed, now_ms);
}

void breaker_forgo(struct circuit_breaker *breaker)
{
    breaker->probing = false;
}

struct breaker_view breaker_look(const struct circuit_breaker *breaker, int64_t now_ms)
{
    struct breaker_view view = { .state = breaker->state };
    int64_t slice = slice_at(breaker, now_ms);

    sum(breaker, slice > breaker->slice ? slice : breaker->slice, &view);
    if (breaker->state != BREAKER_OPEN)
        return view;
    if (waited(breaker, breaker->changed_at_ms, now_ms)) {
        view.state = BREAKER_HALF_OPEN;
        return view;
    }
    view.retry_in_ms = breaker->changed_at_ms + breaker->settings.open_ms - now_ms;
    if (view.retry_in_ms > breaker->settings.open_ms) /* the clock was read before it opened */
        view.retry_in_ms = breaker->settings.open_ms;
    return view;
}
