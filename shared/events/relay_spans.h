/*
 * Relay spans: the publishing of each event in flight, from when it was sent until the broker has
 * acknowledged it.
 *
 * Its cause is the event's commit. The thread of one relay. All of them take NULL: nobody collects.
 */
#ifndef CHECKOUT_EVENTS_RELAY_SPANS_H
#define CHECKOUT_EVENTS_RELAY_SPANS_H

#include "shared/events/event.h"

struct relay_spans;

/* NULL when nobody collects spans. */
struct relay_spans *relay_spans_create(void);
void relay_spans_destroy(struct relay_spans *spans);

/* The event was sent, once more maybe. */
void relay_span_begin(struct relay_spans *spans, const struct event *event);

/* The broker has answered for the event. */
void relay_span_end(struct relay_spans *spans, int64_t sequence, bool refused);

#endif
