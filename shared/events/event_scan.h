/*
 * Event scan: an event as event_write() writes it, read without making a document of it.
 *
 * Nearly every event that arrives was written by the very same code: its members stand in that
 * order, without blanks between them and without escapes in them. Such a text is walked once, from
 * its first byte to its last. Of any other nothing is said here: event_read() reads it as JSON, and
 * knows what is wrong with it.
 */
#ifndef CHECKOUT_EVENTS_EVENT_SCAN_H
#define CHECKOUT_EVENTS_EVENT_SCAN_H

#include "shared/events/event.h"

/*
 * True if the text is such an event of `service`; `out` is what event_read() would have read, but
 * `data` is a part of the text. Any thread; allocates nothing.
 */
MUST_CHECK bool event_scan(struct span text, const char *service, struct event *out);

#endif
