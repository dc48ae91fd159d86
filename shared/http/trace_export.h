/*
 * Trace export: sends the spans of this process to an OpenTelemetry collector (OTLP over HTTP, in
 * JSON).
 *
 * A thread takes what trace_span.h has queued and posts it to <endpoint>/v1/traces, one batch after
 * the other. While the collector is away the batch at hand is kept and tried again, the queue
 * fills, and what comes then is dropped: nobody who records a span waits. A batch that the
 * collector refuses (4xx, other than 429) is dropped.
 *
 * Metrics: checkout_trace_spans_exported_total and checkout_trace_spans_dropped_total.
 */
#ifndef CHECKOUT_HTTP_TRACE_EXPORT_H
#define CHECKOUT_HTTP_TRACE_EXPORT_H

#include "shared/base/error.h"

struct trace_export_settings {
    const char *endpoint; /* "http://127.0.0.1:4318"; texts are borrowed for its life */
    const char *service;
    const char *instance;
};

struct trace_export;

/* ERROR_CONFIGURATION unless it is an http or https address without a comma or a blank, or "". */
MUST_CHECK bool trace_export_check(const char *endpoint, struct error *err);

/* From here on spans are collected. Before the threads that record them. */
struct trace_export *trace_export_start(const struct trace_export_settings *settings);

/* Sends what waits, for half a second at most. After the threads that record. Takes NULL. */
void trace_export_stop(struct trace_export *exporter);

#endif
