#include "shared/http/trace_export.h"

#include "shared/base/clock.h"
#include "shared/crypto/hash.h"
#include "shared/http/client.h"
#include "shared/runtime/metrics.h"
#include "shared/runtime/trace_span.h"
#include "tests/unit/table.h"

/* Much longer than stopping may take, on a slow machine too. */
enum { STOP_MS = 30000 };

static const struct row {
    const char *label;
    const char *endpoint;
    bool good;
} rows[] = {
    { "nothing is nobody", "", true },
    { "an http address is good", "http://127.0.0.1:4318", true },
    { "an https address with a path is good", "https://traces.example/otlp/", true },
    { "a scheme is needed", "127.0.0.1:4318", false },
    { "another scheme is not spoken", "grpc://127.0.0.1:4317", false },
    { "one collector is enough", "http://a:4318,http://b:4318", false },
    { "a blank is no part of it", "http://a :4318", false },
    { "a query is no part of it", "http://a:4318?key=b", false },
};

static void check_endpoint(void **state)
{
    const struct row *row = *state;
    struct error err;

    assert_int_equal(trace_export_check(row->endpoint, &err), row->good);
    if (!row->good)
        assert_int_equal(err.kind, ERROR_CONFIGURATION);
}

/* Nobody listens at the port that cannot be listened at. */
static void stopping_does_not_wait_for_a_collector_that_is_away(UNUSED void **state)
{
    struct trace_export *exporter = trace_export_start(
        &(struct trace_export_settings){ "http://127.0.0.1:1", "order-service", "0" });
    struct deadline deadline = deadline_in_ms(STOP_MS);
    struct metric *dropped = metric_counter("checkout_trace_spans_dropped_total", "", "");
    struct trace trace = trace_create();
    struct trace_span span;

    assert_true(trace_wanted(&trace));
    for (int i = 0; i < TRACE_SPANS_MAX; i++) {
        trace_span_begin(&span, &trace, TRACE_SPAN_INTERNAL, clock_monotonic_us());
        trace_span_end(&span);
    }
    trace_export_stop(exporter);
    assert_false(deadline_passed(deadline));
    assert_false(trace_wanted(&trace));
    assert_true(metric_value(dropped) > 0);
}

static void there_may_be_no_exporter_to_stop(UNUSED void **state)
{
    trace_export_stop(NULL);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start() || !client_library_start())
        return 1;
    TABLE_ADD_ROWS(&table, rows, check_endpoint);
    TABLE_ADD(&table, stopping_does_not_wait_for_a_collector_that_is_away);
    TABLE_ADD(&table, there_may_be_no_exporter_to_stop);
    return table_run(&table);
}
