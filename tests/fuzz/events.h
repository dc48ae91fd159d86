/* Events: what must hold of one that was read, from the bus or from a page of the feed. */
#ifndef CHECKOUT_TESTS_FUZZ_EVENTS_H
#define CHECKOUT_TESTS_FUZZ_EVENTS_H

#include "shared/events/event.h"

#define FUZZ_PRODUCER "order-service"

void fuzz_check_same_event(const struct event *a, const struct event *b);

/* Written again, it reads as the same, and it fits its own topic. */
void fuzz_check_event(const struct event *event);

#endif
