#include "shared/events/feed.h"

#include "shared/http/query.h"
#include "shared/json/json_pieces.h"

/* How far one request of a merchant's key looks ahead in a log that is mostly other merchants'. */
enum { FEED_SCAN_MAX = 10000 };

/* A page ends with the event that fills it to this many bytes, so that it can be pulled in time. */
enum { FEED_PAGE_BYTES = 4 * 1024 * 1024 };

/* A page and one event more, with room. */
enum { FEED_ANSWER_MAX = 16 * 1024 * 1024 };

STATEMENT(feed_of_merchant, "any",
          "SELECT stream, sequence, id, merchant_id, type, subject, subject_version, time, "
          "traceparent, data FROM events WHERE stream = $1 AND sequence > $2 AND sequence <= $3 "
          "AND merchant_id = $4 ORDER BY sequence LIMIT $5");

/* By the index of versions. A NULL merchant is everybody. */
STATEMENT(feed_of_subjects, "any",
          "SELECT stream, sequence, id, merchant_id, type, subject, subject_version, time, "
          "traceparent, data FROM events WHERE stream = $1 AND sequence > $2 "
          "AND subject = ANY (string_to_array($3, ',')::uuid[]) "
          "AND ($4::text IS NULL OR merchant_id = $4) ORDER BY sequence LIMIT $5");

/* ---- Serving ------------------------------------------------------------------------------ */

/* What a reader wants. */
struct feed_wish {
    struct event_range range;
    char subjects[QUERY_TEXT_MAX]; /* ids with commas between; "" for all */
};

/* True if the text is ids with commas between, FEED_SUBJECTS_MAX at most. */
static bool are_ids(const char *text)
{
    size_t count = 1;

    for (;; count++) {
        const char *end = strchrnul(text, ',');
        struct id_text one = { "" };
        struct id id;

        if (!text_copy_span(one.text, sizeof(one.text),
                            (struct span){ text, (size_t)(end - text) }) ||
            !id_parse(one.text, &id))
            return false;
        if (*end == '\0')
            return count <= FEED_SUBJECTS_MAX;
        text = end + 1;
    }
}

static bool read_wish(const struct request *req, struct feed_wish *wish, struct error *err)
{
    struct event_range *out = &wish->range;
    struct query query;

    *out = (struct event_range){ req->caller.access.stream, 0, EVENT_LOG_PAGE_MAX };
    wish->subjects[0] = '\0';
    query_begin(&query, req->query, err);
    query_read_integer(&query, "stream", 0, INT16_MAX, &out->stream);
    query_read_integer(&query, "after", 0, INT64_MAX, &out->after);
    query_read_integer(&query, "limit", 1, EVENT_LOG_PAGE_MAX, &out->limit);
    if (query_read_text(&query, "subjects", 1, QUERY_TEXT_MAX - 1, wish->subjects,
                        sizeof(wish->subjects)) &&
        !are_ids(wish->subjects))
        query_refuse(&query, "subjects", "id_invalid", "must be ids with commas between");
    if (!access_is_everyone(&req->caller.access) && out->stream != req->caller.access.stream)
        query_refuse(&query, "stream", "not_allowed", "is not the stream of this key's merchant");
    query_end(&query);
    return query_ok(&query);
}

/* How far the log is looked at, beyond what is shown. */
static int64_t scan_end(const struct access *access, const struct feed_wish *wish, int64_t head)
{
    int64_t after = wish->range.after;

    if (wish->subjects[0] != '\0')
        return head;
    if (access_is_everyone(access))
        return after;
    return head - after > FEED_SCAN_MAX ? after + FEED_SCAN_MAX : head;
}

static bool read_events_of(const struct feed *feed, const struct request *req,
                           const struct feed_wish *wish, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    bool everyone = access_is_everyone(&req->caller.access);

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, wish->range.stream);
    parameters_add_integer(&parameters, wish->range.after);
    parameters_add_text(&parameters, wish->subjects);
    parameters_add_text_or_null(&parameters, everyone ? "" : req->caller.access.merchant);
    parameters_add_integer(&parameters, wish->range.limit);
    return db_query(feed->pool, &feed_of_subjects, &parameters, req->caller.deadline, out, err);
}

