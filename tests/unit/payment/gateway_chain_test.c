#include "payment-service/gateway_chain.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "shared/crypto/hash.h"
#include "shared/runtime/metrics.h"
#include "shared/runtime/trace_span.h"
#include "tests/unit/patience.h"
#include "tests/unit/table.h"

/*
 * Calls and milliseconds of the breakers below. Where a test looks at what is open, it must stay so
 * on a slow machine, too; where it waits for a probe, not for too long.
 */
enum { CALLS_MIN = 3, OPEN_MS = 3600 * 1000, SHORTLY_OPEN_MS = 1000, WAIT_MS = 10000 };

/* A bank that says what it is told, by the number in its path. */
static struct {
    enum gateway_outcome says;
    atomic_int performed, looked_up, voided;
} banks[3];

/* What the bank that was called last was told to be its cause. */
static char told_cause[TRACEPARENT_SIZE];

static void answer(const struct gateway *gateway, struct gateway_result *out, bool look_up)
{
    enum gateway_outcome outcome = banks[gateway->path[0] - '0'].says;

    *out = (struct gateway_result){ .outcome = outcome };
    if (look_up && outcome == GATEWAY_DECLINED)
        out->outcome = GATEWAY_NOT_FOUND;
}

static void fake_perform(const struct gateway *gateway, const struct gateway_call *call,
                         struct gateway_result *out)
{
    (void)call;
    banks[gateway->path[0] - '0'].performed++;
    answer(gateway, out, false);
}

static void fake_look_up(const struct gateway *gateway, const struct gateway_call *call,
                         struct gateway_result *out)
{
    text_copy(told_cause, sizeof(told_cause), call->traceparent ? call->traceparent : "");
    banks[gateway->path[0] - '0'].looked_up++;
    answer(gateway, out, true);
}

static void fake_void(const struct gateway *gateway, const struct gateway_call *call,
                      struct gateway_result *out)
{
    (void)call;
    banks[gateway->path[0] - '0'].voided++;
    answer(gateway, out, false);
}

static const struct gateway_protocol fake = {
    .name = "fake", .perform = fake_perform, .look_up = fake_look_up, .void_reference = fake_void
};

static struct gateway_config config;
static struct gateway_chain *chain;

static void add(const char *name, const char *path, bool all_currencies, bool transfers)
{
    config.entries[config.count++] = (struct gateway_entry){
        .gateway = { .protocol = &fake,
                     .all_currencies = all_currencies,
                     .currency_count = all_currencies ? 0 : 2,
                     .currencies = { EUR, USD },
                     .amount_min = 10,
                     .amount_max = all_currencies ? 100000 : 1000,
                     .takes_cards = true,
                     .takes_transfers = transfers },
        .breaker = { .window_ms = 60000, .calls_min = CALLS_MIN, .error_percent = 50, .probes = 1 },
    };
    struct gateway *gateway = &config.entries[config.count - 1].gateway;
    text_copy(gateway->name, sizeof(gateway->name), name);
    text_copy(gateway->path, sizeof(gateway->path), path);
}

/* bank-a takes cards in EUR and USD up to 1000, bank-b everything, bank-c all cards. */
static void start_chain(int64_t open_ms)
{
    config = (struct gateway_config){ .count = 0 };
    add("bank-a", "0", false, false);
    add("bank-b", "1", true, true);
    add("bank-c", "2", true, false);
    for (size_t i = 0; i < COUNT_OF(banks); i++) {
        banks[i].says = GATEWAY_APPROVED;
        banks[i].performed = banks[i].looked_up = banks[i].voided = 0;
    }
    for (size_t i = 0; i < config.count; i++)
        config.entries[i].breaker.open_ms = open_ms;
    gateway_chain_destroy(chain);
    chain = gateway_chain_create(&config);
}

static int start(void **state)
{
    (void)state;
    start_chain(OPEN_MS);
    return 0;
}

static int start_shortly_open(void **state)
{
    (void)state;
    start_chain(SHORTLY_OPEN_MS);
    return 0;
}

static struct gateway_wish wish_of(int64_t amount, const char *currency,
                                   enum gateway_operation operation, const char *after)
{
    struct gateway_wish wish = { .operation = operation, .after = after };

    wish.money.amount = amount;
    assert_true(currency_parse(currency, &wish.money.currency));
    return wish;
}

