/*
 * A page of the feed: it continues the log without holes, whatever the producer says. (The producer
 * is played by the target: the linker sends client_send() here.)
 */
#include "shared/events/feed.h"

#include "tests/fuzz/events.h"
#include "tests/fuzz/fuzz.h"

enum { AFTER = 41, LIMIT = 10 };

static struct span page_text;

bool __wrap_client_send(struct client *client, const struct client_request *request, int *status,
                        struct buffer *answer, struct error *err);

bool __wrap_client_send(struct client *client, const struct client_request *request, int *status,
                        struct buffer *answer, struct error *err)
{
    (void)client, (void)request, (void)err;
    *status = HTTP_OK;
    buffer_append_span(answer, page_text);
    return true;
}

static void check_item(const struct feed_item *item, int64_t sequence)
{
    assert(item->sequence == sequence);
    if (item->valid) {
        assert(item->event.sequence == sequence);
        fuzz_check_event(&item->event);
    } else {
        assert(item->text.length > 0);
        assert(item->detail[0] != '\0' && text_is_utf8(span_of(item->detail)));
    }
}

static void check_page(const struct feed_page *page)
{
    assert(page->extent.head >= 0 && page->extent.announced >= 0 && page->count <= LIMIT);
    for (size_t i = 0; i < page->count; i++)
        check_item(&page->items[i], AFTER + (int64_t)i + 1);
}

void fuzz(struct span input)
{
    AUTO(feed_page_release) struct feed_page page = { .items = NULL };
    struct feed_source source = { FUZZ_PRODUCER, "http://127.0.0.1:8081", "Bearer x" };
    struct event_range range = { .stream = 0, .after = AFTER, .limit = LIMIT };
    struct error err;

    page_text = input;
    if (feed_fetch(NULL, &source, &range, deadline_in_ms(1000), &page, &err))
        check_page(&page);
    else
        fuzz_check_texts(&err);
}
