#include "shared/events/consumer_private.h"

static bool fetch(struct consumer *consumer, int64_t limit, struct feed_page *page,
                  struct error *err)
{
    if (!feed_fetch(consumer->client, &consumer->settings.source, consumer->settings.stream,
                    consumer->position, limit, deadline_in_ms(CONSUMER_PULL_MS), page, err))
        return false;
    consumer->head = page->head;
    consumer_show_progress(consumer, consumer->position);
    return true;
}

/* One page; what is left is pulled on the next turn, so that the lease is kept meanwhile. */
static bool pull(struct consumer *consumer, struct error *err)
{
    struct feed_page page;
    struct arrival *arrivals = NULL;

    if (!fetch(consumer, CONSUMER_BATCH_MAX, &page, err))
        return false;
    arrivals = memory_allocate_zeroed(page.count + 1, sizeof(*arrivals));
    for (size_t i = 0; i < page.count; i++)
        arrival_pull(&consumer->settings, &page.items[i], &arrivals[i]);
    bool done = consumer_apply_page(consumer, arrivals, page.count, err);
    if (done)
        consumer->pull_due = consumer->position < consumer->head;
    for (size_t i = 0; i < page.count; i++)
        arrival_release(&arrivals[i]);
    free(arrivals);
    feed_page_release(&page);
    return done;
}

/* A lost last event leaves no hole: what was the head a while ago must be reached by now. */
static bool ask_head(struct consumer *consumer, struct error *err)
{
    struct feed_page page;

    consumer->ask_head_at = deadline_in_ms(CONSUMER_HEAD_MS);
    consumer->pull_due |= consumer->position < consumer->head;
    if (!fetch(consumer, 1, &page, err))
        return false;
    feed_page_release(&page);
    return true;
}

bool consumer_follow_log(struct consumer *consumer, struct error *err)
{
    if (!deadline_passed(consumer->pull_not_before))
        return true;
    if (consumer->pull_due)
        return pull(consumer, err);
    return !deadline_passed(consumer->ask_head_at) || ask_head(consumer, err);
}