static const char *name_of(const struct gateway *gateway)
{
    return gateway ? gateway->name : "nobody";
}

#define SKIP(name, why) "{\"gateway\":\"" name "\",\"reason\":\"" why "\"}"

static const struct order_row {
    const char *label;
    int64_t amount;
    const char *currency;
    enum gateway_operation operation;
    const char *after, *found, *skipped;
} order_rows[] = {
    { "the first bank is asked first", 10, "EUR", GATEWAY_AUTHORIZE, NULL, "bank-a", "[]" },
    { "another currency goes on", 10, "JPY", GATEWAY_AUTHORIZE, NULL, "bank-b",
      "[" SKIP("bank-a", "currency") "]" },
    { "a larger amount goes on", 1001, "EUR", GATEWAY_AUTHORIZE, NULL, "bank-b",
      "[" SKIP("bank-a", "amount") "]" },
    { "another method goes on", 10, "EUR", GATEWAY_TRANSFER, NULL, "bank-b",
      "[" SKIP("bank-a", "method") "]" },
    { "behind the first comes the second", 10, "EUR", GATEWAY_AUTHORIZE, "bank-a", "bank-b", "[]" },
    { "behind the second comes the third", 10, "EUR", GATEWAY_AUTHORIZE, "bank-b", "bank-c", "[]" },
    { "behind the last comes nobody", 10, "EUR", GATEWAY_AUTHORIZE, "bank-c", "nobody", "[]" },
    { "behind the second nobody takes transfers", 10, "EUR", GATEWAY_TRANSFER, "bank-b", "nobody",
      "[" SKIP("bank-c", "method") "]" },
    { "behind one that is not there comes nobody", 10, "EUR", GATEWAY_AUTHORIZE, "bank-x", "nobody",
      "[]" },
    { "too little is for nobody", 9, "JPY", GATEWAY_AUTHORIZE, NULL, "nobody",
      "[" SKIP("bank-a", "currency") "," SKIP("bank-b", "amount") "," SKIP("bank-c",
                                                                           "amount") "]" },
};

static void check_order(void **state)
{
    const struct order_row *row = *state;
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
    struct gateway_wish wish = wish_of(row->amount, row->currency, row->operation, row->after);

    start(NULL);
    const struct gateway *found = gateway_chain_next(chain, &wish, &skipped);
    assert_string_equal(name_of(found), row->found);
    assert_string_equal(skipped.at, row->skipped);
    assert_int_equal(gateway_chain_supports(chain, &wish), found != NULL);
}

/* Whom the chain would ask for EUR 0.10 by card; the leave is given back. */
static const char *peek(struct buffer *skipped)
{
    struct gateway_wish wish = wish_of(10, "EUR", GATEWAY_AUTHORIZE, NULL);

    buffer_clear(skipped);
    const struct gateway *found = gateway_chain_next(chain, &wish, skipped);
    if (found)
        gateway_chain_forgo(chain, found);
    return name_of(found);
}

/* Asks bank-a, which says that; returns what came out. */
static enum gateway_outcome ask_first(enum gateway_outcome says)
{
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
    struct gateway_wish wish = wish_of(10, "EUR", GATEWAY_AUTHORIZE, NULL);
    struct gateway_call call = { .operation = GATEWAY_AUTHORIZE };
    struct gateway_result result;
    const struct gateway *first = gateway_chain_next(chain, &wish, &skipped);

    assert_string_equal(name_of(first), "bank-a");
    banks[0].says = says;
    gateway_chain_perform(chain, first, &call, &result);
    return result.outcome;
}

static int64_t state_of(const char *labels)
{
    return metric_value(metric_gauge("checkout_breaker_state", "", labels));
}

static void open_first(void)
{
    for (int i = 0; i < CALLS_MIN; i++)
        ask_first(GATEWAY_UNKNOWN);
}

/* Waits until bank-a is tried again, and takes that leave. */
static const struct gateway *wait_for_probe(void)
{
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
    struct gateway_wish wish = wish_of(10, "EUR", GATEWAY_AUTHORIZE, NULL);
    struct deadline deadline = patience_deadline(WAIT_MS);

    for (;;) {
        const struct gateway *found = gateway_chain_next(chain, &wish, &skipped);
        if (strcmp(name_of(found), "bank-a") == 0)
            return found;
        gateway_chain_forgo(chain, found);
        assert_false(deadline_passed(deadline));
        poll(NULL, 0, 2);
    }
}

