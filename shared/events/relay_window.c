#include "shared/events/relay_window.h"

static struct relay_flight *flight_at(struct relay_window *window, size_t index)
{
    return &window->flights[(window->first + index) % RELAY_WINDOW];
}

/* Over everything that is done from the front. */
static void move_on(struct relay_window *window)
{
    while (window->count > 0 && flight_at(window, 0)->done) {
        window->acknowledged = flight_at(window, 0)->sequence;
        window->first = (window->first + 1) % RELAY_WINDOW;
        window->count--;
    }
}

void relay_window_reset(struct relay_window *window, int64_t position)
{
    window->acknowledged = position;
    relay_window_forget(window);
}

void relay_window_forget(struct relay_window *window)
{
    window->first = 0;
    window->count = 0;
    window->sent = window->acknowledged;
}

size_t relay_window_room(const struct relay_window *window)
{
    return RELAY_WINDOW - window->count;
}

void relay_window_add(struct relay_window *window, int64_t sequence, int message, bool done)
{
    assert(window->count < RELAY_WINDOW);
    assert(sequence == window->sent + 1);
    *flight_at(window, window->count++) = (struct relay_flight){ sequence, message, done };
    window->sent = sequence;
    move_on(window);
}

/* Acknowledgements come almost in order, so the search ends almost at once. */
static size_t index_of(const struct relay_window *window, int message)
{
    for (size_t i = 0; i < window->count; i++) {
        const struct relay_flight *flight = &window->flights[(window->first + i) % RELAY_WINDOW];

        if (flight->message == message && !flight->done)
            return i;
    }
    return window->count;
}

int64_t relay_window_find(const struct relay_window *window, int message)
{
    size_t index = index_of(window, message);

    if (index == window->count)
        return 0;
    return window->flights[(window->first + index) % RELAY_WINDOW].sequence;
}

void relay_window_land(struct relay_window *window, int message)
{
    size_t index = index_of(window, message);

    if (index == window->count)
        return;
    flight_at(window, index)->done = true;
    move_on(window);
}
