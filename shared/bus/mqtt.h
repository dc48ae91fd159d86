/*
 * MQTT: one MQTT 5 client whose loop its owner turns.
 *
 * libmosquitto queues the acknowledgement of a message before it hands the message over. So nothing
 * may leave before the effect is committed, and the owner decides when:
 *
 *     poll(mqtt_socket(mqtt), ...)
 *     mqtt_read(mqtt)      takes in what has arrived; callbacks run; acknowledgements only queue
 *     ... commit ...
 *     mqtt_write(mqtt)     lets them out
 *     mqtt_tick(mqtt)      connects, reconnects with jittered backoff, keeps alive
 *
 * When the effect could not be committed, mqtt_drop() forgets the connection with its queued
 * acknowledgements: the broker delivers again. Every connect starts with nothing: a clean session,
 * a new client id, no subscriptions, no messages of the connection before.
 *
 * A client belongs to one thread. Callbacks run inside mqtt_read() and may not call back into the
 * client except for mqtt_publish() and mqtt_subscribe().
 */
#ifndef CHECKOUT_BUS_MQTT_H
#define CHECKOUT_BUS_MQTT_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

/* Messages that may be unacknowledged in either direction. */
enum { MQTT_WINDOW = 500 };

/* The broker refuses packets beyond this; so do we. */
enum { MQTT_PACKET_MAX = 262144 };

/* Reconnecting waits between these, doubling, with jitter. */
enum { MQTT_BACKOFF_MIN_MS = 200, MQTT_BACKOFF_MAX_MS = 2000 };

/* How far a publish came. */
enum mqtt_published {
    MQTT_PUBLISH_QUEUED,  /* on its way */
    MQTT_PUBLISHED,       /* acknowledged (with or without a subscriber) */
    MQTT_PUBLISH_REFUSED, /* denied, too large, malformed: will never be accepted */
    MQTT_PUBLISH_FAILED,  /* not now: quota, server busy */
};

struct mqtt;

/* Texts are copied. Callbacks may be NULL. */
struct mqtt_settings {
    const char *host;
    int64_t port;
    const char *username;
    const char *password;
    const char *client_id;  /* made unique with a random tail */
    const char *will_topic; /* NULL: no last will; retained, QoS 1 */
    const char *will_payload;
    void *ctx;
    void (*on_connected)(void *ctx);
    void (*on_disconnected)(void *ctx);
    void (*on_subscribed)(void *ctx);
    void (*on_published)(void *ctx, int message, enum mqtt_published how);
    void (*on_message)(void *ctx, const char *topic, struct span payload); /* borrowed */
};

/* Once per process, before threads. */
MUST_CHECK bool mqtt_library_start(void);

/* Connects on the first tick. */
struct mqtt *mqtt_create(const struct mqtt_settings *settings);

/* Says goodbye if connected (the will is not sent), and frees. Takes NULL. */
void mqtt_destroy(struct mqtt *mqtt);

bool mqtt_is_connected(const struct mqtt *mqtt);

/* -1 while there is none. */
int mqtt_socket(const struct mqtt *mqtt);

/* True when something waits to be written. */
bool mqtt_wants_write(const struct mqtt *mqtt);

/* Handles one packet if one is there. */
void mqtt_read(struct mqtt *mqtt);

void mqtt_write(struct mqtt *mqtt);

/* Call at least once a second. */
void mqtt_tick(struct mqtt *mqtt);

/* Closes the connection at once and forgets what was queued. */
void mqtt_drop(struct mqtt *mqtt);

struct mqtt_message {
    const char *topic;
    struct span payload;
    const char *content_type; /* or NULL */
    bool retain;
    size_t property_count;              /* user properties */
    const char *const (*properties)[2]; /* name, value */
};

/*
 * Queues a QoS 1 publish and writes its number into `message`. How it ended is told by on_published
 * (never inside this call); after a disconnect it is never told. MQTT_PUBLISH_FAILED when there is
 * no connection, MQTT_PUBLISH_REFUSED when the broker would never take it.
 */
MUST_CHECK enum mqtt_published mqtt_publish(struct mqtt *mqtt, const struct mqtt_message *what,
                                            int *message);

/* QoS 1. on_subscribed tells when it was granted; false when not connected. */
MUST_CHECK bool mqtt_subscribe(struct mqtt *mqtt, const char *filter);

#endif