static const struct outcome_row {
    const char *label;
    enum gateway_outcome outcome;
    bool opens;
} outcome_rows[] = {
    { "approvals open nothing", GATEWAY_APPROVED, false },
    { "declines open nothing", GATEWAY_DECLINED, false },
    { "what is pending opens nothing", GATEWAY_PENDING, false },
    { "what was voided opens nothing", GATEWAY_VOIDED, false },
    { "a bank that does nothing is left alone", GATEWAY_NOTHING, true },
    { "a bank of unknown outcomes is left alone", GATEWAY_UNKNOWN, true },
};

static void check_outcome(void **state)
{
    const struct outcome_row *row = *state;
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;

    start(NULL);
    for (int i = 0; i < CALLS_MIN; i++) {
        assert_string_equal(peek(&skipped), "bank-a");
        assert_int_equal(ask_first(row->outcome), row->outcome);
    }
    assert_string_equal(peek(&skipped), row->opens ? "bank-b" : "bank-a");
    assert_string_equal(skipped.at, row->opens ? "[" SKIP("bank-a", "circuit_open") "]" : "[]");
    assert_int_equal(state_of("gateway=\"bank-a\""), row->opens);
    assert_int_equal(state_of("gateway=\"bank-b\""), 0);
    assert_int_equal(banks[0].performed, CALLS_MIN);
}

/* What a bank would take counts, not whether it works now. */
static void an_open_breaker_does_not_change_what_is_supported(void **state)
{
    struct gateway_wish wish = wish_of(10, "EUR", GATEWAY_AUTHORIZE, NULL);

    (void)state;
    open_first();
    assert_true(gateway_chain_supports(chain, &wish));
}

static void one_probe_goes_through_and_closes(void **state)
{
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
    struct gateway_call call = { .operation = GATEWAY_AUTHORIZE };
    struct gateway_result result;

    (void)state;
    open_first();
    const struct gateway *first = wait_for_probe();
    assert_int_equal(state_of("gateway=\"bank-a\""), 2);
    assert_string_equal(peek(&skipped), "bank-b"); /* while the probe is under way */
    banks[0].says = GATEWAY_DECLINED;              /* an answer all the same */
    gateway_chain_perform(chain, first, &call, &result);
    assert_int_equal(state_of("gateway=\"bank-a\""), 0);
    assert_string_equal(peek(&skipped), "bank-a");
    assert_string_equal(peek(&skipped), "bank-a");
}

static void a_probe_that_fails_opens_again(void **state)
{
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
    struct gateway_call call = { .operation = GATEWAY_AUTHORIZE };
    struct gateway_result result;

    (void)state;
    open_first();
    const struct gateway *first = wait_for_probe();
    banks[0].says = GATEWAY_NOTHING;
    gateway_chain_perform(chain, first, &call, &result);
    assert_int_equal(state_of("gateway=\"bank-a\""), 1);
    assert_string_equal(peek(&skipped), "bank-b");
}

static void a_probe_that_is_not_made_leaves_room_for_another(void **state)
{
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;

    (void)state;
    open_first();
    const struct gateway *first = wait_for_probe();
    assert_string_equal(peek(&skipped), "bank-b");
    gateway_chain_forgo(chain, first);
    assert_string_equal(peek(&skipped), "bank-a");
    assert_int_equal(state_of("gateway=\"bank-a\""), 2);
}

/* Follow-ups go through whatever the breaker says, and are no probes. */
static void what_follows_goes_through(void **state)
{
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
    const struct gateway *first = gateway_chain_find(chain, "bank-a");
    struct gateway_call call = { .operation = GATEWAY_REFUND };
    struct gateway_result result;

    (void)state;
    open_first();
    banks[0].says = GATEWAY_DECLINED;
    gateway_chain_follow(chain, first, GATEWAY_PERFORM, &call, &result);
    assert_int_equal(result.outcome, GATEWAY_DECLINED);
    gateway_chain_follow(chain, first, GATEWAY_LOOK_UP, &call, &result);
    assert_int_equal(result.outcome, GATEWAY_NOT_FOUND);
    gateway_chain_follow(chain, first, GATEWAY_VOID_REFERENCE, &call, &result);
    assert_int_equal(banks[0].looked_up, 1);
    assert_int_equal(banks[0].voided, 1);
    assert_int_equal(banks[0].performed, CALLS_MIN + 1);
    gateway_chain_forgo(chain, wait_for_probe());
    banks[0].says = GATEWAY_APPROVED;
    gateway_chain_follow(chain, first, GATEWAY_LOOK_UP, &call, &result);
    assert_int_equal(state_of("gateway=\"bank-a\""), 2);
}

