/*
 * Follow: waiting until another service's log has taken effect here.
 *
 * Who asks for an object of another service that is not known here can not tell whether it does not
 * exist or is only on its way. The log tells: its head is asked for, the consumer is woken to pull,
 * and once the position stored here has reached that head, what is still not known is not there.
 * Callers at the same moment share one question. Any thread.
 */
#ifndef CHECKOUT_EVENTS_FOLLOW_H
#define CHECKOUT_EVENTS_FOLLOW_H

#include "shared/events/consumer.h"
#include "shared/events/feed.h"

struct follow;

/* Of one source and stream; all is borrowed for its life. */
struct follow *follow_create(const struct feed_source *source, int stream, struct pool *pool,
                             struct consumer *consumer);

/* Takes NULL. */
void follow_destroy(struct follow *follow);

/*
 * `reached` is false when the deadline came first; the last look at the position may end half a
 * second behind it. ERROR_UNAVAILABLE "source_unavailable" when the producer can not be asked.
 */
MUST_CHECK bool follow_wait(struct follow *follow, struct deadline deadline, bool *reached,
                            struct error *err);

#endif
