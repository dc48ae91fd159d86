#include "order-service/order_paying.h"

#include "order-service/order_events.h"
#include "order-service/order_payment_json.h"
#include "order-service/order_payment_store.h"
#include "order-service/order_store.h"

const char *const order_paying_filters[] = {
    "checkout/v1/+/payment/#",
    "checkout/v1/+/refund/#",
    NULL,
};

/* A shop waits for its order to be paid. */
const struct consumed_type order_paying_types[] = {
    { "payment.processing", false },
    { "payment.requires_action", false },
    { "payment.authorized", false },
    { "payment.succeeded", false },
    { "payment.failed", false },
    { "payment.canceled", false },
    { "payment.expired", false },
    { "payment.orphaned", false },
    { "payment.updated", false },
    { "refund.created", false },
    { "refund.succeeded", false },
    { "refund.failed", false },
    { NULL, false },
};

/* The payment that the event is about; one that contradicts its envelope is refused. */
static bool read_payment(const struct event *event, struct order_payment *out, struct error *err)
{
    if (!order_payment_read(event->data, out, err))
        return false;
    if (id_equal(out->id, event->subject) && strcmp(out->merchant, event->merchant) == 0 &&
        out->version == event->subject_version)
        return true;
    return error_set(err, ERROR_VALIDATION, "payment_contradicts_event",
                     "the data is not the payment, the version, or not of the merchant, that the "
                     "event names");
}

/* The order as it is, which nobody else changes until the transaction ends. */
static bool lock_order(struct effects *effects, int stream, struct id id, struct order_record *out,
                       struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    const struct statement *statement = order_store_lock(&parameters, stream, id);

    if (!effects_read(effects, statement, &parameters, &out->rows, err))
        return false;
    if (out->rows.count == 0)
        return error_set(err, ERROR_VALIDATION, "payment_of_unknown_order",
                         "there is no order %s to be paid", id_text(id).text);
    order_from_row(&out->rows, 0, &out->order);
    return true;
}

static bool add_up(struct effects *effects, const struct order *order, struct order_payments *out,
                   struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    const struct statement *statement =
        order_payment_store_of(&parameters, order->stream, order->id);

    if (!effects_read(effects, statement, &parameters, &rows, err))
        return false;
    *out = order_payments_from_rows(&rows);
    return true;
}

/* Writes the order that was paid, in the trace of the event that caused it. */
static void write_order(struct effect *effect, const struct order *order, bool moved,
                        const struct event *cause)
{
    struct trace trace;

    if (!trace_parse(span_of(cause->traceparent), &trace))
        trace = trace_create();
    order_update(&effect->write, order, NULL);
    order_announce(&effect->announcement, order,
                   moved ? order_status_event(order->status) : ORDER_UPDATED, &trace);
    write_announce(&effect->write, &effect->announcement.event);
}

static bool payment_changed(struct effects *effects, const struct event *event,
                            const struct order_payment *payment, struct error *err)
{
    AUTO(order_record_release) struct order_record record = ORDER_RECORD_EMPTY;
    struct order *order = &record.order;
    struct order_payments payments;
    bool moved;

    if (!lock_order(effects, event->stream, payment->order_id, &record, err) ||
        !order_payment_fits(order, payment, err))
        return false;
    order_payment_keep(&effects_add(effects)->write, event->stream, payment, event->time);
    if (!add_up(effects, order, &payments, err))
        return false;
    if (order_pay(order, &payments, clock_now(), &moved))
        write_order(effects_add(effects), order, moved, event);
    return true;
}

bool order_paying_handle(void *ctx, struct effects *effects, const struct event *event,
                         struct error *err)
{
    struct order_payment payment;

    (void)ctx;
    if (strncmp(event->type, "payment.", strlen("payment.")) != 0)
        return true;
    return read_payment(event, &payment, err) &&
           (!payment.of_order || payment_changed(effects, event, &payment, err));
}
