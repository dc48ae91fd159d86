#include "shared/runtime/trace_span.h"

#include "shared/base/buffer.h"
#include "shared/crypto/hash.h"
#include "tests/unit/table.h"

/* Takes at once. */
static size_t take(struct trace_span out[TRACE_BATCH_MAX])
{
    return trace_spans_take(out, deadline_in_ms(0));
}

/* Records `count` spans whose names are their numbers. */
static void record(const struct trace *trace, int count)
{
    struct trace_span span;

    for (int i = 0; i < count; i++) {
        trace_span_begin(&span, trace, TRACE_SPAN_INTERNAL, clock_monotonic_us());
        trace_span_name(&span, "%d", i);
        trace_span_end(&span);
    }
}

static void without_a_collector_no_trace_is_wanted(UNUSED void **state)
{
    struct trace trace = trace_create();

    assert_false(trace_spans_collected());
    assert_false(trace_wanted(&trace));
    record(&trace, 1); /* one that was begun before the collection ended */
    trace_spans_collect();
    assert_true(trace_wanted(&trace));
    struct trace_span *taken = memory_allocate_zeroed(TRACE_BATCH_MAX, sizeof(*taken));
    assert_int_equal(take(taken), 0);
    free(taken);
    trace_spans_forget();
    assert_false(trace_wanted(&trace));
}

static void a_trace_that_is_not_sampled_is_not_wanted(UNUSED void **state)
{
    struct trace trace;

    trace_spans_collect();
    assert_true(
        trace_parse(span_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), &trace));
    assert_false(trace_wanted(&trace));
    trace = trace_child(&trace);
    assert_false(trace_wanted(&trace));
    assert_true(
        trace_parse(span_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), &trace));
    assert_true(trace_wanted(&trace));
    trace_spans_forget();
}

static void spans_are_taken_whole_and_in_their_order(UNUSED void **state)
{
    struct trace_span *taken = memory_allocate_zeroed(TRACE_BATCH_MAX, sizeof(*taken));
    struct trace parent = trace_create(), trace = trace_child(&parent);
    struct trace_span span;

    trace_spans_collect();
    record(&parent, 2);
    trace_span_begin(&span, &trace, TRACE_SPAN_CLIENT, clock_monotonic_us() - 5000);
    trace_span_name(&span, "bank %s", "capture");
    trace_span_add(&span, "gateway", "bank-a");
    trace_span_add_number(&span, "status", 201);
    span.failed = true;
    trace_span_end(&span);
    assert_int_equal(take(taken), 3);
    assert_string_equal(taken[0].name, "0");
    assert_string_equal(taken[1].name, "1");
    assert_string_equal(taken[2].name, "bank capture");
    assert_string_equal(taken[2].trace.parent_id, parent.span_id);
    assert_string_equal(taken[2].trace.trace_id, parent.trace_id);
    assert_true(taken[2].end_us - taken[2].start_us >= 5000);
    assert_true(taken[2].failed);
    assert_int_equal(taken[2].attribute_count, 2);
    assert_string_equal(taken[2].attributes[1].text, "201");
    assert_int_equal(take(taken), 0);
    trace_spans_forget();
    free(taken);
}

static void a_full_queue_drops_the_newest_and_counts_them(UNUSED void **state)
{
    struct trace_span *taken = memory_allocate_zeroed(TRACE_BATCH_MAX, sizeof(*taken));
    struct trace trace = trace_create();
    size_t count = 0, all = 0;

    trace_spans_collect();
    record(&trace, TRACE_SPANS_MAX + 3);
    assert_int_equal(trace_spans_dropped(), 3);
    while ((count = take(taken)) > 0) {
        assert_true(count <= TRACE_BATCH_MAX);
        all += count;
    }
    assert_int_equal(all, TRACE_SPANS_MAX);
    record(&trace, 1); /* there is room again */
    assert_int_equal(take(taken), 1);
    assert_int_equal(trace_spans_dropped(), 3);
    trace_spans_forget();
    free(taken);
}

static void a_full_batch_and_hurry_end_the_waiting(UNUSED void **state)
{
    struct trace_span *taken = memory_allocate_zeroed(TRACE_BATCH_MAX, sizeof(*taken));
    struct deadline patience = deadline_in_ms(60000);
    struct trace trace = trace_create();

    trace_spans_collect();
    record(&trace, TRACE_BATCH_MAX + 1);
    assert_int_equal(trace_spans_take(taken, patience), TRACE_BATCH_MAX);
    trace_spans_hurry();
    assert_int_equal(trace_spans_take(taken, patience), 1);
    assert_int_equal(trace_spans_take(taken, patience), 0);
    assert_false(deadline_passed(patience));
    trace_spans_forget();
    free(taken);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start())
        return 1;
    TABLE_ADD(&table, without_a_collector_no_trace_is_wanted);
    TABLE_ADD(&table, a_trace_that_is_not_sampled_is_not_wanted);
    TABLE_ADD(&table, spans_are_taken_whole_and_in_their_order);
    TABLE_ADD(&table, a_full_queue_drops_the_newest_and_counts_them);
    TABLE_ADD(&table, a_full_batch_and_hurry_end_the_waiting);
    return table_run(&table);
}
