/*
 * Event log: a service's events, in the order of their commits, without holes.
 *
 * Appending is the last thing a transaction does: it locks the stream's row, numbers its events
 * from max(sequence) + 1 in a statement of its own (whose snapshot is taken after the lock was
 * granted), and commits. So a sequence number that can be read means that all lower ones can be
 * read too, for ever. There is no counter row, which would bloat, and no database sequence, which
 * has holes and is not in commit order.
 */
#ifndef CHECKOUT_EVENTS_EVENT_LOG_H
#define CHECKOUT_EVENTS_EVENT_LOG_H

#include "shared/db/pool.h"
#include "shared/db/transaction.h"
#include "shared/events/event.h"

/* Events that one read returns at most. */
enum { EVENT_LOG_PAGE_MAX = 1000 };

/* How transactions append: for journals and consumers. */
const struct appender *event_log_appender(void);

/* A piece of a log: the events above `after`, at most `limit`. */
struct event_range {
    int64_t stream, after, limit;
};

/* The events of the range in order, as rows for event_log_row(). */
MUST_CHECK bool event_log_read(struct connection *connection, const struct event_range *range,
                               struct deadline deadline, struct rows *out, struct error *err);

/* One of those rows; `data` is borrowed from the rows. */
void event_log_row(const struct rows *rows, size_t index, struct event *out);

/* How far a log goes. */
struct event_extent {
    int64_t head;      /* the highest sequence; 0 for an empty log */
    int64_t announced; /* up to here the bus took everything, or refused it for good */
};

MUST_CHECK bool event_log_extent(struct pool *pool, int stream, struct deadline deadline,
                                 struct event_extent *out, struct error *err);

#endif
