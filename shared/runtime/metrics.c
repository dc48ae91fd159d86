#include "shared/runtime/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

/* Slots of the hash: twice the series, so that a free one is always near. A power of two. */
enum { SLOTS = 2 * METRICS_MAX };

/* Buckets of the finest histogram, with the one for what is above all bounds. */
enum { BUCKETS_MAX = 15 };

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_SECONDS, METRIC_SIZES };

struct metric {
    const char *name;
    const char *help;
    char *labels;
    enum metric_type type;
    _Atomic int64_t value; /* of a histogram: the sum of what was observed */
    _Atomic int64_t buckets[BUCKETS_MAX];
};

/* A bucket's upper bound, and how Prometheus reads it. */
struct bound {
    int64_t limit;
    const char *text;
};

/* In microseconds. */
static const struct bound seconds_bounds[] = {
    { 500, "0.0005" },  { 1000, "0.001" },  { 2500, "0.0025" }, { 5000, "0.005" },
    { 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },
    { 250000, "0.25" }, { 500000, "0.5" },  { 1000000, "1" },   { 2500000, "2.5" },
    { 5000000, "5" },   { 10000000, "10" },
};

static const struct bound sizes_bounds[] = {
    { 1, "1" },       { 2, "2" },       { 4, "4" },       { 8, "8" },     { 16, "16" },
    { 32, "32" },     { 64, "64" },     { 128, "128" },   { 256, "256" }, { 512, "512" },
    { 1024, "1024" }, { 2048, "2048" }, { 4096, "4096" },
};

_Static_assert(COUNT_OF(seconds_bounds) < BUCKETS_MAX, "one bucket is for what is above");
_Static_assert(COUNT_OF(sizes_bounds) < BUCKETS_MAX, "one bucket is for what is above");

/*
 * The registry. One of the permitted statics (with the log and the queue of spans): series are
 * asked for anywhere, live for ever, and a process has one page of them. The mutex guards slots and
 * count; a series itself is only touched with atomic operations once it is in.
 */
static struct {
    pthread_mutex_t mutex;
    struct metric *slots[SLOTS];
    size_t count;
    struct metric overflow; /* stands for every series beyond METRICS_MAX; counts the requests */
    _Atomic int64_t overflowed;
} registry = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* FNV-1a over the name and the labels. */
static size_t slot_of(const char *name, const char *labels)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    for (; *labels != '\0'; labels++)
        hash = (hash ^ (unsigned char)*labels) * UINT64_C(1099511628211);
    return (hash ^ hash >> 32) % SLOTS;
}

static struct metric *metric_new(enum metric_type type, const char *name, const char *help,
                                 const char *labels)
{
    struct metric *metric = memory_allocate_zeroed(1, sizeof(*metric));

    metric->name = name;
    metric->help = help;
    metric->labels = memory_copy_text(span_of(labels));
    metric->type = type;
    return metric;
}

/* Under the mutex: the slot that holds the series or is free for it. */
static struct metric **find_slot(const char *name, const char *labels)
{
    size_t at = slot_of(name, labels);

    while (registry.slots[at] && (strcmp(registry.slots[at]->name, name) != 0 ||
                                  strcmp(registry.slots[at]->labels, labels) != 0))
        at = (at + 1) % SLOTS;
    return &registry.slots[at];
}

static struct metric *get(enum metric_type type, const char *name, const char *help,
                          const char *labels)
{
    struct metric *metric = &registry.overflow;

    pthread_mutex_lock(&registry.mutex);
    struct metric **slot = find_slot(name, labels);
    if (!*slot && registry.count < METRICS_MAX) {
        *slot = metric_new(type, name, help, labels);
        registry.count++;
    }
    if (*slot)
        metric = *slot;
    else
        atomic_fetch_add_explicit(&registry.overflowed, 1, memory_order_relaxed);
    pthread_mutex_unlock(&registry.mutex);

    assert(metric == &registry.overflow || metric->type == type);
    return metric;
}

struct metric *metric_counter(const char *name, const char *help, const char *labels)
{
    return get(METRIC_COUNTER, name, help, labels);
}

struct metric *metric_gauge(const char *name, const char *help, const char *labels)
{
    return get(METRIC_GAUGE, name, help, labels);
}

struct metric *metric_seconds(const char *name, const char *help, const char *labels)
{
    return get(METRIC_SECONDS, name, help, labels);
}

struct metric *metric_sizes(const char *name, const char *help, const char *labels)
{
    return get(METRIC_SIZES, name, help, labels);
}

