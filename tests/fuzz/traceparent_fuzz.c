/* traceparent: what was read is written, and reads as the same; a child stays in the trace. */
#include "shared/runtime/trace.h"

#include "tests/fuzz/fuzz.h"

static bool is_same(const struct trace *a, const struct trace *b)
{
    return strcmp(a->trace_id, b->trace_id) == 0 && strcmp(a->span_id, b->span_id) == 0 &&
           strcmp(a->flags, b->flags) == 0;
}

void fuzz(struct span input)
{
    char written[TRACEPARENT_SIZE];
    struct trace trace, again;

    if (!trace_parse(input, &trace))
        return;
    trace_format(&trace, written);
    bool parsed = trace_parse(span_of(written), &again);
    assert(parsed && is_same(&trace, &again));

    struct trace child = trace_child(&trace);
    trace_format(&child, written);
    parsed = trace_parse(span_of(written), &again);
    assert(parsed && strcmp(again.trace_id, trace.trace_id) == 0);
}
