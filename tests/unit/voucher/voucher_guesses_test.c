#include "tests/unit/table.h"
#include "voucher-service/voucher_guesses.h"

enum { MAX = 5, START_MS = 1000000 };

static void fail_times(struct voucher_guesses *guesses, const char *key, int times, int64_t now_ms)
{
    struct error err;

    for (int i = 0; i < times; i++) {
        assert_true(voucher_guesses_allow(guesses, key, now_ms, &err));
        assert_true(voucher_guesses_count(guesses, key, now_ms, &err));
    }
}

static const struct wait_row {
    const char *label;
    int64_t after_ms;
    int64_t retry_after_s; /* 0: allowed again */
} wait_rows[] = {
    { "the sixth code waits for the whole time", 0, 5 },
    { "a wait is told in whole seconds, rounded up", 1, 5 },
    { "a wait becomes shorter", 4000, 1 },
    { "the last millisecond is a second to wait", 4999, 1 },
    { "when the time is over, codes are looked at again", 5000, 0 },
    { "long after, nothing is left of it", 5000000, 0 },
};

static void check_wait(void **state)
{
    const struct wait_row *row = *state;
    struct voucher_guesses *guesses = voucher_guesses_create(MAX);
    struct error err;

    fail_times(guesses, "key", MAX, START_MS);
    bool allowed = voucher_guesses_allow(guesses, "key", START_MS + row->after_ms, &err);
    assert_int_equal(allowed, row->retry_after_s == 0);
    if (!allowed) {
        assert_int_equal(err.kind, ERROR_RATE_LIMITED);
        assert_string_equal(err.code, "too_many_wrong_codes");
        assert_int_equal(err.retry_after_s, row->retry_after_s);
    }
    voucher_guesses_destroy(guesses);
}

/* They were looked up at the same moment, before the first was counted. */
static void the_sixth_of_many_at_once_is_refused_as_well(void **state)
{
    struct voucher_guesses *guesses = voucher_guesses_create(MAX);
    struct error err;

    (void)state;
    for (int i = 0; i < MAX; i++)
        assert_true(voucher_guesses_count(guesses, "key", START_MS, &err));
    assert_false(voucher_guesses_count(guesses, "key", START_MS + 1000, &err));
    assert_string_equal(err.code, "too_many_wrong_codes");
    assert_int_equal(err.retry_after_s, 4);
    voucher_guesses_destroy(guesses);
}

static void another_key_does_not_wait(void **state)
{
    struct voucher_guesses *guesses = voucher_guesses_create(MAX);

    (void)state;
    fail_times(guesses, "one", MAX, START_MS);
    fail_times(guesses, "other", MAX, START_MS);
    voucher_guesses_destroy(guesses);
}

static void a_new_time_begins_with_the_first_wrong_code_after_the_last(void **state)
{
    struct voucher_guesses *guesses = voucher_guesses_create(MAX);
    struct error err;

    (void)state;
    fail_times(guesses, "key", MAX - 1, START_MS);
    fail_times(guesses, "key", MAX, START_MS + VOUCHER_GUESSES_WINDOW_MS);
    assert_false(voucher_guesses_allow(guesses, "key", START_MS + VOUCHER_GUESSES_WINDOW_MS, &err));
    voucher_guesses_destroy(guesses);
}

static void more_keys_than_there_is_room_push_out_the_oldest(void **state)
{
    struct voucher_guesses *guesses = voucher_guesses_create(1);
    char key[ACCESS_KEY_ID_MAX + 1];
    struct error err;

    (void)state;
    for (int i = 0; i <= VOUCHER_GUESSES_KEYS_MAX; i++) {
        text_format(key, sizeof(key), "key%d", i);
        fail_times(guesses, key, 1, START_MS + i);
    }
    assert_true(voucher_guesses_allow(guesses, "key0", START_MS + 1, &err));
    assert_false(voucher_guesses_allow(guesses, "key1", START_MS + 1, &err));
    assert_false(voucher_guesses_allow(guesses, key, START_MS + VOUCHER_GUESSES_KEYS_MAX, &err));
    voucher_guesses_destroy(guesses);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, wait_rows, check_wait);
    TABLE_ADD(&table, the_sixth_of_many_at_once_is_refused_as_well);
    TABLE_ADD(&table, another_key_does_not_wait);
    TABLE_ADD(&table, a_new_time_begins_with_the_first_wrong_code_after_the_last);
    TABLE_ADD(&table, more_keys_than_there_is_room_push_out_the_oldest);
    return table_run(&table);
}
