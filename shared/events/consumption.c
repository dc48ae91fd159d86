#include "shared/events/consumption.h"

#include "shared/runtime/trace_span.h"

struct consumption {
    struct trace_span span;
    struct event event;
};

struct consumptions {
    size_t count, capacity;
    struct consumption list[];
};

struct consumptions *consumptions_create(size_t count)
{
    if (!trace_spans_collected())
        return NULL;
    struct consumptions *consumptions =
        memory_allocate(sizeof(*consumptions) + count * sizeof(struct consumption));

    consumptions->count = 0;
    consumptions->capacity = count;
    return consumptions;
}

void consumptions_destroy(struct consumptions *consumptions)
{
    free(consumptions);
}

const struct event *consumption_begin(struct consumptions *consumptions, const struct event *event)
{
    struct trace cause;

    if (consumptions == NULL || !trace_parse(span_of(event->traceparent), &cause) ||
        !trace_wanted(&cause))
        return event;
    assert(consumptions->count < consumptions->capacity);
    struct consumption *consumption = &consumptions->list[consumptions->count++];
    struct trace trace = trace_child(&cause);

    consumption->event = *event;
    trace_format(&trace, consumption->event.traceparent);
    trace_span_begin(&consumption->span, &trace, TRACE_SPAN_CONSUMER, clock_monotonic_us());
    trace_span_name(&consumption->span, "consume %s", event->type);
    trace_span_add(&consumption->span, "checkout.subject", id_text(event->subject).text);
    trace_span_add_number(&consumption->span, "checkout.sequence", event->sequence);
    return &consumption->event;
}

void consumptions_record(struct consumptions *consumptions)
{
    for (size_t i = 0; consumptions != NULL && i < consumptions->count; i++)
        trace_span_end(&consumptions->list[i].span);
}
