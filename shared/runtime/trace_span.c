#include "shared/runtime/trace_span.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "shared/base/buffer.h"

/*
 * The spans that wait, a ring. One of the permitted statics (with the log and the registry of
 * metrics): spans end anywhere. The mutex is held for as long as it takes to copy a span.
 */
static struct {
    atomic_bool collected;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t filled;
    struct trace_span *ring; /* NULL while nobody collects */
    size_t first, count;
    bool hurried;
    int64_t dropped;
} queue = { .mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER };

bool trace_spans_collected(void)
{
    return atomic_load_explicit(&queue.collected, memory_order_relaxed);
}

bool trace_wanted(const struct trace *trace)
{
    return trace_spans_collected() && strcmp(trace->flags, "01") == 0;
}

void trace_span_begin(struct trace_span *span, const struct trace *trace, enum trace_span_kind kind,
                      int64_t start_us)
{
    span->trace = *trace;
    span->kind = kind;
    span->name[0] = '\0';
    span->start_us = start_us;
    span->end_us = start_us;
    span->failed = false;
    span->attribute_count = 0;
}

void trace_span_name(struct trace_span *span, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(span->name, sizeof(span->name), format, arguments);
    va_end(arguments);
}

static struct trace_attribute *next_attribute(struct trace_span *span, const char *name)
{
    assert(span->attribute_count < TRACE_ATTRIBUTES_MAX);
    struct trace_attribute *attribute = &span->attributes[span->attribute_count++];

    attribute->name = name;
    return attribute;
}

void trace_span_add(struct trace_span *span, const char *name, const char *text)
{
    struct trace_attribute *attribute = next_attribute(span, name);

    attribute->is_number = false;
    text_copy(attribute->text, sizeof(attribute->text), text);
}

void trace_span_add_number(struct trace_span *span, const char *name, int64_t number)
{
    struct trace_attribute *attribute = next_attribute(span, name);

    attribute->is_number = true;
    text_format(attribute->text, sizeof(attribute->text), "%lld", (long long)number);
}

/* Under the mutex. */
static void put(const struct trace_span *span)
{
    if (!queue.ring)
        return;
    if (queue.count == TRACE_SPANS_MAX) {
        queue.dropped++;
        return;
    }
    queue.ring[(queue.first + queue.count++) % TRACE_SPANS_MAX] = *span;
    if (queue.count == TRACE_BATCH_MAX)
        pthread_cond_signal(&queue.filled);
}

void trace_span_end(struct trace_span *span)
{
    span->end_us = clock_monotonic_us();
    pthread_mutex_lock(&queue.mutex);
    put(span);
    pthread_mutex_unlock(&queue.mutex);
}

void trace_spans_collect(void)
{
    pthread_mutex_lock(&queue.mutex);
    assert(!queue.ring);
    queue.ring = memory_allocate_zeroed(TRACE_SPANS_MAX, sizeof(*queue.ring));
    queue.first = 0;
    queue.count = 0;
    queue.hurried = false;
    queue.dropped = 0;
    pthread_mutex_unlock(&queue.mutex);
    atomic_store(&queue.collected, true);
}

void trace_spans_forget(void)
{
    atomic_store(&queue.collected, false);
    pthread_mutex_lock(&queue.mutex);
    free(queue.ring);
    queue.ring = NULL;
    queue.count = 0;
    pthread_mutex_unlock(&queue.mutex);
}

size_t trace_spans_take(struct trace_span out[TRACE_BATCH_MAX], struct deadline deadline)
{
    struct timespec until = deadline_timespec(deadline);
    size_t taken = 0;

    pthread_mutex_lock(&queue.mutex);
    while (queue.count < TRACE_BATCH_MAX && !queue.hurried &&
           pthread_cond_clockwait(&queue.filled, &queue.mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
    for (; queue.count > 0 && taken < TRACE_BATCH_MAX; queue.count--) {
        out[taken++] = queue.ring[queue.first];
        queue.first = (queue.first + 1) % TRACE_SPANS_MAX;
    }
    pthread_mutex_unlock(&queue.mutex);
    return taken;
}

void trace_spans_hurry(void)
{
    pthread_mutex_lock(&queue.mutex);
    queue.hurried = true;
    pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.mutex);
}

int64_t trace_spans_dropped(void)
{
    pthread_mutex_lock(&queue.mutex);
    int64_t dropped = queue.dropped;
    pthread_mutex_unlock(&queue.mutex);
    return dropped;
}
