/*
 * Consumption: one event's way into effect, as a span of its trace.
 *
 * It begins when the event is handed to its handler and ends with the commit of the batch. Its
 * cause is the event's commit at the producer, and it is the cause of what the handler announces:
 * so the handler gets the event with the traceparent of its consumption.
 *
 * One thread.
 */
#ifndef CHECKOUT_EVENTS_CONSUMPTION_H
#define CHECKOUT_EVENTS_CONSUMPTION_H

#include "shared/events/event.h"

struct consumptions;

/* For `count` events; NULL when nobody collects spans. */
struct consumptions *consumptions_create(size_t count);

/*
 * The event to hand to the handler, valid until the consumptions are destroyed; without them, or in
 * a trace that nobody wants, the event itself.
 */
const struct event *consumption_begin(struct consumptions *consumptions, const struct event *event);

/* What was begun has taken effect. Takes NULL. */
void consumptions_record(struct consumptions *consumptions);

/* Takes NULL. */
void consumptions_destroy(struct consumptions *consumptions);

#endif
