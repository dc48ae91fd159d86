/*
 * Consumer: makes each event of another service take effect exactly once, in order.
 *
 * Its whole memory is one row, consumer_position(source, stream, sequence). It reads what the bus
 * has delivered, and then, in one transaction, moves the position from where it stood (first: that
 * is the fence against another leader), lets the handler act on the events in the order of their
 * sequence, appends the events that follow from them, and commits. Only then do the
 * acknowledgements go out.
 *
 *     at or below the position   a duplicate: dropped
 *     the next one               applied
 *     later                      a hole: what is missing is pulled from the producer's feed
 *
 * It also pulls at the start, after every subscription, and when the head that the producer told
 * CONSUMER_HEAD_MS ago is still not reached (a lost last event leaves no hole to see). So the
 * broker needs to remember nothing. Who is more than a batch behind, as the log tells it,
 * subscribes when it no longer is: a page costs less than its events one by one, which would only
 * come again. Nor does it as long as the relay is far behind what it has read: the bus would bring
 * what it knows. While the producer is away there is only the bus to hear: as long as nothing is
 * known to be missing, questions that the log does not answer take a sixth of the time.
 *
 * Events that nobody waits for, most of them, are committed together: the first of them waits for
 * others, CONSUMER_PATIENCE_MS at most, until one comes that must take effect at once, or many did.
 *
 * What came garbled by the bus is put aside and takes nobody's place: the log is asked for it.
 *
 * When a batch raises, it is replayed event by event. An event that can not take effect - SQLSTATE
 * class 22 or 23, unreadable, of an unknown type, or refused by the domain - becomes a dead letter
 * in the transaction that moves the position past it. Everything else is the weather: nothing is
 * acknowledged, and the loop backs off. What the bus brings is trusted only if it reads well and
 * continues the sequence; what does not is put aside without moving the position, and the log is
 * asked.
 */
#ifndef CHECKOUT_EVENTS_CONSUMER_H
#define CHECKOUT_EVENTS_CONSUMER_H

#include "shared/bus/mqtt.h"
#include "shared/db/transaction.h"
#include "shared/events/event.h"
#include "shared/events/feed.h"

/* Events in one transaction. */
enum { CONSUMER_BATCH_MAX = 500 };

/* How long an event may wait for others to share its transaction, and how many do at most. */
enum { CONSUMER_PATIENCE_MS = 20, CONSUMER_PATIENCE_COUNT = 250 };

/* How often the producer is asked for its head, and how long an event may be missing. */
enum { CONSUMER_HEAD_MS = 5000 };

/* What a handler may do while it acts on one event. */
struct effects;

/* Reads inside the transaction, seeing everything done before. */
MUST_CHECK bool effects_read(struct effects *effects, const struct statement *statement,
                             const struct parameters *parameters, struct rows *out,
                             struct error *err);

/* One write and what it announces, owned by the transaction. */
struct effect {
    struct write write;
    struct announcement announcement;
};

/* Effects that one event may have. */
enum { CONSUMER_EFFECTS_MAX = 2 };

/*
 * Room for one more effect. The handler begins and fills the write before it adds another, reads or
 * returns; an announcement that it does not make stays empty.
 */

struct effect *effects_add(struct effects *effects);

/* Acts on one event; a failure of the kinds listed above makes it a dead letter. */
typedef bool event_handler(void *ctx, struct effects *effects, const struct event *event,
                           struct error *err);

/* A type of event that exists in the source. */
struct consumed_type {
    const char *name; /* "order.created"; NULL ends a table of them */
    bool may_wait;    /* nobody waits for its effect */
};

struct consumer_settings {
    const char *service; /* the consuming one; texts are borrowed for the consumer's life */
    const char *instance;
    struct feed_source source;
    const char *const *filters; /* topics of the source; NULL ends */
    const struct consumed_type *types;
    int stream;
    const char *connection_string;
    const char *mqtt_host;
    int64_t mqtt_port;
    const char *mqtt_username;
    const char *mqtt_password;
    event_handler *handle;
    void *handle_ctx;
    void (*on_commit)(void *ctx, int stream); /* wakes the relay */
    void *on_commit_ctx;
};

struct consumer;

/* Starts its thread. */
struct consumer *consumer_create(const struct consumer_settings *settings);

/* Finishes the batch at hand and gives up the lease. */
void consumer_drain(struct consumer *consumer, struct deadline deadline);

/* Takes NULL. */
void consumer_destroy(struct consumer *consumer);

/* Asks the log at once, if this is the leader, whatever the bus brings. Any thread. */
void consumer_wake(struct consumer *consumer);

/* A health check: well while it leads and follows, or stands by. */
bool consumer_check(void *consumer, char *note, size_t note_size);

/*
 * Lets the handler act on one dead letter's event in a transaction of its own, together with
 * `also` (a write that marks it replayed). Any thread.
 */
MUST_CHECK bool consumer_replay(struct consumer *consumer, struct span payload, struct write *also,
                                struct deadline deadline, struct error *err);

const char *consumer_source(const struct consumer *consumer);

#endif