void metric_add(struct metric *metric, int64_t by)
{
    atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

/* Adds to the first bucket whose bound is not below the value; the last bucket has no bound. */
static void observe(struct metric *metric, const struct bound *bounds, size_t count, int64_t value)
{
    size_t bucket = 0;

    while (bucket < count && value > bounds[bucket].limit)
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    metric_add(metric, value);
}

void metric_observe_us(struct metric *metric, int64_t microseconds)
{
    observe(metric, seconds_bounds, COUNT_OF(seconds_bounds), microseconds < 0 ? 0 : microseconds);
}

void metric_observe_size(struct metric *metric, int64_t size)
{
    observe(metric, sizes_bounds, COUNT_OF(sizes_bounds), size < 0 ? 0 : size);
}

int64_t metric_value(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

static int compare_series(const void *a, const void *b)
{
    const struct metric *left = *(struct metric *const *)a;
    const struct metric *right = *(struct metric *const *)b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : strcmp(left->labels, right->labels);
}

/* Copies the pointers under the mutex, so that rendering holds up nobody. */
static size_t copy_series(struct metric *out[METRICS_MAX])
{
    size_t count = 0;

    pthread_mutex_lock(&registry.mutex);
    for (size_t i = 0; i < SLOTS; i++)
        if (registry.slots[i])
            out[count++] = registry.slots[i];
    pthread_mutex_unlock(&registry.mutex);
    return count;
}

/* Microseconds as seconds, without floating point. */
static void append_seconds(struct buffer *out, int64_t microseconds)
{
    buffer_append_format(out, "%lld.%06lld", (long long)(microseconds / 1000000),
                         (long long)(microseconds % 1000000));
}

static void render_bucket(struct buffer *out, const struct metric *metric, const char *limit,
                          int64_t count)
{
    buffer_append_format(out, "%s_bucket{%s%sle=\"%s\"} %lld\n", metric->name, metric->labels,
                         metric->labels[0] != '\0' ? "," : "", limit, (long long)count);
}

/* Name, suffix and labels of a sample; its value is the caller's to append. */
static void render_name(struct buffer *out, const struct metric *metric, const char *suffix)
{
    if (metric->labels[0] != '\0')
        buffer_append_format(out, "%s%s{%s} ", metric->name, suffix, metric->labels);
    else
        buffer_append_format(out, "%s%s ", metric->name, suffix);
}

static void render_histogram(struct buffer *out, const struct metric *metric)
{
    bool seconds = metric->type == METRIC_SECONDS;
    const struct bound *bounds = seconds ? seconds_bounds : sizes_bounds;
    size_t bound_count = seconds ? COUNT_OF(seconds_bounds) : COUNT_OF(sizes_bounds);
    int64_t sum = metric_value(metric);
    int64_t count = 0;

    for (size_t i = 0; i <= bound_count; i++) {
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        render_bucket(out, metric, i < bound_count ? bounds[i].text : "+Inf", count);
    }
    render_name(out, metric, "_sum");
    if (seconds)
        append_seconds(out, sum);
    else
        buffer_append_integer(out, sum);
    buffer_append(out, "\n");
    render_name(out, metric, "_count");
    buffer_append_format(out, "%lld\n", (long long)count);
}

static void render_family(struct buffer *out, const struct metric *metric)
{
    static const char *const types[] = { "counter", "gauge", "histogram", "histogram" };

    buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                         metric->name, types[metric->type]);
}

static void render_series(struct buffer *out, const struct metric *metric)
{
    if (metric->type == METRIC_SECONDS || metric->type == METRIC_SIZES) {
        render_histogram(out, metric);
        return;
    }
    render_name(out, metric, "");
    buffer_append_format(out, "%lld\n", (long long)metric_value(metric));
}

/* Series that there was no room for are no secret: somebody put ids into labels. */
static void render_overflow(struct buffer *out)
{
    int64_t count = atomic_load_explicit(&registry.overflowed, memory_order_relaxed);

    buffer_append_format(out,
                         "# HELP metrics_overflow_total Requests for a series beyond the limit.\n"
                         "# TYPE metrics_overflow_total counter\n"
                         "metrics_overflow_total %lld\n",
                         (long long)count);
}

void metrics_render(struct buffer *out)
{
    struct metric *series[METRICS_MAX];
    size_t count = copy_series(series);

    qsort(series, count, sizeof(series[0]), compare_series);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(series[i - 1]->name, series[i]->name) != 0)
            render_family(out, series[i]);
        render_series(out, series[i]);
    }
    render_overflow(out);
}
