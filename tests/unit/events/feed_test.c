/*
 * A page of a feed, as it is pulled: the producer is played, the linker sends client_send() here.
 */
#include "shared/events/feed.h"

#include <jansson.h>

#include "tests/unit/table.h"

#define ITEM(stream, sequence, data)                                                  \
    "{\"specversion\":\"1.0\",\"id\":\"018f3c2a-2222-7abc-8def-0123456789ab\","       \
    "\"source\":\"/order-service\",\"type\":\"order.sent\","                          \
    "\"subject\":\"018f3c2a-1111-7abc-8def-0123456789ab\","                           \
    "\"time\":\"2026-01-31T23:59:59.123Z\",\"datacontenttype\":\"application/json\"," \
    "\"dataschema\":\"urn:checkout:v1:/schemas/order.json\","                         \
    "\"sequence\":\"000000000000000000" sequence "\",\"stream\":" stream ","          \
    "\"subjectversion\":3,\"merchantid\":\"demo\",\"traceparent\":"                   \
    "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\",\"data\":" data "}"
#define PAGE(events)   "{\"data\":[" events "],\"head\":50,\"announced\":45,\"next_after\":44}"
#define PAGE_OF_BEFORE "{\"data\":[],\"head\":50,\"next_after\":44}"

#define FIRST  ITEM("0", "42", "{\"a\":[1,\"],\"]}")
#define SECOND ITEM("0", "43", "{\"b\":2}")
#define WRONG  "{\"specversion\":\"2.0\",\"data\":{}}"

enum { AFTER = 41, LIMIT = 2 };

static const char *answer_text;
static int answer_status;

bool __wrap_client_send(struct client *client, const struct client_request *request, int *status,
                        struct buffer *answer, struct error *err);

bool __wrap_client_send(struct client *client, const struct client_request *request, int *status,
                        struct buffer *answer, struct error *err)
{
    (void)client, (void)err;
    assert_string_equal(request->path, "/v1/events?stream=0&after=41&limit=2");
    *status = answer_status;
    buffer_append(answer, answer_text);
    return true;
}

static bool fetch(int status, const char *text, struct feed_page *page)
{
    const struct feed_source source = { "order-service", "http://127.0.0.1:8081", "Bearer x" };
    const struct event_range range = { .stream = 0, .after = AFTER, .limit = LIMIT };
    struct error err;

    answer_status = status;
    answer_text = text;
    return feed_fetch(NULL, &source, &range, deadline_in_ms(1000), page, &err);
}

static void events_are_read_with_their_data_as_it_came(UNUSED void **state)
{
    AUTO(feed_page_release) struct feed_page page = { .count = 0 };

    assert_true(fetch(HTTP_OK, PAGE(FIRST " , " SECOND), &page));
    assert_int_equal(page.extent.head, 50);
    assert_int_equal(page.count, 2);
    assert_true(page.items[0].valid && page.items[1].valid);
    assert_int_equal(page.items[0].event.sequence, 42);
    assert_true(span_equal(page.items[0].event.data, span_of("{\"a\":[1,\"],\"]}")));
    assert_true(span_equal(buffer_span(&page.items[0].text), span_of(FIRST)));
    assert_int_equal(page.items[1].sequence, 43);
    assert_true(span_equal(page.items[1].event.data, span_of("{\"b\":2}")));
}

static void a_page_may_be_empty(UNUSED void **state)
{
    AUTO(feed_page_release) struct feed_page page = { .count = 0 };

    assert_true(fetch(HTTP_OK, PAGE(""), &page));
    assert_int_equal(page.count, 0);
    assert_int_equal(page.extent.head, 50);
}

static void how_far_the_bus_was_told_is_told(UNUSED void **state)
{
    AUTO(feed_page_release) struct feed_page page = { .count = 0 };

    assert_true(fetch(HTTP_OK, PAGE(FIRST), &page));
    assert_int_equal(page.extent.announced, 45);
}

