#include "order-service/order_service.h"

#include "order-service/order_events.h"
#include "shared/http/page.h"
#include "shared/http/reply.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/metrics.h"

static void count_event(const struct event *event)
{
    char labels[EVENT_TYPE_SIZE + 16];

    text_format(labels, sizeof(labels), "type=\"%s\"", event->type);
    metric_add(metric_counter("checkout_order_events_total", "Changes of orders", labels), 1);
}

static void count_created(const struct order *order)
{
    char labels[32];

    text_format(labels, sizeof(labels), "currency=\"%s\"", order->currency.code);
    metric_add(metric_counter("checkout_order_amount_total",
                              "Totals of created orders in minor units", labels),
               order->total_amount);
}

/* Commits a write; `done` is false when it was refused. */
static bool commit(const struct order_service *service, struct write *write,
                   struct deadline deadline, bool *done, struct error *err)
{
    if (!journal_commit(backbone_journal(service->backbone), write, deadline, err))
        return false;
    *done = write->outcome == WRITE_DONE;
    for (size_t i = 0; *done && i < write->event_count; i++)
        count_event(write->events[i]);
    return true;
}

/* Answers with the order as it is. */
static void answer_as_is(struct answer *out, const struct order *order)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };

    order_write(&json, order);
    answer_make(out, HTTP_OK, order->id, order->version, &body);
}

/* Answers as this request was answered before, if it was. */
static bool replay(const struct order_service *service, const struct order_command *command,
                   struct answer *out, struct error *err)
{
    return answers_find(backbone_pool(service->backbone), command->caller, command->idempotency,
                        out, err);
}

/* --- creating --------------------------------------------------------------------------------- */

/* An order belongs to a merchant, so only a merchant's key may write one. */
static bool require_merchant(const struct access *access, struct error *err)
{
    return access_require_merchant(access, "Orders are written", err);
}

/* Completes the order and announces it; returns the last announcement, which is the answer. */
static struct announcement *begin_order(struct order *order, const struct order_service *service,
                                        const struct caller *caller, struct instant now,
                                        struct announcement announcements[2])
{
    order_begin(order, order->id, now, service->expiry_ms);
    order_announce(&announcements[0], order, order_status_event(order->status), &caller->trace);
    if (!order_is_settled(order))
        return &announcements[0];

    struct error impossible;
    bool moved = false;
    bool allowed = order_move(order, ORDER_PAID, now, &moved, &impossible);
    assert(allowed && moved);
    order_announce(&announcements[1], order, order_status_event(order->status), &caller->trace);
    return &announcements[1];
}

static void release_pair(struct announcement (*pair)[2])
{
    announcement_release(&(*pair)[0]);
    announcement_release(&(*pair)[1]);
}

/* The key was taken a moment ago, and its answer is gone already: it was just purged. */
static bool refuse_lost_answer(struct error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "answer_gone",
                     "The answer kept under this Idempotency-Key has just expired. Try again.");
}

static bool refuse_late_order(struct error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "reservation_over",
                     "The voucher was not reserved for long enough to make the order. Try again.");
}

/* An order on its way into the store. */
struct making {
    const struct order_service *service;
    const struct order_command *command;
    struct order_draft *draft;
    struct instant now;
    /* By the database's clock: when the voucher's reservation must not be relied on any more. */
    struct instant held_until;
};

static bool take_voucher(struct making *making, struct error *err)
{
    const struct order_vouchers *vouchers = &making->service->vouchers;
    const struct caller *caller = making->command->caller;
    struct order *order = &making->draft->order;
    struct order_voucher voucher;

    order_voucher_holder(order, making->command->idempotency->key, voucher.holder);
    CRASH_POINT("order:before_reserve");
    if (!order_store_hold(backbone_pool(making->service->backbone),
                          vouchers->hold_s / ORDER_VOUCHER_TIME_PARTS, caller->deadline,
                          &making->held_until, err) ||
        !order_voucher_reserve(vouchers, caller, making->draft->voucher_code, order, &voucher, err))
        return false;
    CRASH_POINT("order:after_reserve");
    order_deduct(order, &voucher);
    return true;
}

/*
 * Reserves the draft's voucher and deducts it, for a request that may have been answered before:
 * then its voucher is redeemed, by its own order. The answer is looked for first, so that a repeat
 * reserves nothing, and again when the voucher is refused, because a repeat at the same moment may
 * have been faster.
 */
