#include "order-service/order_timeline.h"

#include "order-service/order_service.h"
#include "shared/runtime/log.h"

/* What comes first of all that happened in the same millisecond. */
enum rank {
    RANK_BEGUN,   /* a payment or refund */
    RANK_ATTEMPT, /* at a bank, for it */
    RANK_PAYMENT, /* what became of it */
    RANK_ORDER,   /* what the order made of that */
    RANK_VOUCHER, /* what vouchers made of the order */
};

/* An event, or an attempt, which has no sequence and no version: they are 0. */
struct happening {
    enum rank rank;
    const char *service, *type, *trace_id;
    struct instant time;
    int64_t sequence, version;
    struct span data;
};

struct entry {
    struct instant time;
    enum rank rank;
    int64_t sequence; /* of equal rank are those of one log only */
    size_t index;     /* as they were told */
    size_t start, length;
};

/* The list that is being made; its entries' JSON stands in `text`. */
struct timeline {
    struct buffer text;
    size_t count;
    struct entry entries[ORDER_TIMELINE_ENTRIES_MAX];
};

static struct timeline *timeline_create(void)
{
    return memory_allocate_zeroed(1, sizeof(struct timeline));
}

static void timeline_destroy(struct timeline **timeline)
{
    buffer_release(&(*timeline)->text);
    free(*timeline);
}

/* --- entries ---------------------------------------------------------------------------------- */

static void write_number_or_null(struct json_writer *json, const char *name, int64_t number)
{
    json_name(json, name);
    if (number > 0)
        json_number(json, number);
    else
        json_null_value(json);
}

static void write_happening(struct json_writer *json, const struct happening *what)
{
    char source[EVENT_SOURCE_SIZE];

    text_format(source, sizeof(source), "/%s", what->service);
    json_begin_object(json);
    json_member_instant(json, "time", what->time);
    json_member_text(json, "type", what->type);
    json_member_text(json, "source", source);
    write_number_or_null(json, "sequence", what->sequence);
    write_number_or_null(json, "version", what->version);
    json_member_text_or_null(json, "trace_id", what->trace_id);
    json_member_raw(json, "data", what->data);
    json_end_object(json);
}

/* False when the list is full. */
static bool add(struct timeline *timeline, const struct happening *what)
{
    struct json_writer json = { .out = &timeline->text };
    size_t start = timeline->text.length;

    if (timeline->count == ORDER_TIMELINE_ENTRIES_MAX)
        return false;
    write_happening(&json, what);
    timeline->entries[timeline->count] = (struct entry){ .time = what->time,
                                                         .rank = what->rank,
                                                         .sequence = what->sequence,
                                                         .index = timeline->count,
                                                         .start = start,
                                                         .length = timeline->text.length - start };
    timeline->count++;
    return true;
}

static bool add_event(struct timeline *timeline, const char *service, enum rank rank,
                      const struct event *event)
{
    struct trace trace;
    bool traced = trace_parse(span_of(event->traceparent), &trace);

    return add(timeline, &(struct happening){ .rank = rank,
                                              .service = service,
                                              .type = event->type,
                                              .trace_id = traced ? trace.trace_id : NULL,
                                              .time = event->time,
                                              .sequence = event->sequence,
                                              .version = event->subject_version,
                                              .data = event->data });
}

/* --- asking others ---------------------------------------------------------------------------- */

/* One service being asked about an order. */
struct inquiry {
    struct timeline *timeline;
    const struct order *order;
    const struct caller *caller;
    const struct order_peer *peer;
    struct deadline deadline;
    bool cut;         /* it has more to tell than was told */
    bool voucher_use; /* what was told last of the order's voucher was its use by this order */
};

/* Payments, refunds or vouchers; one more for the voucher that the order uses. */
struct subjects {
    size_t count;
    struct id ids[ORDER_TIMELINE_SUBJECTS_MAX + 1];
};

_Static_assert(ORDER_TIMELINE_SUBJECTS_MAX + 1 <= FEED_SUBJECTS_MAX, "they go in one question");