static void a_producer_that_does_not_tell_it_told_everything(UNUSED void **state)
{
    AUTO(feed_page_release) struct feed_page page = { .count = 0 };

    assert_true(fetch(HTTP_OK, PAGE_OF_BEFORE, &page));
    assert_int_equal(page.extent.announced, 50);
}

static void what_is_no_event_is_known_by_its_place(UNUSED void **state)
{
    AUTO(feed_page_release) struct feed_page page = { .count = 0 };

    assert_true(fetch(HTTP_OK, PAGE(WRONG "," SECOND), &page));
    assert_int_equal(page.count, 2);
    assert_false(page.items[0].valid);
    assert_int_equal(page.items[0].sequence, 42);
    assert_true(span_equal(buffer_span(&page.items[0].text), span_of(WRONG)));
    assert_non_null(strstr(page.items[0].detail, "/specversion"));
    assert_true(page.items[1].valid);
}

static int allocations_left;

static void *allocate_scarcely(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* With a blank in it: it is read as JSON. */
#define SPACED ITEM(" 0", "42", "{}")

/* A good event that could not be read for want of memory must come again. */
static void memory_that_ends_refuses_the_page(UNUSED void **state)
{
    bool read = false;

    json_set_alloc_funcs(allocate_scarcely, free);
    for (int allocations = 0; !read && allocations < 1000; allocations++) {
        AUTO(feed_page_release) struct feed_page page = { .count = 0 };

        allocations_left = allocations;
        read = fetch(HTTP_OK, PAGE(SPACED "," SECOND), &page);
        assert_true(!read || (page.items[0].valid && page.items[1].valid));
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(read);
}

static const struct refused_row {
    const char *label;
    int status;
    const char *text;
} refused_rows[] = {
    { "an answer that is no success is refused", 503, PAGE(FIRST) },
    { "something that is not JSON is refused", HTTP_OK, "no page" },
    { "half a page is refused", HTTP_OK, "{\"data\":[" FIRST },
    { "a page without an end is refused", HTTP_OK, "{\"data\":[" FIRST "]" },
    { "a page without a head is refused", HTTP_OK, "{\"data\":[" FIRST "]}" },
    { "a page that was told less than nothing is refused", HTTP_OK,
      "{\"data\":[" FIRST "],\"head\":50,\"announced\":-1}" },
    { "a page without events is refused", HTTP_OK, "{\"head\":50}" },
    { "events that are no array are refused", HTTP_OK, "{\"data\":{},\"head\":50}" },
    { "events under an escaped name are refused", HTTP_OK,
      "{\"d\\u0061ta\":[" FIRST "],\"head\":50}" },
    { "events that are there twice are refused", HTTP_OK,
      "{\"data\":[" FIRST "],\"data\":[" FIRST "],\"head\":50}" },
    { "more events than were asked for are refused", HTTP_OK,
      PAGE(FIRST "," SECOND "," ITEM("0", "44", "{}")) },
    { "an event that came garbled is refused", HTTP_OK, PAGE("{\"specversion\":\"1.0\" garbled}") },
    { "nothing between two commas is refused", HTTP_OK, PAGE(FIRST ",") },
    { "an event out of its place is refused", HTTP_OK, PAGE(SECOND) },
    { "an event of another stream is refused", HTTP_OK, PAGE(ITEM("1", "42", "{}")) },
};

static void check_refused(void **state)
{
    const struct refused_row *row = *state;
    struct feed_page page = { .extent = { .head = -1 } };

    assert_false(fetch(row->status, row->text, &page));
    assert_int_equal(page.extent.head, -1); /* untouched */
    assert_null(page.items);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, events_are_read_with_their_data_as_it_came);
    TABLE_ADD(&table, a_page_may_be_empty);
    TABLE_ADD(&table, how_far_the_bus_was_told_is_told);
    TABLE_ADD(&table, a_producer_that_does_not_tell_it_told_everything);
    TABLE_ADD(&table, what_is_no_event_is_known_by_its_place);
    TABLE_ADD(&table, memory_that_ends_refuses_the_page);
    TABLE_ADD_ROWS(&table, refused_rows, check_refused);
    return table_run(&table);
}
