/*
 * OTLP: spans as the OpenTelemetry protocol has them in JSON (ExportTraceServiceRequest).
 *
 * Ids are hexadecimal text there, and numbers of 64 bits are text in decimals. Pure.
 */
#ifndef CHECKOUT_RUNTIME_OTLP_H
#define CHECKOUT_RUNTIME_OTLP_H

#include "shared/base/buffer.h"
#include "shared/runtime/trace_span.h"

/* Whose spans they are. */
struct otlp_resource {
    const char *service; /* "order-service" */
    const char *instance;
};

/* Appends one request. `wall_us` is what to add to a monotonic time for the time since 1970. */
void otlp_write(const struct otlp_resource *resource, const struct trace_span *spans, size_t count,
                int64_t wall_us, struct buffer *out);

#endif