static bool read_events(const struct feed *feed, const struct request *req,
                        const struct feed_wish *wish, int64_t until, struct rows *out,
                        struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    const struct event_range *range = &wish->range;
    struct connection *connection = NULL;

    parameters_begin(&parameters);
    if (wish->subjects[0] != '\0')
        return read_events_of(feed, req, wish, out, err);
    if (access_is_everyone(&req->caller.access)) {
        if (!pool_acquire(feed->pool, req->caller.deadline, &connection, err))
            return false;
        bool done = event_log_read(connection, range, req->caller.deadline, out, err);
        pool_release(feed->pool, connection);
        return done;
    }
    parameters_add_integer(&parameters, range->stream);
    parameters_add_integer(&parameters, range->after);
    parameters_add_integer(&parameters, until);
    parameters_add_text(&parameters, req->caller.access.merchant);
    parameters_add_integer(&parameters, range->limit);
    return db_query(feed->pool, &feed_of_merchant, &parameters, req->caller.deadline, out, err);
}

/* Everything up to the last event shown was seen, or, on a page that is not full, all of the scan.
 */
static void write_page(const struct feed *feed, const struct event_range *range,
                       const struct rows *rows, const struct event_extent *extent, int64_t seen,
                       struct buffer *out)
{
    struct event event = { .sequence = range->after };
    size_t shown = 0;

    buffer_append(out, "{\"data\":[");
    for (; shown < rows->count && out->length < FEED_PAGE_BYTES; shown++) {
        event_log_row(rows, shown, &event);
        buffer_append(out, shown > 0 ? "," : "");
        event_write(&event, feed->service, out);
    }
    if ((int64_t)rows->count == range->limit || shown < rows->count || seen < event.sequence)
        seen = event.sequence;
    buffer_append_format(out, "],\"head\":%lld,\"announced\":%lld,\"next_after\":%lld}",
                         (long long)extent->head, (long long)extent->announced, (long long)seen);
}

/* GET /v1/events: the head is read first, so that a page never ends beyond it unseen. */
static bool get_events(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    const struct feed *feed = ctx;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct feed_wish wish;
    struct event_extent extent;

    if (!read_wish(req, &wish, err) ||
        !event_log_extent(feed->pool, (int)wish.range.stream, req->caller.deadline, &extent, err))
        return false;
    int64_t until = scan_end(&req->caller.access, &wish, extent.head);
    if (!read_events(feed, req, &wish, until, &rows, err))
        return false;
    write_page(feed, &wish.range, &rows, &extent, until, &reply->body);
    return reply_json(reply, HTTP_OK);
}

void feed_add_routes(struct feed *feed, struct router *router)
{
    static const struct route routes[] = {
        { HTTP_GET, "/v1/events", SCOPE_EVENTS_READ, 0, get_events },
    };

    router_add(router, routes, COUNT_OF(routes), feed);
}

/* ---- Pulling ------------------------------------------------------------------------------ */

static bool ask(struct client *client, const struct feed_source *source, const char *path,
                struct deadline deadline, struct buffer *answer, struct error *err)
{
    struct client_request request = {
        .method = "GET",
        .origins = source->origins,
        .path = path,
        .authorization = source->authorization,
        .answer_max = FEED_ANSWER_MAX,
        .deadline = deadline,
    };
    int status = 0;

    if (!client_send(client, &request, &status, answer, err))
        return false;
    if (status != HTTP_OK)
        return error_set(err, ERROR_UNAVAILABLE, "feed_unavailable", "%s answered %d to %s",
                         source->service, status, path);
    return true;
}