static bool take_voucher_once(struct making *making, struct answer *out, struct error *err)
{
    struct error trouble;

    if (!replay(making->service, making->command, out, err))
        return false;
    if (out->status != 0 || take_voucher(making, err))
        return true;
    return replay(making->service, making->command, out, &trouble) && out->status != 0;
}

/* Commits the order; a write that is refused was answered before, or comes too late. */
static bool insert_order(const struct making *making, struct answer *out, struct error *err)
{
    const struct order_command *command = making->command;
    struct order *order = &making->draft->order;
    AUTO(release_pair) struct announcement pair[2] = { ANNOUNCEMENT_EMPTY, ANNOUNCEMENT_EMPTY };
    struct announcement *last =
        begin_order(order, making->service, command->caller, making->now, pair);
    AUTO(write_release) struct write write;
    bool done;

    order_insert(&write, order, making->held_until, command->idempotency);
    for (struct announcement *each = pair; each <= last; each++)
        write_announce(&write, &each->event);
    if (!commit(making->service, &write, command->caller->deadline, &done, err))
        return false;
    if (done) {
        count_created(order);
        answer_make(out, HTTP_CREATED, order->id, order->version, &last->data);
        return true;
    }
    if (!replay(making->service, command, out, err))
        return false;
    return out->status != 0 ||
           (order->voucher.used ? refuse_late_order(err) : refuse_lost_answer(err));
}

bool order_service_create(const struct order_service *service, const struct order_command *command,
                          struct order_draft *draft, struct answer *out, struct error *err)
{
    const struct access *access = &command->caller->access;
    struct order *order = &draft->order;
    bool has_code = draft->voucher_code[0] != '\0';
    struct making making = {
        .service = service, .command = command, .draft = draft, .now = clock_now()
    };

    if (!require_merchant(access, err) ||
        (has_code && !access_require(access, SCOPE_VOUCHERS_WRITE, err)))
        return false;
    order->id = id_create(making.now);
    order->stream = access->stream;
    text_copy(order->merchant, sizeof(order->merchant), access->merchant);
    if (has_code && !take_voucher_once(&making, out, err))
        return false;
    return out->status != 0 || insert_order(&making, out, err);
}

/* --- changing --------------------------------------------------------------------------------- */

/* An order on its way through a change: as it will be, and what tells so. */
struct attempt {
    struct order_record record;
    struct buffer metadata; /* if it was edited */
    const char *event;      /* NULL: it is as it was wanted already */
};

static void attempt_release(struct attempt *attempt)
{
    order_record_release(&attempt->record);
    buffer_release(&attempt->metadata);
}

static bool may_change(const struct access *access, const struct order_change *change,
                       struct error *err)
{
    bool fulfils = change->has_status && change->status != ORDER_CANCELED;
    bool writes = change->metadata || (change->has_status && change->status == ORDER_CANCELED);

    return require_merchant(access, err) &&
           (!fulfils || access_require(access, SCOPE_ORDERS_FULFIL, err)) &&
           (!writes || access_require(access, SCOPE_ORDERS_WRITE, err));
}

/* Changes the order in memory as far as the rules allow. */
static bool decide(struct attempt *attempt, const struct order_command *command,
                   const struct order_change *change, struct error *err)
{
    struct order *order = &attempt->record.order;
    struct instant now = clock_now();
    bool moved = false, edited = false;

    if (!request_if_match(command->if_match, order->version, err) ||
        (change->has_status && !order_move(order, change->status, now, &moved, err)) ||
        (change->metadata && !order_metadata_merge(order->metadata, change->metadata,
                                                   &attempt->metadata, &edited, err)))
        return false;
    if (edited)
        order->metadata = buffer_span(&attempt->metadata);
    if (edited && !moved)
        order_touch(order, now);
    if (moved)
        attempt->event = order_status_event(order->status);
    else if (edited)
        attempt->event = ORDER_UPDATED;
    return true;
}

/* Nothing to change: the answer is the order as it is, kept if there is a key to keep it under. */
static bool keep_unchanged(const struct order_service *service, const struct order_command *command,
                           const struct order *order, struct answer *out, struct error *err)
{
    bool done = true;

    if (command->idempotency->key[0] != '\0') {
        const struct answer answer = { .status = HTTP_OK,
                                       .subject = order->id,
                                       .subject_version = order->version };
        AUTO(write_release) struct write write;

        answers_keep(&write, command->caller, command->idempotency, &answer);
        if (!commit(service, &write, command->caller->deadline, &done, err))
            return false;
    }
    if (done)
        answer_as_is(out, order);
    return true;
}

