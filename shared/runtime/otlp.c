#include "shared/runtime/otlp.h"

#include "shared/json/json_writer.h"

/* Status codes of the protocol; 0, not set, is everything that is no error. */
enum { STATUS_ERROR = 2 };

static void write_attribute(struct json_writer *json, const char *name, const char *type,
                            const char *text)
{
    json_begin_object(json);
    json_member_text(json, "key", name);
    json_name(json, "value");
    json_begin_object(json);
    json_member_text(json, type, text);
    json_end_object(json);
    json_end_object(json);
}

static void write_resource(struct json_writer *json, const struct otlp_resource *resource)
{
    json_name(json, "resource");
    json_begin_object(json);
    json_name(json, "attributes");
    json_begin_array(json);
    write_attribute(json, "service.name", "stringValue", resource->service);
    write_attribute(json, "service.namespace", "stringValue", "checkout");
    write_attribute(json, "service.instance.id", "stringValue", resource->instance);
    json_end_array(json);
    json_end_object(json);
}

static void write_time(struct json_writer *json, const char *name, int64_t us)
{
    char text[32];

    text_format(text, sizeof(text), "%lld000", (long long)us);
    json_member_text(json, name, text);
}

static void write_attributes(struct json_writer *json, const struct trace_span *span)
{
    json_name(json, "attributes");
    json_begin_array(json);
    for (size_t i = 0; i < span->attribute_count; i++) {
        const struct trace_attribute *attribute = &span->attributes[i];

        write_attribute(json, attribute->name, attribute->is_number ? "intValue" : "stringValue",
                        attribute->text);
    }
    json_end_array(json);
}

static void write_span(struct json_writer *json, const struct trace_span *span, int64_t wall_us)
{
    json_begin_object(json);
    json_member_text(json, "traceId", span->trace.trace_id);
    json_member_text(json, "spanId", span->trace.span_id);
    if (span->trace.parent_id[0] != '\0')
        json_member_text(json, "parentSpanId", span->trace.parent_id);
    json_member_text(json, "name", span->name);
    json_member_integer(json, "kind", span->kind);
    write_time(json, "startTimeUnixNano", span->start_us + wall_us);
    write_time(json, "endTimeUnixNano", span->end_us + wall_us);
    write_attributes(json, span);
    if (span->failed) {
        json_name(json, "status");
        json_begin_object(json);
        json_member_integer(json, "code", STATUS_ERROR);
        json_end_object(json);
    }
    json_end_object(json);
}

static void write_scope(struct json_writer *json)
{
    json_name(json, "scope");
    json_begin_object(json);
    json_member_text(json, "name", "checkout");
    json_end_object(json);
}

void otlp_write(const struct otlp_resource *resource, const struct trace_span *spans, size_t count,
                int64_t wall_us, struct buffer *out)
{
    struct json_writer json = { .out = out };

    json_begin_object(&json);
    json_name(&json, "resourceSpans");
    json_begin_array(&json);
    json_begin_object(&json);
    write_resource(&json, resource);
    json_name(&json, "scopeSpans");
    json_begin_array(&json);
    json_begin_object(&json);
    write_scope(&json);
    json_name(&json, "spans");
    json_begin_array(&json);
    for (size_t i = 0; i < count; i++)
        write_span(&json, &spans[i], wall_us);
    json_end_array(&json);
    json_end_object(&json);
    json_end_array(&json);
    json_end_object(&json);
    json_end_array(&json);
    json_end_object(&json);
}
