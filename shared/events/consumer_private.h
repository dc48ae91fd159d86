/*
 * The inside of a consumer, shared by its three files: consumer.c turns the loop and keeps the
 * lease, consumer_apply.c brings arrivals into order and into effect, consumer_pull.c asks the log.
 */
#ifndef CHECKOUT_EVENTS_CONSUMER_PRIVATE_H
#define CHECKOUT_EVENTS_CONSUMER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "shared/events/consumer_batch.h"
#include "shared/events/lease.h"
#include "shared/events/relay.h"
#include "shared/events/relay_window.h"
#include "shared/runtime/metrics.h"

enum {
    CONSUMER_QUERY_MS = 3000,
    CONSUMER_PULL_MS = 2000,  /* one answer of the feed; the bus and the lease wait meanwhile */
    CONSUMER_GLANCE_MS = 200, /* ... that nothing hangs on, and more when it takes longer */
    CONSUMER_IDLE_MS = 200,   /* how often the loop turns when nothing happens */
    CONSUMER_BACKOFF_MS = 500 /* after the weather turned bad */
};

/* The part of the loop's time for answers that do not come, as long as nothing hangs on them. */
enum { CONSUMER_GLANCE_PART = 6 };

/* Events that may be known here before the bus brings them: it is worth hearing then. */
enum { CONSUMER_AHEAD_MAX = 2500 };

_Static_assert((int)CONSUMER_AHEAD_MAX > (int)RELAY_STORE_EVERY + (int)RELAY_WINDOW,
               "the relay may have announced so many before it stores that it did");

_Static_assert(CONSUMER_PULL_MS < LEASE_MS - LEASE_RENEW_MS, "a slow feed must not cost the lease");

struct consumer {
    struct consumer_settings settings;
    pthread_t thread;
    bool joined;
    int wake; /* eventfd: stop, or look at the log */
    atomic_bool stopping, pull_asked;
    atomic_bool leading, broker_up, database_up; /* for the health check */
    atomic_bool hears_bus;                       /* subscribed */
    atomic_bool log_cut; /* ... and that the producer's log ends before the position */
    _Atomic int64_t shown_lag;

    /* The thread's own. */
    struct connection *connection;
    struct deadline next_connect;
    struct mqtt *mqtt; /* the leader's only */
    struct client *client;
    struct lease lease;
    int64_t position;
    struct event_extent extent; /* of the producer's log, as last told */
    bool position_known;
    bool pull_due;
    bool missing;       /* ... because something is, for certain */
    int64_t glance_ms;  /* patience with an answer that nothing hangs on */
    bool far_behind;    /* the log, more than a batch */
    bool far_ahead;     /* of what the bus was told */
    bool subscribe_due; /* connected, and not subscribed yet */
    bool feed_away;     /* and that was logged */
    struct deadline pull_not_before;
    struct deadline ask_head_at;
    size_t count;
    struct arrival arrivals[CONSUMER_BATCH_MAX]; /* read, and not committed yet */
    struct deadline commit_by;                   /* ... which is due then; while there are some */
    char labels[96];                             /* of its metrics */
    struct metric *applied, *duplicates, *pulled, *dead, *lease_changes, *lag;
    struct metric *position_metric; /* NULL until it is known */
};

/* What the bus brought: consumer->arrivals. On failure nothing of it may be acknowledged. */
MUST_CHECK bool consumer_apply_arrivals(struct consumer *consumer, struct error *err);

/* Elements of the log that follow the position, in their order. */
MUST_CHECK bool consumer_apply_page(struct consumer *consumer, struct arrival *arrivals,
                                    size_t count, struct error *err);

/* Something is missing that only the log can tell, and that is worth waiting for. */
void consumer_miss(struct consumer *consumer);

/* Tells health and metrics how far it is. */
void consumer_show_progress(struct consumer *consumer, int64_t position);

/* ... and that somebody else leads: the lag is theirs to tell. */
void consumer_show_standby(struct consumer *consumer);

/*
 * Pulls a page if that is due, or asks for the head if that is. A producer that is away is no
 * failure, for what the bus brings takes effect without it: it is asked again later.
 */
MUST_CHECK bool consumer_follow_log(struct consumer *consumer, struct error *err);

#endif