static void what_follows_tells_a_closed_breaker(void **state)
{
    AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
    const struct gateway *first = gateway_chain_find(chain, "bank-a");
    struct gateway_call call = { .operation = GATEWAY_REFUND };
    struct gateway_result result;

    (void)state;
    banks[0].says = GATEWAY_UNKNOWN;
    for (int i = 0; i < CALLS_MIN; i++)
        gateway_chain_follow(chain, first, GATEWAY_LOOK_UP, &call, &result);
    assert_string_equal(peek(&skipped), "bank-b");
}

static void gateways_are_found_by_name(void **state)
{
    (void)state;
    assert_string_equal(name_of(gateway_chain_find(chain, "bank-c")), "bank-c");
    assert_null(gateway_chain_find(chain, "bank"));
    assert_null(gateway_chain_find(chain, ""));
}

static void the_chain_can_be_shown(void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct json_writer json = { .out = &out };

    (void)state;
    ask_first(GATEWAY_UNKNOWN);
    ask_first(GATEWAY_APPROVED);
    gateway_chain_write(chain, &json);
    static const char expected[] =
        "[{\"name\":\"bank-a\",\"protocol\":\"fake\",\"currencies\":[\"EUR\",\"USD\"],"
        "\"methods\":[\"card\"],\"amount_min\":10,\"amount_max\":1000,"
        "\"breaker\":{\"state\":\"closed\",\"calls\":2,\"errors\":1,\"retry_in_ms\":0}},"
        "{\"name\":\"bank-b\",\"protocol\":\"fake\",\"currencies\":\"*\","
        "\"methods\":[\"card\",\"bank_transfer\"],\"amount_min\":10,\"amount_max\":100000,"
        "\"breaker\":{\"state\":\"closed\",\"calls\":0,\"errors\":0,\"retry_in_ms\":0}},";
    assert_memory_equal(out.at, expected, sizeof(expected) - 1);
}

static void calls_and_skips_are_counted(void **state)
{
    struct metric *calls =
        metric_counter("checkout_gateway_calls_total", "",
                       "gateway=\"bank-a\",operation=\"look_up\",outcome=\"not_found\"");
    struct metric *skips = metric_counter("checkout_gateway_skipped_total", "",
                                          "gateway=\"bank-a\",reason=\"currency\"");
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct gateway_wish wish = wish_of(10, "JPY", GATEWAY_AUTHORIZE, NULL);
    struct gateway_call call = { .operation = GATEWAY_AUTHORIZE };
    struct gateway_result result;
    int64_t called = metric_value(calls), skipped = metric_value(skips);

    (void)state;
    banks[0].says = GATEWAY_DECLINED;
    gateway_chain_follow(chain, gateway_chain_find(chain, "bank-a"), GATEWAY_LOOK_UP, &call,
                         &result);
    assert_int_equal(metric_value(calls), called + 1);
    gateway_chain_forgo(chain, gateway_chain_next(chain, &wish, &text));
    assert_int_equal(metric_value(skips), skipped + 1);
    buffer_clear(&text);
    metrics_render(&text);
    assert_non_null(strstr(
        text.at, "checkout_gateway_seconds_count{gateway=\"bank-a\",operation=\"look_up\"}"));
}

enum { THREADS = 8, ROUNDS = 500 };

static void *pay(void *ctx)
{
    struct gateway_wish wish = { .money = { 10, EUR }, .operation = GATEWAY_AUTHORIZE };
    struct gateway_call call = { .operation = GATEWAY_AUTHORIZE };
    struct gateway_result result;
    atomic_int *paid = ctx;

    for (int i = 0; i < ROUNDS; i++) {
        AUTO(buffer_release) struct buffer skipped = BUFFER_EMPTY;
        const struct gateway *gateway = gateway_chain_next(chain, &wish, &skipped);
        if (!gateway)
            continue;
        gateway_chain_perform(chain, gateway, &call, &result);
        *paid += result.outcome == GATEWAY_APPROVED;
    }
    return NULL;
}

