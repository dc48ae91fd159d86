#include "shared/http/trace_export.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "shared/base/buffer.h"
#include "shared/http/client.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"
#include "shared/runtime/otlp.h"

enum {
    EXPORT_EVERY_MS = 500, /* how long a span waits for others */
    EXPORT_SEND_MS = 2000,
    EXPORT_AGAIN_MS = 1000, /* after a collector that was away */
    EXPORT_LAST_MS = 500,   /* all that is sent while the process stops */
    EXPORT_ANSWER_MAX = 65536,
};

struct trace_export {
    struct trace_export_settings settings;
    char origin[1024]; /* the endpoint without slashes behind it */
    pthread_t thread;
    atomic_bool stopping;
    sem_t stop;                 /* posted once, when stopping */
    _Atomic int64_t stop_at_ms; /* ... and until when it may send */

    /* The thread's own. */
    struct client *client;
    bool away; /* and that was logged */
    int64_t dropped_shown;
    struct metric *exported, *dropped;
    struct trace_span batch[TRACE_BATCH_MAX];
};

bool trace_export_check(const char *endpoint, struct error *err)
{
    bool is_address = strncmp(endpoint, "http://", 7) == 0 || strncmp(endpoint, "https://", 8) == 0;

    if (endpoint[0] == '\0' || (is_address && !strpbrk(endpoint, ", \t?#")))
        return true;
    return error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                     "must be an address like http://127.0.0.1:4318");
}

/* ---- One batch ---------------------------------------------------------------------------- */

/* What makes a time since 1970 of a monotonic one. */
static int64_t wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - clock_monotonic_us();
}

static void note_collector(struct trace_export *exporter, const struct error *trouble)
{
    bool away = trouble != NULL;

    if (away == exporter->away)
        return;
    exporter->away = away;
    if (away)
        log_swallowed(LOG_LEVEL_WARNING, "the collector of traces does not take them", trouble);
    else
        log_info("the collector takes traces again");
}

static struct deadline send_deadline(struct trace_export *exporter)
{
    struct deadline deadline = deadline_in_ms(EXPORT_SEND_MS);

    if (atomic_load(&exporter->stopping))
        return deadline_earlier(deadline, (struct deadline){ atomic_load(&exporter->stop_at_ms) });
    return deadline;
}

enum taken { TAKEN, REFUSED, AWAY };

static enum taken judge(int status, struct error *err)
{
    if (status >= 200 && status < 300)
        return TAKEN;
    error_set(err, ERROR_UNAVAILABLE, "peer_unavailable", "it answered %d", status);
    return status >= 400 && status < 500 && status != 429 ? REFUSED : AWAY;
}

static enum taken post(struct trace_export *exporter, struct span body)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct error err;
    int status = 0;
    const struct client_request request = { .method = "POST",
                                            .origins = exporter->origin,
                                            .path = "/v1/traces",
                                            .body = body,
                                            .answer_max = EXPORT_ANSWER_MAX,
                                            .deadline = send_deadline(exporter) };
    enum taken taken = AWAY;

    if (client_send(exporter->client, &request, &status, &answer, &err))
        taken = judge(status, &err);
    note_collector(exporter, taken == TAKEN ? NULL : &err);
    return taken;
}

/* Whether the process stops meanwhile. */
static bool pause_before_next(struct trace_export *exporter)
{
    struct timespec until = deadline_timespec(deadline_in_ms(EXPORT_AGAIN_MS));

    if (atomic_load(&exporter->stopping))
        return true;
    while (sem_clockwait(&exporter->stop, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
        continue;
    return atomic_load(&exporter->stopping);
}

/* What the queue had no room for. */
static void show_dropped(struct trace_export *exporter)
{
    int64_t dropped = trace_spans_dropped();

    metric_add(exporter->dropped, dropped - exporter->dropped_shown);
    exporter->dropped_shown = dropped;
}

static void export_batch(struct trace_export *exporter, size_t count)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    const struct otlp_resource resource = { exporter->settings.service,
                                            exporter->settings.instance };
    enum taken taken;

    otlp_write(&resource, exporter->batch, count, wall_us(), &body);
    while ((taken = post(exporter, buffer_span(&body))) == AWAY) {
        show_dropped(exporter);
        if (pause_before_next(exporter))
            break;
    }
    metric_add(taken == TAKEN ? exporter->exported : exporter->dropped, (int64_t)count);
}

/* ---- Its life ----------------------------------------------------------------------------- */

static void *run(void *ctx)
{
    struct trace_export *exporter = ctx;
    bool stopping = false;
    size_t count = 1;

    /* Once it was told to stop it looks until there is nothing more, or the time is over. */
    while (!stopping || (count > 0 && !deadline_passed(send_deadline(exporter)))) {
        stopping = atomic_load(&exporter->stopping);
        count = trace_spans_take(exporter->batch, deadline_in_ms(EXPORT_EVERY_MS));
        if (count > 0)
            export_batch(exporter, count);
        show_dropped(exporter);
    }
    return NULL;
}

/* The client puts the path behind the origin. */
static void take_endpoint(struct trace_export *exporter, const char *endpoint)
{
    text_copy(exporter->origin, sizeof(exporter->origin), endpoint);
    for (size_t length = strlen(exporter->origin); length > 0; length--) {
        if (exporter->origin[length - 1] != '/')
            break;
        exporter->origin[length - 1] = '\0';
    }
}

struct trace_export *trace_export_start(const struct trace_export_settings *settings)
{
    struct trace_export *exporter = memory_allocate_zeroed(1, sizeof(*exporter));

    exporter->settings = *settings;
    take_endpoint(exporter, settings->endpoint);
    sem_init(&exporter->stop, 0, 0);
    exporter->client = client_create();
    exporter->exported = metric_counter("checkout_trace_spans_exported_total",
                                        "Spans that the collector has taken", "");
    exporter->dropped =
        metric_counter("checkout_trace_spans_dropped_total", "Spans that nobody has taken", "");
    trace_spans_collect();
    int failed = pthread_create(&exporter->thread, NULL, run, exporter);
    assert(failed == 0);
    return exporter;
}

void trace_export_stop(struct trace_export *exporter)
{
    if (exporter == NULL)
        return;
    atomic_store(&exporter->stop_at_ms, deadline_in_ms(EXPORT_LAST_MS).at_ms);
    atomic_store(&exporter->stopping, true);
    sem_post(&exporter->stop);
    trace_spans_hurry();
    pthread_join(exporter->thread, NULL);
    trace_spans_forget();
    client_destroy(exporter->client);
    sem_destroy(&exporter->stop);
    free(exporter);
}
