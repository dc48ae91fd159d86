/*
 * The bus alone: one client publishes, another receives, and nobody does anything with it. What
 * passes in a second is the most that a relay and a consumer could do.
 *
 *     plain_bus PORT MESSAGES BYTES       prints the milliseconds that it took
 */
#include <poll.h>

#include "shared/base/buffer.h"
#include "shared/bus/mqtt.h"
#include "shared/events/relay_window.h"

enum { GIVE_UP_MS = 120000, TURN_MS = 100 };

struct bus {
    struct mqtt *publisher, *subscriber;
    bool subscribed;
    long wanted, queued, acknowledged, received;
};

static void on_connected(void *ctx)
{
    struct bus *bus = ctx;
    bool asked = mqtt_subscribe(bus->subscriber, "plain/#");

    assert(asked);
}

static void on_subscribed(void *ctx)
{
    struct bus *bus = ctx;

    bus->subscribed = true;
}

static void on_message(void *ctx, const char *topic, struct span payload)
{
    struct bus *bus = ctx;

    (void)topic;
    (void)payload;
    bus->received++;
}

static void on_published(void *ctx, int message, enum mqtt_published how)
{
    struct bus *bus = ctx;

    (void)message;
    assert(how == MQTT_PUBLISHED);
    bus->acknowledged++;
}

static bool is_ready(const struct bus *bus)
{
    return bus->subscribed && mqtt_is_connected(bus->publisher);
}

/* Keeps as many in flight as the relay does. */
static void publish(struct bus *bus, const struct mqtt_message *message)
{
    while (is_ready(bus) && bus->queued < bus->wanted &&
           bus->queued - bus->acknowledged < RELAY_WINDOW) {
        int number;

        if (mqtt_publish(bus->publisher, message, &number) != MQTT_PUBLISH_QUEUED)
            return;
        bus->queued++;
    }
}

/* Reads what is there, and lets out what is due. */
static void turn(struct mqtt *mqtt, const struct pollfd *ready)
{
    if (ready->revents & (POLLIN | POLLERR | POLLHUP))
        mqtt_read(mqtt);
    mqtt_write(mqtt);
    mqtt_tick(mqtt);
}

static void turn_both(struct bus *bus)
{
    struct mqtt *clients[] = { bus->publisher, bus->subscriber };
    struct pollfd ready[COUNT_OF(clients)];

    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        short write = mqtt_wants_write(clients[i]) ? POLLOUT : 0;

        ready[i] = (struct pollfd){ .fd = mqtt_socket(clients[i]), .events = POLLIN | write };
    }
    (void)poll(ready, COUNT_OF(ready), TURN_MS);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        turn(clients[i], &ready[i]);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "plain_bus PORT MESSAGES BYTES\n");
        return EXIT_FAILURE;
    }
    struct bus bus = { .wanted = strtol(argv[2], NULL, 10) };
    size_t size = strtoul(argv[3], NULL, 10);
    char *payload = memory_allocate_zeroed(1, size);
    struct mqtt_message message = { .topic = "plain/message", .payload = { payload, size } };
    struct mqtt_settings settings = { .host = "127.0.0.1",
                                      .port = strtol(argv[1], NULL, 10),
                                      .client_id = "plain",
                                      .ctx = &bus,
                                      .on_published = on_published };
    struct deadline deadline = deadline_in_ms(GIVE_UP_MS);
    int64_t began_us = 0;

    if (!mqtt_library_start())
        return EXIT_FAILURE;
    bus.publisher = mqtt_create(&settings);
    settings.on_connected = on_connected;
    settings.on_subscribed = on_subscribed;
    settings.on_message = on_message;
    bus.subscriber = mqtt_create(&settings);
    while (bus.received < bus.wanted && !deadline_passed(deadline)) {
        if (began_us == 0 && is_ready(&bus))
            began_us = clock_monotonic_us();
        publish(&bus, &message);
        turn_both(&bus);
    }
    printf("%.1f\n", (double)(clock_monotonic_us() - began_us) / 1000);
    mqtt_destroy(bus.publisher);
    mqtt_destroy(bus.subscriber);
    free(payload);
    return bus.received < bus.wanted ? EXIT_FAILURE : EXIT_SUCCESS;
}
