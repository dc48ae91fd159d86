/*
 * Trace span: what was done for a trace, from when to when, for whoever collects such things.
 *
 *     struct trace_span span;
 *
 *     if (trace_wanted(&trace)) {
 *         trace_span_begin(&span, &trace, TRACE_SPAN_CLIENT, since_us);
 *         trace_span_name(&span, "bank %s", operation);
 *         trace_span_add(&span, "checkout.gateway", gateway);
 *         trace_span_end(&span);
 *     }
 *
 * Spans that have ended wait in a queue for trace_spans_take(). Whoever records one waits for
 * nobody: while the queue is full, spans are dropped and counted. Until trace_spans_collect() no
 * trace is wanted, and nothing is allocated; a trace that is not sampled is never wanted.
 *
 * The queue is one of the process, like the log and the registry of metrics. Any thread.
 */
#ifndef CHECKOUT_RUNTIME_TRACE_SPAN_H
#define CHECKOUT_RUNTIME_TRACE_SPAN_H

#include "shared/base/clock.h"
#include "shared/runtime/trace.h"

/* Spans that wait to be taken; one more is dropped. */
enum { TRACE_SPANS_MAX = 2048 };

/* Spans that are taken at once. */
enum { TRACE_BATCH_MAX = 256 };

enum { TRACE_SPAN_NAME_SIZE = 96, TRACE_ATTRIBUTES_MAX = 4, TRACE_ATTRIBUTE_SIZE = 80 };

/* As OpenTelemetry numbers them. */
enum trace_span_kind {
    TRACE_SPAN_INTERNAL = 1,
    TRACE_SPAN_SERVER,
    TRACE_SPAN_CLIENT,
    TRACE_SPAN_PRODUCER,
    TRACE_SPAN_CONSUMER,
};

struct trace_attribute {
    const char *name; /* a literal */
    char text[TRACE_ATTRIBUTE_SIZE];
    bool is_number;
};

struct trace_span {
    struct trace trace;
    enum trace_span_kind kind;
    char name[TRACE_SPAN_NAME_SIZE];
    int64_t start_us, end_us; /* on the monotonic clock */
    bool failed;
    size_t attribute_count;
    struct trace_attribute attributes[TRACE_ATTRIBUTES_MAX];
};

/* Whether spans are collected at all. */
bool trace_spans_collected(void);

/* Whether spans of this trace are: it is sampled. */
bool trace_wanted(const struct trace *trace);

/* `start_us` is of clock_monotonic_us(). */
void trace_span_begin(struct trace_span *span, const struct trace *trace, enum trace_span_kind kind,
                      int64_t start_us);
void trace_span_name(struct trace_span *span, const char *format, ...) PRINTF_LIKE(2, 3);

/* At most TRACE_ATTRIBUTES_MAX; a text that is too long is cut. */
void trace_span_add(struct trace_span *span, const char *name, const char *text);
void trace_span_add_number(struct trace_span *span, const char *name, int64_t number);

/* It ends now: it is recorded. */
void trace_span_end(struct trace_span *span);

/* From here on spans are wanted. Once, before the threads that record. */
void trace_spans_collect(void);

/* Nobody takes them any more; frees those that wait. After the threads that recorded. */
void trace_spans_forget(void);

/*
 * Takes what waits, at most TRACE_BATCH_MAX, the oldest first: as soon as there are so many, and at
 * the deadline, or after trace_spans_hurry(), whatever there is. One thread.
 */
size_t trace_spans_take(struct trace_span out[TRACE_BATCH_MAX], struct deadline deadline);

/* From here on trace_spans_take() waits no more. */
void trace_spans_hurry(void);

/* Spans dropped since the collection began. */
int64_t trace_spans_dropped(void);

#endif
