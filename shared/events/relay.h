/*
 * Relay: publishes the event log to the bus, in order, at least once.
 *
 * Each process has one per stream; the one that holds the lease leads. It publishes the events
 * above the stored position with QoS 1, at most RELAY_WINDOW in flight, and moves the position to
 * the highest sequence up to which every event was acknowledged. Publishing twice is allowed,
 * skipping is not. An event that the broker refuses for good is counted, logged and passed: it
 * stays in the log.
 *
 * After a commit the writer wakes the relay of its own process. If that one does not lead, it
 * passes the news on with one coalesced NOTIFY on a connection of its own (never in the writing
 * transaction: that would serialise all commits of the server). A poll lies beneath.
 */
#ifndef CHECKOUT_EVENTS_RELAY_H
#define CHECKOUT_EVENTS_RELAY_H

#include "shared/bus/mqtt.h"
#include "shared/events/event_log.h"

/* How late an event is published at worst when every wake-up was lost. */
enum { RELAY_POLL_MS = 100 };

/* The position is stored after so many acknowledged events, or when nothing is in flight. */
enum { RELAY_STORE_EVERY = 2000 };

struct relay_settings {
    const char *service; /* "order-service"; texts are borrowed for the relay's life */
    const char *instance;
    const char *connection_string;
    const char *mqtt_host;
    int64_t mqtt_port;
    const char *mqtt_username;
    const char *mqtt_password;
    int stream;
};

struct relay;

/* Starts its thread. */
struct relay *relay_create(const struct relay_settings *settings);

/* There may be something to publish. Any thread; never blocks. */
void relay_wake(struct relay *relay);

/* Publishes what is committed until the deadline, stores the position, gives up the lease. */
void relay_drain(struct relay *relay, struct deadline deadline);

/* Takes NULL. */
void relay_destroy(struct relay *relay);

/* A health check (see http/health.h): well while connected to the broker and the database. */
bool relay_check(void *relay, char *note, size_t note_size);

#endif