/* An answer {"data": [...], "next_cursor"?}. */
struct answered {
    struct json_document document;
    struct json_reader reader; /* at the root */
    struct json_value *data;
    size_t count;
};

static void answered_release(struct answered *answered)
{
    json_document_release(&answered->document);
}

/* At most `max` elements; if there are more, they are left out and it is noted. */
static bool ask(struct inquiry *inquiry, const struct buffer *path, size_t max,
                struct answered *out, struct error *err)
{
    const struct order_question question = { inquiry->caller, inquiry->deadline, path->at };
    char cursor[512] = "";

    if (!order_peer_get(inquiry->peer, &question, &out->document, err))
        return false;
    json_reader_begin(&out->reader, &out->document, err);
    json_read_array(&out->reader, "data", JSON_REQUIRED, 0, SIZE_MAX, &out->data, &out->count);
    json_read_text(&out->reader, "next_cursor", JSON_OPTIONAL, 0, sizeof(cursor) / 4 - 1, cursor,
                   sizeof(cursor));
    inquiry->cut = inquiry->cut || cursor[0] != '\0' || out->count > max;
    if (out->count > max)
        out->count = max;
    return json_reader_ok(&out->reader);
}

/* The ids of the order's "payments", "refunds" or "vouchers", the newest ones. */
static bool list(struct inquiry *inquiry, const char *kind, struct subjects *out, struct error *err)
{
    AUTO(buffer_release) struct buffer path = BUFFER_EMPTY;
    AUTO(answered_release) struct answered answered = { .count = 0 };

    buffer_append_format(&path, "/v1/%s?order_id=%s&limit=%d", kind,
                         id_text(inquiry->order->id).text, ORDER_TIMELINE_SUBJECTS_MAX);
    if (!ask(inquiry, &path, ORDER_TIMELINE_SUBJECTS_MAX, &answered, err))
        return false;
    for (out->count = 0; out->count < answered.count; out->count++) {
        struct json_reader element;

        if (!json_read_element(&answered.reader, "data", answered.data, out->count, &element) ||
            !json_read_id(&element, "id", JSON_REQUIRED, &out->ids[out->count]))
            return false;
    }
    return true;
}

/* --- payments --------------------------------------------------------------------------------- */

static bool tell_attempt(struct inquiry *inquiry, struct json_reader *attempt,
                         const struct json_value *value)
{
    AUTO(buffer_release) struct buffer data = BUFFER_EMPTY;
    char trace_id[4 * 64 + 1] = "";
    struct instant time;

    json_read_text(attempt, "trace_id", JSON_OPTIONAL, 0, 64, trace_id, sizeof(trace_id));
    if (!json_read_instant(attempt, "created_at", JSON_REQUIRED, &time))
        return false;
    json_value_write(value, &data);
    if (!add(inquiry->timeline, &(struct happening){ .rank = RANK_ATTEMPT,
                                                     .service = inquiry->peer->service,
                                                     .type = "payment.attempt",
                                                     .trace_id = trace_id,
                                                     .time = time,
                                                     .data = buffer_span(&data) }))
        inquiry->cut = true;
    return true;
}

static bool tell_attempts(struct inquiry *inquiry, struct id payment, struct error *err)
{
    AUTO(buffer_release) struct buffer path = BUFFER_EMPTY;
    AUTO(answered_release) struct answered answered = { .count = 0 };

    buffer_append_format(&path, "/v1/payments/%s/attempts", id_text(payment).text);
    if (!ask(inquiry, &path, ORDER_TIMELINE_EVENTS_MAX, &answered, err))
        return false;
    for (size_t i = 0; i < answered.count; i++) {
        struct json_reader attempt;

        if (!json_read_element(&answered.reader, "data", answered.data, i, &attempt) ||
            !tell_attempt(inquiry, &attempt, json_array_at(answered.data, i)))
            return false;
    }
    return true;
}

