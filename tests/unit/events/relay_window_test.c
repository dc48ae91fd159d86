#include "shared/events/relay_window.h"

#include "tests/unit/table.h"

/* Messages 1 to 5 carry the sequences 11 to 15; they are acknowledged in the order given. */
static const struct row {
    const char *label;
    int acknowledged[6]; /* 0 ends */
    int64_t position;
    size_t in_flight;
} rows[] = {
    { "nothing acknowledged moves nothing", { 0 }, 10, 5 },
    { "in order, the position follows", { 1, 2, 0 }, 12, 3 },
    { "an acknowledgement ahead of its turn waits", { 2, 3, 0 }, 10, 5 },
    { "the missing one lets those behind it through", { 2, 3, 1, 0 }, 13, 2 },
    { "in reverse, all move at the end", { 5, 4, 3, 2, 1, 0 }, 15, 0 },
    { "the same acknowledgement twice is one", { 1, 1, 0 }, 11, 4 },
    { "an unknown acknowledgement is ignored", { 99, 1, 0 }, 11, 4 },
};

static void fill(struct relay_window *window)
{
    relay_window_reset(window, 10);
    for (int i = 1; i <= 5; i++)
        relay_window_add(window, 10 + i, i, false);
}

static void check_order(void **state)
{
    const struct row *row = *state;
    struct relay_window window;

    fill(&window);
    for (const int *message = row->acknowledged; *message != 0; message++)
        relay_window_land(&window, *message);
    assert_int_equal(window.acknowledged, row->position);
    assert_int_equal(window.count, row->in_flight);
    assert_int_equal(window.sent, 15);
}

static void what_is_forgotten_is_sent_again(void **state)
{
    struct relay_window window;

    (void)state;
    fill(&window);
    relay_window_land(&window, 1);
    relay_window_land(&window, 3);
    relay_window_forget(&window);
    assert_int_equal(window.acknowledged, 11);
    assert_int_equal(window.sent, 11);
    relay_window_add(&window, 12, 7, false);
    assert_int_equal(relay_window_find(&window, 3), 0);
    assert_int_equal(relay_window_find(&window, 7), 12);
}

static void a_refused_event_is_passed_in_its_turn(void **state)
{
    struct relay_window window;

    (void)state;
    relay_window_reset(&window, 0);
    relay_window_add(&window, 1, 1, false);
    relay_window_add(&window, 2, 0, true);
    assert_int_equal(window.acknowledged, 0);
    relay_window_land(&window, 1);
    assert_int_equal(window.acknowledged, 2);
}

static void the_ring_goes_round(void **state)
{
    struct relay_window window;

    (void)state;
    relay_window_reset(&window, 0);
    for (int i = 1; i <= 3 * RELAY_WINDOW; i++) {
        relay_window_add(&window, i, i, false);
        if (relay_window_room(&window) == 0)
            for (int64_t done = window.acknowledged + 1; done <= i; done++)
                relay_window_land(&window, (int)done);
    }
    assert_int_equal(window.acknowledged, 3 * RELAY_WINDOW);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_order);
    TABLE_ADD(&table, what_is_forgotten_is_sent_again);
    TABLE_ADD(&table, a_refused_event_is_passed_in_its_turn);
    TABLE_ADD(&table, the_ring_goes_round);
    return table_run(&table);
}
