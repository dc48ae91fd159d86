/*
 * Consumer batch: events on their way from the bus to their effect, and the transaction that they
 * share. The inside of a consumer.
 */
#ifndef CHECKOUT_EVENTS_CONSUMER_BATCH_H
#define CHECKOUT_EVENTS_CONSUMER_BATCH_H

#include "shared/events/consumer.h"

/* One message: an event, or a reason why it is none. */
struct arrival {
    bool valid;
    bool may_wait;      /* for others, to be committed together */
    struct event event; /* if valid; its data lives in `data` */
    struct buffer data;
    struct buffer text;           /* the CloudEvent as it came */
    char topic[EVENT_TOPIC_SIZE]; /* "" when it was pulled */
    int64_t sequence;             /* 0: not known */
    char reason[48];              /* if not valid */
    char detail[256];
};

/* Reads a message from the bus; what is unreadable, of no known type or on a wrong topic is not
 * valid. False when it is of another stream, and none of our business. */
MUST_CHECK bool arrival_read(const struct consumer_settings *settings, const char *topic,
                             struct span payload, struct arrival *out);

/* Takes an element of a feed page, whose buffers it takes over. */
void arrival_pull(const struct consumer_settings *settings, struct feed_item *item,
                  struct arrival *out);

void arrival_release(struct arrival *arrival);

enum apply_outcome {
    APPLY_DONE,    /* committed: the position is behind the last event */
    APPLY_POISON,  /* one of them can not take effect: err says why; nothing was written */
    APPLY_FENCED,  /* the position is not where we thought: another leader was here */
    APPLY_WEATHER, /* nothing is known to be written: try again later */
};

/* What a transaction needs to know. */
struct batch_context {
    const struct consumer_settings *settings;
    struct connection *connection;
    int64_t position; /* where it must stand now */
};

/* Valid arrivals with the sequences position + 1, position + 2, ... in one transaction. */
enum apply_outcome batch_apply(const struct batch_context *context,
                               const struct arrival *const *arrivals, size_t count,
                               struct error *err);

/*
 * Puts one arrival aside; `is_new` is false when the same payload was put aside before. With
 * `moves`, the position moves past it in the same transaction.
 */
enum apply_outcome batch_bury(const struct batch_context *context, const struct arrival *arrival,
                              bool moves, bool *is_new, struct error *err);

/* One event without touching the position, together with `also`; fenced when that is refused. */
enum apply_outcome batch_replay(const struct batch_context *context, const struct event *event,
                                struct write *also, struct error *err);

#endif
