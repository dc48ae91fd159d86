#include "payment-service/bank-simulator/bank_calls.h"
#include "tests/unit/table.h"

/* What calls_each() shows, by amounts. */
struct seen {
    int64_t count, first, last;
    const char *answered;
};

static void see(void *ctx, const struct call *call)
{
    struct seen *seen = ctx;

    if (seen->count++ == 0)
        seen->first = call->money.amount;
    seen->last = call->money.amount;
    seen->answered = call->answered;
}

static struct seen look(struct calls *calls)
{
    struct seen seen = { .count = 0 };

    calls_each(calls, see, &seen);
    return seen;
}

static int64_t add(struct calls *calls, int64_t amount)
{
    return calls_add(calls, &(struct call){ .money = { .amount = amount } });
}

static void remembers_in_order_and_no_more_than_it_may(void **state)
{
    struct calls *calls = calls_create();

    (void)state;
    for (int64_t i = 1; i <= CALLS_MAX + 5; i++)
        add(calls, i);
    struct seen seen = look(calls);
    assert_int_equal(seen.count, CALLS_MAX);
    assert_int_equal(seen.first, 6);
    assert_int_equal(seen.last, CALLS_MAX + 5);
    calls_destroy(calls);
}

static void says_the_rest_of_a_call_that_is_remembered(void **state)
{
    struct calls *calls = calls_create();
    int64_t number = add(calls, 1);

    (void)state;
    calls_tell(calls, number, &(struct call){ .money = { .amount = 2 }, .answered = "201" });
    struct seen seen = look(calls);
    assert_int_equal(seen.last, 2);
    assert_string_equal(seen.answered, "201");
    calls_destroy(calls);
}

static void forgets_calls_that_still_run(void **state)
{
    struct calls *calls = calls_create();
    int64_t number = add(calls, 1);

    (void)state;
    calls_forget(calls);
    calls_tell(calls, number, &(struct call){ .money = { .amount = 2 } });
    assert_int_equal(look(calls).count, 0);
    add(calls, 3);
    assert_int_equal(look(calls).first, 3);
    calls_destroy(calls);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, remembers_in_order_and_no_more_than_it_may);
    TABLE_ADD(&table, says_the_rest_of_a_call_that_is_remembered);
    TABLE_ADD(&table, forgets_calls_that_still_run);
    return table_run(&table);
}