/* The log has no holes: what is no event is still known by its place. */
static bool read_item(struct span text, const char *service, struct feed_item *out,
                      struct error *err)
{
    buffer_append_span(&out->text, text);
    out->valid = event_read(text, service, &out->data, &out->event, err);
    if (out->valid)
        return true;
    if (err->kind != ERROR_VALIDATION) /* garbled on its way, or no memory to read it */
        return false;
    text_format(out->detail, sizeof(out->detail), "%s %s",
                err->field_count > 0 ? err->fields[0].pointer : err->code,
                err->field_count > 0 ? err->fields[0].detail : err->detail);
    return true;
}

/* A page that is not the log's next piece (of another stream, or with holes) says nothing. */
static bool continues(const struct feed_page *page, const char *service,
                      const struct event_range *range, struct error *err)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct feed_item *item = &page->items[i];

        if (item->valid &&
            (item->event.sequence != item->sequence || item->event.stream != range->stream))
            return error_set(err, ERROR_UNAVAILABLE, "feed_unusable",
                             "%s told event %lld of stream %d where %lld of stream %lld belongs",
                             service, (long long)item->event.sequence, item->event.stream,
                             (long long)item->sequence, (long long)range->stream);
    }
    return true;
}

/* Each event is read by itself, so that only those who act on one read its data. */
static bool read_items(struct span data, const char *service, const struct event_range *range,
                       struct feed_page *page, struct error *err)
{
    struct span text;

    page->items = memory_allocate_zeroed((size_t)range->limit + 1, sizeof(*page->items));
    for (size_t at = 0; json_next_element(data, &at, &text);) {
        if ((int64_t)page->count == range->limit)
            return error_set(err, ERROR_UNAVAILABLE, "feed_unusable", "%s told more than %lld",
                             service, (long long)range->limit);
        struct feed_item *item = &page->items[page->count++];
        item->sequence = range->after + (int64_t)page->count;
        if (!read_item(text, service, item, err))
            return false;
    }
    return continues(page, service, range, err);
}

/* What stands around the events, whose array was emptied. */
static bool read_frame(struct span text, struct event_extent *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;
    struct json_value *data = NULL;
    size_t count = 0;

    if (!json_document_parse(text, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_integer(&reader, "head", JSON_REQUIRED, 0, INT64_MAX, &out->head);
    out->announced = out->head; /* a producer of before does not tell */
    json_read_integer(&reader, "announced", JSON_OPTIONAL, 0, INT64_MAX, &out->announced);
    json_read_array(&reader, "data", JSON_REQUIRED, 0, 0, &data, &count);
    return json_reader_ok(&reader);
}

static bool read_page(struct span answer, const char *service, const struct event_range *range,
                      struct feed_page *out, struct error *err)
{
    static const char *const names[] = { "data", NULL };
    AUTO(buffer_release) struct buffer frame = BUFFER_EMPTY;
    AUTO(feed_page_release) struct feed_page page = { .items = NULL };
    struct span data = { NULL, 0 };

    if (!json_cut(answer, names, &data, &frame) || data.length == 0)
        return error_set(err, ERROR_UNAVAILABLE, "feed_unusable", "%s told no page of events",
                         service);
    if (!read_frame(buffer_span(&frame), &page.extent, err) ||
        !read_items(data, service, range, &page, err))
        return false;
    *out = page;
    page = (struct feed_page){ .items = NULL };
    return true;
}

bool feed_fetch(struct client *client, const struct feed_source *source,
                const struct event_range *range, struct deadline deadline, struct feed_page *out,
                struct error *err)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer path = BUFFER_EMPTY;

    buffer_append_format(&path, "/v1/events?stream=%lld&after=%lld&limit=%lld",
                         (long long)range->stream, (long long)range->after,
                         (long long)range->limit);
    return ask(client, source, path.at, deadline, &answer, err) &&
           read_page(buffer_span(&answer), source->service, range, out, err);
}

void feed_page_release(struct feed_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        buffer_release(&page->items[i].data);
        buffer_release(&page->items[i].text);
    }
    free(page->items);
    *page = (struct feed_page){ .count = 0 };
}
