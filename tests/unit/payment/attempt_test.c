#include "payment-service/attempt.h"
#include "tests/unit/table.h"

static const struct instant now = { 1700000005000 };

static const struct wait_row {
    const char *label;
    int64_t tries, wait_ms;
} wait_rows[] = {
    { "first after two seconds", 0, 2000 },
    { "then after five", 1, 5000 },
    { "fifteen", 2, 15000 },
    { "forty", 3, 40000 },
    { "five minutes", 4, 300000 },
    { "an hour", 5, 3600000 },
    { "and daily", 6, 86400000 },
    { "for ever", 1000, 86400000 },
};

static void check_wait(void **state)
{
    const struct wait_row *row = *state;

    assert_int_equal(attempt_wait_ms(row->tries), row->wait_ms);
}

static const struct outcome_row {
    const char *label;
    enum gateway_outcome outcome;
    enum attempt_status status;
    bool ended;
} outcome_rows[] = {
    { "approved has ended", GATEWAY_APPROVED, ATTEMPT_APPROVED, true },
    { "declined has ended", GATEWAY_DECLINED, ATTEMPT_DECLINED, true },
    { "pending is asked about again", GATEWAY_PENDING, ATTEMPT_PENDING, false },
    { "a dead reference has ended", GATEWAY_VOIDED, ATTEMPT_ERROR, true },
    { "not found is no outcome", GATEWAY_NOT_FOUND, ATTEMPT_UNKNOWN, false },
    { "certainly nothing has ended", GATEWAY_NOTHING, ATTEMPT_ERROR, true },
    { "unknown is asked about again", GATEWAY_UNKNOWN, ATTEMPT_UNKNOWN, false },
};

static void check_outcome(void **state)
{
    const struct outcome_row *row = *state;
    struct attempt attempt = { .tries = 1, .bank_id = "op_1" };
    const struct gateway_result result = { .outcome = row->outcome };

    attempt_take(&attempt, &result, now);
    assert_int_equal(attempt.status, row->status);
    assert_int_equal(attempt_has_ended(&attempt), row->ended);
    assert_int_equal(attempt.wait_ms, 5000);
    assert_string_equal(attempt.bank_id, "op_1"); /* which not every answer repeats */
}

static void what_the_bank_said_is_kept(void **state)
{
    struct attempt attempt = { .tries = 0 };
    const struct gateway_result result = { .outcome = GATEWAY_DECLINED,
                                           .bank_id = "op_2",
                                           .failure_code = "card_declined",
                                           .decline_code = "lost_card" };

    (void)state;
    attempt_take(&attempt, &result, now);
    assert_string_equal(attempt.bank_id, "op_2");
    assert_string_equal(attempt.failure.code, "card_declined");
    assert_string_equal(attempt.failure.decline_code, "lost_card");
    assert_int_equal(attempt.updated_at.ms, now.ms);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, wait_rows, check_wait);
    TABLE_ADD_ROWS(&table, outcome_rows, check_outcome);
    TABLE_ADD(&table, what_the_bank_said_is_kept);
    return table_run(&table);
}
