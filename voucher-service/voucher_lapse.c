#include "voucher-service/voucher_lapse.h"

#include "shared/runtime/crash_point.h"
#include "shared/runtime/metrics.h"
#include "voucher-service/voucher_use_service.h"

enum {
    ROUND_MS = 5000, /* one round: 100 commits one after the other, each within its own deadline */
    FETCH_MS = 2000, /* one question for the head of a log */
};

/* Reservations that are over, and up to where the log must be read before they lapse. */
struct promise {
    int stream;
    struct instant over_at; /* by the database's clock: what was over then */
    int64_t head;           /* fetched afterwards */
    bool open;
};

/* The worker's thread has it alone. */
struct voucher_lapse {
    struct voucher_service *service;
    const struct feed_source *orders;
    struct metric *put_off;
    struct client *client; /* made when first needed: the library starts after main() begins */
    struct promise promises[JOURNAL_STREAMS_MAX];
};

struct voucher_lapse *voucher_lapse_create(struct voucher_service *service,
                                           const struct feed_source *orders)
{
    struct voucher_lapse *lapse = memory_allocate_zeroed(1, sizeof(*lapse));

    lapse->service = service;
    lapse->orders = orders;
    lapse->put_off = metric_counter("checkout_voucher_lapses_put_off_total",
                                    "Times that reservations which are over had to wait for the "
                                    "order log",
                                    "");
    return lapse;
}

void voucher_lapse_destroy(struct voucher_lapse *lapse)
{
    if (!lapse)
        return;
    if (lapse->client)
        client_destroy(lapse->client);
    free(lapse);
}

static struct pool *pool_of(const struct voucher_lapse *lapse)
{
    return backbone_pool(lapse->service->backbone);
}

static struct promise *find_promise(struct voucher_lapse *lapse, int stream)
{
    struct promise *free_one = NULL;

    for (size_t i = 0; i < COUNT_OF(lapse->promises); i++) {
        if (lapse->promises[i].open && lapse->promises[i].stream == stream)
            return &lapse->promises[i];
        if (!lapse->promises[i].open)
            free_one = &lapse->promises[i];
    }
    return free_one;
}

static bool fetch_head(struct voucher_lapse *lapse, int stream, int64_t position, int64_t *out,
                       struct error *err)
{
    AUTO(feed_page_release) struct feed_page page = { .count = 0 };
    const struct event_range range = { .stream = stream, .after = position, .limit = 1 };

    if (!lapse->client)
        lapse->client = client_create();
    if (!feed_fetch(lapse->client, lapse->orders, &range, deadline_in_ms(FETCH_MS), &page, err))
        return false;
    *out = page.extent.head;
    CRASH_POINT("lapse:head_fetched");
    return true;
}

/*
 * The head of each stream that has reservations to end. One that was fetched before is kept until
 * it was reached: under load the newest head is always a little ahead.
 */
static bool fetch_heads(struct voucher_lapse *lapse, struct deadline deadline, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    if (!voucher_store_overdue_streams(pool_of(lapse), lapse->orders->service, deadline, &rows,
                                       err))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct row row = rows_at(&rows, i);
        int stream = (int)row_integer(&row, "stream");
        struct promise *promise = find_promise(lapse, stream);

        if (!promise || promise->open)
            continue;
        promise->stream = stream;
        promise->over_at = row_instant(&row, "over_at");
        if (!fetch_head(lapse, stream, row_integer(&row, "position"), &promise->head, err)) {
            metric_add(lapse->put_off, 1);
            return false;
        }
        promise->open = true;
    }
    return true;
}

/* What was over before the head was fetched, if the head was reached; else nothing, yet. */
static bool keep_promise(struct voucher_lapse *lapse, struct promise *promise,
                         struct deadline deadline, bool *more, struct error *err)
{
    const struct voucher_wish wish = { .way = VOUCHER_LAPSE };
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    bool reached;

    if (!voucher_store_reached(pool_of(lapse), lapse->orders->service, promise->stream,
                               promise->head, deadline, &reached, err))
        return false;
    if (!reached) {
        metric_add(lapse->put_off, 1);
        return true;
    }
    if (!voucher_store_overdue(pool_of(lapse), promise->stream, promise->over_at, deadline, &rows,
                               err))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct voucher voucher;

        voucher_from_row(&rows, i, &voucher);
        if (!voucher_use_service_apply(lapse->service, &voucher, &wish, deadline, err))
            return false;
    }
    promise->open = rows.count >= VOUCHER_DUE_MAX;
    *more = *more || promise->open;
    return true;
}

static bool work(void *ctx, struct error *err, bool *more)
{
    struct voucher_lapse *lapse = ctx;
    struct deadline deadline = deadline_in_ms(ROUND_MS);

    *more = false;
    if (!fetch_heads(lapse, deadline, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(lapse->promises); i++)
        if (lapse->promises[i].open &&
            !keep_promise(lapse, &lapse->promises[i], deadline, more, err))
            return false;
    return true;
}

struct work voucher_lapse_work(struct voucher_lapse *lapse)
{
    return (struct work){
        .name = "voucher_lapse", .every_ms = VOUCHER_LAPSE_EVERY_MS, .work = work, .ctx = lapse
    };
}