/* --- vouchers --------------------------------------------------------------------------------- */

/* What an order needs to know of a voucher, to tell whether something concerns it. */
struct voucher_view {
    struct id earned_by, used_by;
    char holder[4 * 200 + 1];
};

static bool view_voucher(struct span data, struct voucher_view *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader, part;

    *out = (struct voucher_view){ .holder = "" };
    if (!json_document_parse(data, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_id(&reader, "order_id", JSON_REQUIRED, &out->earned_by);
    if (json_read_object(&reader, "reservation", JSON_OPTIONAL, &part))
        json_read_text(&part, "holder", JSON_REQUIRED, 1, 200, out->holder, sizeof(out->holder));
    if (json_read_object(&reader, "redemption", JSON_OPTIONAL, &part))
        json_read_id(&part, "order_id", JSON_OPTIONAL, &out->used_by);
    return json_reader_ok(&reader);
}

/*
 * A voucher that the order has earned concerns it for ever. Of the one that it uses only that
 * matters: that it was reserved for the order and redeemed by it, and how that ended.
 */
static bool concerns(struct inquiry *inquiry, const struct event *event)
{
    const struct order *order = inquiry->order;
    struct voucher_view view;
    struct error err;

    if (strncmp(event->type, "voucher.", strlen("voucher.")) != 0)
        return true;
    if (!view_voucher(event->data, &view, &err)) {
        inquiry->cut = true;
        return false;
    }
    if (id_equal(view.earned_by, order->id))
        return true;
    bool ends = inquiry->voucher_use;
    inquiry->voucher_use =
        id_equal(view.used_by, order->id) || strcmp(view.holder, order->voucher.holder) == 0;
    return ends || inquiry->voucher_use;
}

/* --- events ----------------------------------------------------------------------------------- */

static enum rank rank_of(const struct event *event)
{
    if (strncmp(event->type, "voucher.", strlen("voucher.")) == 0)
        return RANK_VOUCHER;
    return event->subject_version == 1 ? RANK_BEGUN : RANK_PAYMENT;
}

static bool tell_event(struct inquiry *inquiry, struct json_value *value, struct error *err)
{
    AUTO(buffer_release) struct buffer storage = BUFFER_EMPTY;
    const char *service = inquiry->peer->service;
    struct event event;

    if (!event_read_value(value, service, &storage, &event, err))
        return false;
    if (concerns(inquiry, &event) &&
        !add_event(inquiry->timeline, service, rank_of(&event), &event))
        inquiry->cut = true;
    return true;
}

static bool tell_events(struct inquiry *inquiry, const struct subjects *subjects, struct error *err)
{
    AUTO(buffer_release) struct buffer path = BUFFER_EMPTY;
    AUTO(answered_release) struct answered answered = { .count = 0 };

    if (subjects->count == 0)
        return true;
    buffer_append_format(&path, "/v1/events?stream=%d&limit=%d&subjects=", inquiry->order->stream,
                         ORDER_TIMELINE_EVENTS_MAX + 1);
    for (size_t i = 0; i < subjects->count; i++)
        buffer_append_format(&path, "%s%s", i > 0 ? "," : "", id_text(subjects->ids[i]).text);
    if (!ask(inquiry, &path, ORDER_TIMELINE_EVENTS_MAX, &answered, err))
        return false;
    for (size_t i = 0; i < answered.count; i++)
        if (!tell_event(inquiry, json_array_at(answered.data, i), err))
            return false;
    return true;
}

/* --- all of it -------------------------------------------------------------------------------- */

typedef bool teller(struct inquiry *inquiry, struct error *err);

static bool tell_payments(struct inquiry *inquiry, struct error *err)
{
    struct subjects payments, refunds;

    if (!list(inquiry, "payments", &payments, err) || !list(inquiry, "refunds", &refunds, err))
        return false;
    for (size_t i = 0; i < payments.count; i++)
        if (!tell_attempts(inquiry, payments.ids[i], err))
            return false;
    return tell_events(inquiry, &payments, err) && tell_events(inquiry, &refunds, err);
}

static bool tell_vouchers(struct inquiry *inquiry, struct error *err)
{
    struct subjects vouchers;

    if (!list(inquiry, "vouchers", &vouchers, err))
        return false;
    if (inquiry->order->voucher.used)
        vouchers.ids[vouchers.count++] = inquiry->order->voucher.id;
    return tell_events(inquiry, &vouchers, err);
}

/* A part of the time that is left: the answer has to be sent in it as well. */
static struct deadline time_of_peer(const struct caller *caller)
{
    int64_t share_ms = deadline_left_ms(caller->deadline) / 3;

    return deadline_in_ms(share_ms < ORDER_TIMELINE_PEER_MS ? share_ms : ORDER_TIMELINE_PEER_MS);
}

/* False when not all was told. */
static bool inquire(struct inquiry *inquiry, const struct order_peer *peer, teller *tell)
{
    struct error err;

    inquiry->peer = peer;
    inquiry->deadline = time_of_peer(inquiry->caller);
    inquiry->cut = false;
    if (tell(inquiry, &err))
        return !inquiry->cut;
    log_swallowed(LOG_LEVEL_INFO, "a timeline is incomplete", &err);
    return false;
}

/* False when there are more than are shown. */
static bool tell_own(struct timeline *timeline, const struct rows *rows)
{
    for (size_t i = 0; i < rows->count && i < ORDER_EVENTS_MAX; i++) {
        struct event event;

        event_log_row(rows, i, &event);
        if (!add_event(timeline, "order-service", RANK_ORDER, &event))
            return false;
    }
    return rows->count <= ORDER_EVENTS_MAX;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    if (left->time.ms != right->time.ms)
        return left->time.ms < right->time.ms ? -1 : 1;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    if (left->sequence != right->sequence)
        return left->sequence < right->sequence ? -1 : 1;
    return left->index < right->index ? -1 : 1;
}

/* `incomplete` names services; NULL ends. */
static void write_timeline(struct timeline *timeline, struct id id, const char *const *incomplete,
                           struct buffer *body)
{
    struct json_writer json = { .out = body };

    qsort(timeline->entries, timeline->count, sizeof(timeline->entries[0]), compare_entries);
    json_begin_object(&json);
    json_member_id(&json, "order_id", id);
    json_name(&json, "entries");
    json_begin_array(&json);
    for (size_t i = 0; i < timeline->count; i++) {
        const struct entry *entry = &timeline->entries[i];

        json_raw(&json, (struct span){ timeline->text.at + entry->start, entry->length });
    }
    json_end_array(&json);
    json_name(&json, "incomplete");
    json_begin_array(&json);
    for (; *incomplete != NULL; incomplete++)
        json_text(&json, *incomplete);
    json_end_array(&json);
    json_end_object(&json);
}

bool order_timeline_write(const struct order_service *service, const struct caller *caller,
                          struct id id, struct buffer *body, struct error *err)
{
    AUTO(order_record_release) struct order_record record = ORDER_RECORD_EMPTY;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    AUTO(timeline_destroy) struct timeline *timeline = timeline_create();
    struct inquiry inquiry = { .timeline = timeline, .order = &record.order, .caller = caller };
    struct pool *pool = backbone_pool(service->backbone);
    const char *incomplete[4] = { NULL };
    size_t count = 0;

    if (!order_store_read(pool, caller, id, &record, err) ||
        !order_store_events(pool, caller, id, &rows, err))
        return false;
    if (!tell_own(timeline, &rows))
        incomplete[count++] = "order-service";
    if (!inquire(&inquiry, &service->payment_peer, tell_payments))
        incomplete[count++] = service->payment_peer.service;
    if (!inquire(&inquiry, &service->voucher_peer, tell_vouchers))
        incomplete[count++] = service->voucher_peer.service;
    write_timeline(timeline, id, incomplete, body);
    return true;
}
