/*
 * Relay window: the events that were sent and are not all acknowledged.
 *
 * Acknowledgements come in any order; the window tells up to where every event was acknowledged,
 * which is all that may be remembered. Sequences are sent in order and without holes. Pure.
 */
#ifndef CHECKOUT_EVENTS_RELAY_WINDOW_H
#define CHECKOUT_EVENTS_RELAY_WINDOW_H

#include "shared/bus/mqtt.h"

/*
 * Events in flight at most. Many more than a round trip to the broker takes would only cost: with
 * each acknowledgement the library looks at every message that waits for one.
 */
enum { RELAY_WINDOW = 128 };

_Static_assert((int)RELAY_WINDOW <= (int)MQTT_WINDOW,
               "the library would hold back what is in flight");

struct relay_flight {
    int64_t sequence;
    int message; /* the number that the acknowledgement will carry */
    bool done;   /* acknowledged, while one before it is not */
};

struct relay_window {
    int64_t acknowledged; /* every event up to here */
    int64_t sent;         /* the highest sequence sent */
    size_t first, count;  /* a ring */
    struct relay_flight flights[RELAY_WINDOW];
};

/* Nothing is in flight, and all up to `position` is acknowledged. */
void relay_window_reset(struct relay_window *window, int64_t position);

/* What was in flight will be sent again: twice is allowed, skipping is not. */
void relay_window_forget(struct relay_window *window);

/* How many more may be sent. */
size_t relay_window_room(const struct relay_window *window);

/* One was sent; `done` when it needs no acknowledgement (refused for good). */
void relay_window_add(struct relay_window *window, int64_t sequence, int message, bool done);

/* The sequence that the message number stands for; 0 when it is none of ours (any more). */
int64_t relay_window_find(const struct relay_window *window, int message);

/* That message needs nothing more. */
void relay_window_land(struct relay_window *window, int message);

#endif
