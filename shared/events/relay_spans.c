#include "shared/events/relay_spans.h"

#include "shared/events/relay_window.h"
#include "shared/runtime/trace_span.h"

struct flight_span {
    int64_t sequence; /* 0: none is to be recorded */
    struct trace_span span;
};

/* At most RELAY_WINDOW events that follow each other are in flight: each has a slot of its own. */
struct relay_spans {
    struct flight_span flights[RELAY_WINDOW];
};

struct relay_spans *relay_spans_create(void)
{
    if (!trace_spans_collected())
        return NULL;
    return memory_allocate_zeroed(1, sizeof(struct relay_spans));
}

void relay_spans_destroy(struct relay_spans *spans)
{
    free(spans);
}

static struct flight_span *flight_of(struct relay_spans *spans, int64_t sequence)
{
    return &spans->flights[sequence % RELAY_WINDOW];
}

void relay_span_begin(struct relay_spans *spans, const struct event *event)
{
    struct trace cause;

    if (spans == NULL)
        return;
    struct flight_span *flight = flight_of(spans, event->sequence);
    flight->sequence = 0;
    if (!trace_parse(span_of(event->traceparent), &cause) || !trace_wanted(&cause))
        return;
    struct trace trace = trace_child(&cause);
    flight->sequence = event->sequence;
    trace_span_begin(&flight->span, &trace, TRACE_SPAN_PRODUCER, clock_monotonic_us());
    trace_span_name(&flight->span, "publish %s", event->type);
    trace_span_add(&flight->span, "messaging.system", "mqtt");
    trace_span_add(&flight->span, "checkout.subject", id_text(event->subject).text);
    trace_span_add_number(&flight->span, "checkout.sequence", event->sequence);
}

void relay_span_end(struct relay_spans *spans, int64_t sequence, bool refused)
{
    if (spans == NULL)
        return;
    struct flight_span *flight = flight_of(spans, sequence);
    if (flight->sequence != sequence)
        return;
    flight->sequence = 0;
    flight->span.failed = refused;
    trace_span_end(&flight->span);
}
