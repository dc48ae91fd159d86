/*
 * Feed: the event log over HTTP, for whoever missed something on the bus.
 *
 *     GET /v1/events?stream=0&after=<sequence>&limit=1000
 *     {"data": [<CloudEvent>, ...], "head": <highest sequence>, "announced": <sequence>,
 *      "next_after": <sequence>}
 *
 * in order of sequence, the same CloudEvents that the bus carries; up to `announced` it has, at
 * least. A key of `*` sees a whole stream
 * without holes; a merchant's key sees its own events of its own stream, whose numbers have holes
 * by nature: it continues with `next_after`, and has seen everything when that equals `head`. A
 * page may end before its limit.
 *
 * `subjects=<id>,<id>,...` (at most FEED_SUBJECTS_MAX) narrows it to what happened to those.
 */
#ifndef CHECKOUT_EVENTS_FEED_H
#define CHECKOUT_EVENTS_FEED_H

#include "shared/events/event_log.h"
#include "shared/http/client.h"
#include "shared/http/router.h"

/* Subjects that one request may name. */
enum { FEED_SUBJECTS_MAX = 25 };

struct feed {
    const char *service;
    struct pool *pool;
};

/* GET /v1/events, served with the feed as context. */
void feed_add_routes(struct feed *feed, struct router *router);

/* Where another service's feed is, and the key to it. */
struct feed_source {
    const char *service; /* the producer */
    const char *origins; /* of its instances: "http://127.0.0.1:8081,http://127.0.0.1:8091" */
    const char *authorization;
};

/* One element that was pulled: an event, or the reason why it is none. */
struct feed_item {
    int64_t sequence;
    bool valid;
    struct event event; /* if valid; its data lives in `data` */
    struct buffer data;
    struct buffer text; /* the CloudEvent as it came */
    char detail[256];   /* why it is not valid */
};

struct feed_page {
    struct event_extent extent;
    size_t count;
    struct feed_item *items;
};

/*
 * The events above `after`, at most `limit` (and EVENT_LOG_PAGE_MAX), consecutive from after + 1; a
 * page of large events ends earlier. ERROR_UNAVAILABLE when what the producer tells is something
 * else than that.
 */
MUST_CHECK bool feed_fetch(struct client *client, const struct feed_source *source,
                           const struct event_range *range, struct deadline deadline,
                           struct feed_page *out, struct error *err);

void feed_page_release(struct feed_page *page);

#endif