/* Writes what was decided; no answer when somebody was faster, or the key was used before. */
static bool write_change(const struct order_service *service, const struct order_command *command,
                         const struct attempt *attempt, struct answer *out, struct error *err)
{
    const struct order *order = &attempt->record.order;
    bool done;

    if (!attempt->event)
        return keep_unchanged(service, command, order, out, err);

    AUTO(announcement_release) struct announcement announcement = ANNOUNCEMENT_EMPTY;
    AUTO(write_release) struct write write;

    order_announce(&announcement, order, attempt->event, &command->caller->trace);
    order_update(&write, order, command->idempotency);
    write_announce(&write, &announcement.event);
    if (!commit(service, &write, command->caller->deadline, &done, err))
        return false;
    if (done)
        answer_make(out, HTTP_OK, order->id, order->version, &announcement.data);
    return true;
}

bool order_service_change(const struct order_service *service, const struct order_command *command,
                          const struct order_change *change, struct answer *out, struct error *err)
{
    if (!may_change(&command->caller->access, change, err))
        return false;

    for (int i = 0; i < ORDER_ATTEMPTS_MAX; i++) {
        AUTO(attempt_release)
        struct attempt attempt = { .record = ORDER_RECORD_EMPTY, .metadata = BUFFER_EMPTY };

        if (!order_store_read(backbone_pool(service->backbone), command->caller, command->id,
                              &attempt.record, err))
            return false;
        bool allowed = decide(&attempt, command, change, err);
        if (allowed && !write_change(service, command, &attempt, out, err))
            return false;
        /* refused, by the rules or by the write: what was answered before comes first */
        if (out->status == 0 && !replay(service, command, out, err))
            return false;
        if (out->status != 0 || !allowed)
            return out->status != 0;
    }
    return error_set_restless(err, "order");
}

/* --- looking ---------------------------------------------------------------------------------- */

bool order_service_read(const struct order_service *service, const struct caller *caller,
                        struct id id, struct answer *out, struct error *err)
{
    AUTO(order_record_release) struct order_record record = ORDER_RECORD_EMPTY;

    if (!order_store_read(backbone_pool(service->backbone), caller, id, &record, err))
        return false;
    answer_as_is(out, &record.order);
    return true;
}

bool order_service_list(const struct order_service *service, const struct caller *caller,
                        const struct order_filter *filter, struct buffer *body, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct order_filter one_more = *filter;
    struct json_writer json = { .out = body };
    struct order order = { .id = filter->window.before };

    one_more.window.limit++;
    if (!order_store_list(backbone_pool(service->backbone), caller, &one_more, &rows, err))
        return false;
    page_open(body);
    for (size_t i = 0; i < rows.count && i < (size_t)filter->window.limit; i++) {
        order_from_row(&rows, i, &order);
        order_write(&json, &order);
    }
    page_close(body, rows.count > (size_t)filter->window.limit, order.id);
    return true;
}

/* --- expiring --------------------------------------------------------------------------------- */

/* Who was faster - a payment, a cancellation, another instance - has decided: no error. */
static bool expire(const struct order_service *service, struct order *order,
                   struct deadline deadline, struct error *err)
{
    AUTO(announcement_release) struct announcement announcement = ANNOUNCEMENT_EMPTY;
    struct trace trace = trace_create();
    bool moved, done;

    if (!order_move(order, ORDER_EXPIRED, clock_now(), &moved, err))
        return false;
    order_announce(&announcement, order, order_status_event(order->status), &trace);

    AUTO(write_release) struct write write;
    order_update(&write, order, NULL);
    write_announce(&write, &announcement.event);
    CRASH_POINT("order:before_expiry");
    return commit(service, &write, deadline, &done, err);
}

bool order_service_expire(const struct order_service *service, struct deadline deadline, bool *more,
                          struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    if (!order_store_due(backbone_pool(service->backbone), clock_now(), deadline, &rows, err))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct order order;

        order_from_row(&rows, i, &order);
        if (!expire(service, &order, deadline, err))
            return false;
    }
    *more = rows.count >= ORDER_DUE_MAX;
    return true;
}
