#include "shared/runtime/otlp.h"

#include "tests/unit/table.h"

#define TRACE_ID  "0af7651916cd43dd8448eb211c80319c"
#define SPAN_ID   "b7ad6b7169203331"
#define PARENT_ID "00f067aa0ba902b7"

#define HEAD                                                                                  \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":["                                     \
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"order-service\"}},"               \
    "{\"key\":\"service.namespace\",\"value\":{\"stringValue\":\"checkout\"}},"               \
    "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"1\"}}]},\"scopeSpans\":[{" \
    "\"scope\":{\"name\":\"checkout\"},\"spans\":["
#define END "]}]}]}"

static const struct otlp_resource resource = { "order-service", "1" };

static void expect(const struct trace_span *spans, size_t count, const char *expected)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;

    otlp_write(&resource, spans, count, 1700000000000000, &out);
    buffer_append(&out, "");
    assert_string_equal(out.at, expected);
}

static void a_span_has_its_ids_times_and_attributes(UNUSED void **state)
{
    const struct trace trace = { TRACE_ID, SPAN_ID, PARENT_ID, "01" };
    struct trace_span span;

    trace_span_begin(&span, &trace, TRACE_SPAN_SERVER, 42);
    trace_span_name(&span, "POST /v1/orders");
    trace_span_add(&span, "http.route", "/v1/\"orders\"");
    trace_span_add_number(&span, "http.response.status_code", 201);
    span.end_us = 1000042;
    expect(&span, 1,
           HEAD "{\"traceId\":\"" TRACE_ID "\",\"spanId\":\"" SPAN_ID
                "\",\"parentSpanId\":\"" PARENT_ID "\",\"name\":\"POST /v1/orders\",\"kind\":2,"
                "\"startTimeUnixNano\":\"1700000000000042000\","
                "\"endTimeUnixNano\":\"1700000001000042000\",\"attributes\":["
                "{\"key\":\"http.route\",\"value\":{\"stringValue\":\"/v1/\\\"orders\\\"\"}},"
                "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"201\"}}]}" END);
}

static void a_root_has_no_parent_and_a_failure_a_status(UNUSED void **state)
{
    const struct trace trace = { TRACE_ID, SPAN_ID, "", "01" };
    struct trace_span span;

    trace_span_begin(&span, &trace, TRACE_SPAN_CLIENT, 0);
    trace_span_name(&span, "bank capture");
    span.failed = true;
    expect(&span, 1,
           HEAD "{\"traceId\":\"" TRACE_ID "\",\"spanId\":\"" SPAN_ID
                "\",\"name\":\"bank capture\",\"kind\":3,"
                "\"startTimeUnixNano\":\"1700000000000000000\","
                "\"endTimeUnixNano\":\"1700000000000000000\",\"attributes\":[],"
                "\"status\":{\"code\":2}}" END);
}

static void no_spans_are_an_empty_list(UNUSED void **state)
{
    expect(NULL, 0, HEAD END);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, a_span_has_its_ids_times_and_attributes);
    TABLE_ADD(&table, a_root_has_no_parent_and_a_failure_a_status);
    TABLE_ADD(&table, no_spans_are_an_empty_list);
    return table_run(&table);
}
