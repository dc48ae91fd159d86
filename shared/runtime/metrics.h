/*
 * Metrics: counters, gauges and histograms in the Prometheus text format (version 0.0.4).
 *
 * A metric is a series: a name and its labels. Asking for the same one twice gives the same
 * object, so no series appears twice; hot paths ask once and keep the pointer, which lives for
 * ever. This is the one registry of the process, the exception to "no static state". Any thread;
 * adding is one atomic operation.
 */
#ifndef CHECKOUT_RUNTIME_METRICS_H
#define CHECKOUT_RUNTIME_METRICS_H

#include "shared/base/buffer.h"

/* Series in one process; asking for more gives one shared overflow series. */
enum { METRICS_MAX = 2048 };

struct metric;

/*
 * `labels` is what stands between the braces ("route=\"/v1/orders\",status=\"201\""), or "".
 * `name` and `help` are literals; the labels are copied.
 */
struct metric *metric_counter(const char *name, const char *help, const char *labels);
struct metric *metric_gauge(const char *name, const char *help, const char *labels);

/* Seconds, in buckets from 0.5 ms to 10 s. */
struct metric *metric_seconds(const char *name, const char *help, const char *labels);

/* Sizes, in buckets of powers of two from 1 to 4096. */
struct metric *metric_sizes(const char *name, const char *help, const char *labels);

void metric_add(struct metric *metric, int64_t by);
void metric_set(struct metric *metric, int64_t value);

/* One observation of a metric_seconds() histogram, in microseconds. */
void metric_observe_us(struct metric *metric, int64_t microseconds);

/* One observation of a metric_sizes() histogram. */
void metric_observe_size(struct metric *metric, int64_t size);

/* The value of a counter or gauge. */
int64_t metric_value(const struct metric *metric);

/* Appends all series, families together, each with its HELP and TYPE once. */
void metrics_render(struct buffer *out);

#endif
