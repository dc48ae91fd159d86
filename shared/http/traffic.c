#include "shared/http/traffic.h"

#include <stdatomic.h>

#include "shared/http/health.h"
#include "shared/http/method.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"
#include "shared/runtime/trace_span.h"

/* Statuses that are remembered; others are asked for each time. */
enum { STATUS_FIRST = 200, STATUS_COUNT = 312 };

/* One route's series; `total` by status, each made when it first occurs. */
struct series {
    const struct route *route; /* NULL for requests that found none */
    struct metric *seconds;
    _Atomic(struct metric *) total[STATUS_COUNT];
};

struct traffic {
    struct metric *running;
    size_t count;
    struct series series[ROUTER_ROUTES_MAX + 1]; /* the last one is for no route */
};

static const char *method_of(const struct route *route)
{
    return route ? http_method_name(route->method) : "any";
}

static const char *pattern_of(const struct route *route)
{
    return route ? route->pattern : "none";
}

static struct metric *make_seconds(const struct route *route)
{
    char labels[200];

    text_format(labels, sizeof(labels), "method=\"%s\",route=\"%s\"", method_of(route),
                pattern_of(route));
    return metric_seconds("checkout_http_request_seconds", "Time from head to answer.", labels);
}

static struct metric *make_total(const struct route *route, int status)
{
    char labels[200];

    text_format(labels, sizeof(labels), "method=\"%s\",route=\"%s\",status=\"%d\"",
                method_of(route), pattern_of(route), status);
    return metric_counter("checkout_http_requests_total", "Requests answered.", labels);
}

struct traffic *traffic_create(const struct router *router)
{
    struct traffic *traffic = memory_allocate_zeroed(1, sizeof(*traffic));

    traffic->running = metric_gauge("checkout_http_requests_running", "Requests being served.", "");
    traffic->count = router->count;
    for (size_t i = 0; i <= router->count; i++) {
        traffic->series[i].route = i < router->count ? router->entries[i].route : NULL;
        traffic->series[i].seconds = make_seconds(traffic->series[i].route);
    }
    return traffic;
}

void traffic_destroy(struct traffic *traffic)
{
    free(traffic);
}

static struct series *find_series(struct traffic *traffic, const struct route *route)
{
    size_t i = 0;

    while (i < traffic->count && traffic->series[i].route != route)
        i++;
    return &traffic->series[i];
}

/* Two threads that both find none ask for the same series and get the same. */
static struct metric *find_total(struct series *series, int status)
{
    int slot = status - STATUS_FIRST;

    if (slot < 0 || slot >= STATUS_COUNT)
        return make_total(series->route, status);
    struct metric *total = atomic_load_explicit(&series->total[slot], memory_order_acquire);
    if (!total) {
        total = make_total(series->route, status);
        atomic_store_explicit(&series->total[slot], total, memory_order_release);
    }
    return total;
}

void traffic_begin(struct traffic *traffic)
{
    metric_add(traffic->running, 1);
}

static enum log_level level_of(int status)
{
    if (status >= 500)
        return LOG_LEVEL_WARNING;
    return status >= 400 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

/* Details of a client's error may quote what it sent; only our own are for the log. */
static void log_record(const struct traffic_record *record)
{
    enum log_level level = level_of(record->status);
    struct log_field fields[7];
    size_t count = 0;

    if (!log_enabled(level))
        return;
    fields[count++] = LOG_TEXT("method", method_of(record->route));
    fields[count++] = LOG_TEXT("route", pattern_of(record->route));
    fields[count++] = LOG_INTEGER("status", record->status);
    fields[count++] = LOG_INTEGER("duration_us", record->duration_us);
    if (record->merchant[0] != '\0')
        fields[count++] = LOG_TEXT("merchant", record->merchant);
    if (record->err)
        fields[count++] = LOG_TEXT("code", record->err->code);
    if (record->err && record->status >= 500)
        fields[count++] = LOG_TEXT("detail", record->err->detail);
    log_write(level, "request", fields, count);
}

/* What is asked by probes belongs to nobody's trace. */
static void trace_record(const struct traffic_record *record)
{
    struct trace_span span;

    if (!trace_wanted(record->trace) || health_serves(record->route))
        return;
    trace_span_begin(&span, record->trace, TRACE_SPAN_SERVER,
                     clock_monotonic_us() - record->duration_us);
    trace_span_name(&span, "%s %s", method_of(record->route), pattern_of(record->route));
    trace_span_add(&span, "http.request.method", method_of(record->route));
    trace_span_add(&span, "http.route", pattern_of(record->route));
    trace_span_add_number(&span, "http.response.status_code", record->status);
    if (record->err)
        trace_span_add(&span, "error.type", record->err->code);
    span.failed = record->status >= 500;
    trace_span_end(&span);
}

void traffic_end(struct traffic *traffic, const struct traffic_record *record)
{
    struct series *series = find_series(traffic, record->route);

    metric_add(traffic->running, -1);
    metric_add(find_total(series, record->status), 1);
    metric_observe_us(series->seconds, record->duration_us);
    log_record(record);
    trace_record(record);
}