/* With the first bank down, all but the few calls that showed it end at the second. */
static void many_threads_move_on_together(void **state)
{
    pthread_t threads[THREADS];
    atomic_int paid = 0;

    (void)state;
    banks[0].says = GATEWAY_NOTHING;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pay, &paid), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(paid, banks[1].performed);
    assert_int_equal(banks[0].performed + banks[1].performed, THREADS * ROUNDS);
    assert_true(banks[0].performed >= CALLS_MIN);
    assert_true(banks[0].performed < CALLS_MIN + THREADS);
}

static void look_up(const struct trace *cause)
{
    char traceparent[TRACEPARENT_SIZE];
    const struct gateway_call call = { .traceparent = traceparent };
    struct gateway_result result;

    trace_format(cause, traceparent);
    gateway_chain_follow(chain, gateway_chain_find(chain, "bank-b"), GATEWAY_LOOK_UP, &call,
                         &result);
}

static void a_call_is_a_span_that_the_bank_is_told_of(UNUSED void **state)
{
    struct trace_span *taken = memory_allocate_zeroed(TRACE_BATCH_MAX, sizeof(*taken));
    struct trace cause = trace_create(), told;

    trace_spans_collect();
    look_up(&cause);
    assert_int_equal(trace_spans_take(taken, deadline_in_ms(0)), 1);
    assert_string_equal(taken->name, "bank look_up");
    assert_string_equal(taken->trace.trace_id, cause.trace_id);
    assert_string_equal(taken->trace.parent_id, cause.span_id);
    assert_true(trace_parse(span_of(told_cause), &told));
    assert_string_equal(told.span_id, taken->trace.span_id);
    assert_false(taken->failed);

    banks[1].says = GATEWAY_UNKNOWN;
    look_up(&cause);
    assert_int_equal(trace_spans_take(taken, deadline_in_ms(0)), 1);
    assert_true(taken->failed);
    trace_spans_forget();
    free(taken);
}

static void a_call_that_nobody_traces_is_passed_on_as_it_is(UNUSED void **state)
{
    struct trace cause = trace_create(), told;

    look_up(&cause);
    assert_true(trace_parse(span_of(told_cause), &told));
    assert_string_equal(told.span_id, cause.span_id);
}

/* A test that begins with a chain of its own. */
#define TABLE_ADD_WITH(table, check, begin)                      \
    do {                                                         \
        TABLE_ADD(table, check);                                 \
        (table)->tests[(table)->count - 1].setup_func = (begin); \
    } while (0)

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start())
        return 1;
    TABLE_ADD_ROWS(&table, order_rows, check_order);
    TABLE_ADD_ROWS(&table, outcome_rows, check_outcome);
    TABLE_ADD_WITH(&table, an_open_breaker_does_not_change_what_is_supported, start);
    TABLE_ADD_WITH(&table, one_probe_goes_through_and_closes, start_shortly_open);
    TABLE_ADD_WITH(&table, a_probe_that_fails_opens_again, start_shortly_open);
    TABLE_ADD_WITH(&table, a_probe_that_is_not_made_leaves_room_for_another, start_shortly_open);
    TABLE_ADD_WITH(&table, what_follows_goes_through, start_shortly_open);
    TABLE_ADD_WITH(&table, what_follows_tells_a_closed_breaker, start);
    TABLE_ADD_WITH(&table, gateways_are_found_by_name, start);
    TABLE_ADD_WITH(&table, the_chain_can_be_shown, start);
    TABLE_ADD_WITH(&table, calls_and_skips_are_counted, start);
    TABLE_ADD_WITH(&table, many_threads_move_on_together, start);
    TABLE_ADD_WITH(&table, a_call_is_a_span_that_the_bank_is_told_of, start);
    TABLE_ADD_WITH(&table, a_call_that_nobody_traces_is_passed_on_as_it_is, start);
    int failed = table_run(&table);
    gateway_chain_destroy(chain);
    return failed;
}
