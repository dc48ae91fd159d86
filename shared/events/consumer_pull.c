#include "shared/events/consumer_private.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"

/* A producer that stays away is told once, and that it is back. */
static void note_feed(struct consumer *consumer, const struct error *trouble)
{
    bool away = trouble != NULL;

    if (away == consumer->feed_away)
        return;
    consumer->feed_away = away;
    if (away)
        log_swallowed(LOG_LEVEL_WARNING, "consumer can not reach the feed", trouble);
    else
        log_info("consumer reaches the feed again",
                 LOG_TEXT("source", consumer->settings.source.service));
}

void consumer_miss(struct consumer *consumer)
{
    consumer->pull_due = consumer->missing = true;
}

/* Whether there is nothing better to do than to wait for the log. */
static bool needs_log(const struct consumer *consumer)
{
    return consumer->missing || !atomic_load(&consumer->hears_bus);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t limit_glance(int64_t ms)
{
    return ms < CONSUMER_PULL_MS ? larger(ms, CONSUMER_GLANCE_MS) : CONSUMER_PULL_MS;
}

/* A feed that hangs has half of the loop's time at most, and less when the bus is heard. */
static void put_off(struct consumer *consumer, int64_t took_ms, const struct error *err)
{
    bool needed = needs_log(consumer);

    if (!atomic_load(&consumer->stopping))
        note_feed(consumer, err);
    if (!needed)
        consumer->glance_ms = limit_glance(2 * consumer->glance_ms);
    consumer->far_behind = consumer->far_ahead = false; /* as far as anybody can tell */
    consumer->pull_not_before = deadline_in_ms(
        larger(needed ? took_ms : (CONSUMER_GLANCE_PART - 1) * took_ms, CONSUMER_BACKOFF_MS));
}

/*
 * A log only grows. One that ends before what took effect here was set back alone, by restoring its
 * database say, and what is written to it from now on looks like what is known already.
 */
static void note_end(struct consumer *consumer, int64_t head)
{
    bool cut = head < consumer->position;

    if (cut && !atomic_load(&consumer->log_cut))
        log_error("log ends before what took effect here",
                  LOG_TEXT("source", consumer->settings.source.service), LOG_INTEGER("head", head),
                  LOG_INTEGER("position", consumer->position));
    atomic_store(&consumer->log_cut, cut);
}

static void note_distance(struct consumer *consumer)
{
    const struct event_extent *extent = &consumer->extent;
    int64_t known = extent->head < consumer->position ? extent->head : consumer->position;

    consumer->far_behind = extent->head - consumer->position > CONSUMER_BATCH_MAX;
    consumer->far_ahead = known - extent->announced > CONSUMER_AHEAD_MAX;
}

/* False when the producer is away; it is asked again after a pause. */
static bool fetch(struct consumer *consumer, int64_t limit, struct feed_page *page)
{
    const struct event_range range = { consumer->settings.stream, consumer->position, limit };
    int64_t patience_ms = needs_log(consumer) ? CONSUMER_PULL_MS : consumer->glance_ms;
    int64_t start_us = clock_monotonic_us();
    struct error err;
    bool told = feed_fetch(consumer->client, &consumer->settings.source, &range,
                           deadline_in_ms(patience_ms), page, &err);
    int64_t took_ms = (clock_monotonic_us() - start_us) / 1000;

    if (!told) {
        put_off(consumer, took_ms, &err);
        return false;
    }
    consumer->glance_ms = limit_glance(4 * took_ms);
    note_feed(consumer, NULL);
    note_end(consumer, page->extent.head);
    consumer->extent = page->extent;
    consumer_show_progress(consumer, consumer->position);
    note_distance(consumer);
    return true;
}

/* One page; what is left is pulled on the next turn, so that the lease is kept meanwhile. */
static bool pull(struct consumer *consumer, struct error *err)
{
    struct feed_page page;
    struct arrival *arrivals = NULL;

    if (!fetch(consumer, CONSUMER_BATCH_MAX, &page))
        return true;
    arrivals = memory_allocate_zeroed(page.count + 1, sizeof(*arrivals));
    for (size_t i = 0; i < page.count; i++)
        arrival_pull(&consumer->settings, &page.items[i], &arrivals[i]);
    if (page.count > 0)
        CRASH_POINT("consumer:after_pull");
    bool done = consumer_apply_page(consumer, arrivals, page.count, err);
    if (done)
        consumer->pull_due = consumer->position < consumer->extent.head;
    consumer->missing &= consumer->pull_due;
    note_distance(consumer);
    for (size_t i = 0; i < page.count; i++)
        arrival_release(&arrivals[i]);
    free(arrivals);
    feed_page_release(&page);
    return done;
}

/*
 * A lost last event leaves no hole: what was the head a while ago must be reached by now. Who does
 * not hear the bus yet has only the log to learn from.
 */
static void ask_head(struct consumer *consumer)
{
    struct feed_page page;

    if (consumer->position < consumer->extent.head) {
        consumer_miss(consumer);
        return;
    }
    if (!fetch(consumer, 1, &page))
        return;
    if (consumer->subscribe_due || consumer->far_behind)
        consumer->pull_due |= consumer->position < consumer->extent.head;
    consumer->ask_head_at =
        deadline_in_ms(consumer->subscribe_due ? CONSUMER_IDLE_MS : CONSUMER_HEAD_MS);
    feed_page_release(&page);
}

bool consumer_follow_log(struct consumer *consumer, struct error *err)
{
    if (!deadline_passed(consumer->pull_not_before))
        return true;
    if (consumer->pull_due)
        return pull(consumer, err);
    if (deadline_passed(consumer->ask_head_at))
        ask_head(consumer);
    return true;
}
