#include "payment-service/payable_order.h"

#include "shared/json/json_pieces.h"
#include "shared/json/json_reader.h"

/* Whoever pays an order that is not known yet has the log asked at once. */
const struct consumed_type payable_order_types[] = {
    { "order.created", true },   { "order.updated", true },   { "order.paid", true },
    { "order.sent", true },      { "order.delivered", true }, { "order.returned", false },
    { "order.canceled", false }, { "order.expired", false },  { NULL, false },
};

STATEMENT(payable_order_select, "payments",
          "SELECT stream, id, currency, amount_due, amount_reserved, amount_paid, closed"
          " FROM payable_orders WHERE stream = $1::bigint AND merchant_id = $2 AND id = $3");

STATEMENT(payable_order_create, "payments",
          "WITH input AS (SELECT stream::smallint, id, merchant_id, currency, amount_due"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])"
          " AS input (stream, id, merchant_id, currency, amount_due))"
          " INSERT INTO payable_orders (stream, id, merchant_id, currency, amount_due)"
          " SELECT stream, id, merchant_id, currency, amount_due FROM input"
          " ON CONFLICT DO NOTHING RETURNING id");

STATEMENT(payable_order_close, "payments",
          "WITH input AS (SELECT stream::smallint, id"
          " FROM unnest($1::bigint[], $2::uuid[]) AS input (stream, id))"
          " UPDATE payable_orders o SET closed = true, to_undo = o.amount_reserved > 0"
          " FROM input WHERE o.stream = input.stream AND o.id = input.id AND NOT o.closed"
          " RETURNING o.id");

STATEMENT(payable_order_settle, "payments",
          "WITH input AS (SELECT stream::smallint, id"
          " FROM unnest($1::bigint[], $2::uuid[]) AS input (stream, id))"
          " UPDATE payable_orders o SET to_undo = false"
          " FROM input WHERE o.stream = input.stream AND o.id = input.id AND o.to_undo"
          " AND o.amount_reserved = o.amount_paid RETURNING o.id");

/* --- events ----------------------------------------------------------------------------------- */

static bool read_order(const struct event *event, struct payable_order *out, struct error *err)
{
    static const char *const names[] = { "id", "merchant_id", "currency", "amount_due", NULL };
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    char merchant[4 * PAYMENT_MERCHANT_SIZE] = "", currency[16] = "";

    if (!json_document_parse_members(event->data, names, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_id(&reader, "id", JSON_REQUIRED, &out->id);
    json_read_text(&reader, "merchant_id", JSON_REQUIRED, 1, PAYMENT_MERCHANT_SIZE - 1, merchant,
                   sizeof(merchant));
    json_read_text(&reader, "currency", JSON_REQUIRED, 3, 3, currency, sizeof(currency));
    json_read_integer(&reader, "amount_due", JSON_REQUIRED, 0, PAYMENT_AMOUNT_MAX,
                      &out->due.amount);
    if (!json_reader_ok(&reader))
        return false;
    if (id_equal(out->id, event->subject) && strcmp(merchant, event->merchant) == 0 &&
        currency_parse(currency, &out->due.currency))
        return true;
    return error_set(err, ERROR_VALIDATION, "order_contradicts_event",
                     "the data is not the order, or not of the merchant, that the event names");
}

static bool order_was_created(struct effects *effects, const struct event *event, struct error *err)
{
    struct payable_order order = { .stream = event->stream };

    if (!read_order(event, &order, err))
        return false;
    struct write *write = &effects_add(effects)->write;
    write_begin(write, &payable_order_create, WRITE_CREATE, event->stream, order.id);
    parameters_add_integer(&write->parameters, event->stream);
    parameters_add_id(&write->parameters, order.id);
    parameters_add_text(&write->parameters, event->merchant);
    parameters_add_text(&write->parameters, order.due.currency.code);
    parameters_add_integer(&write->parameters, order.due.amount);
    return true;
}

/* A change of the order's row that needs to know no more than which it is. */
static void change_order(struct write *write, const struct statement *statement, int stream,
                         struct id id)
{
    write_begin(write, statement, WRITE_CHANGE, stream, id);
    parameters_add_integer(&write->parameters, stream);
    parameters_add_id(&write->parameters, id);
}

static bool order_has_ended(struct effects *effects, const struct event *event, struct error *err)
{
    struct payable_order order;

    if (!read_order(event, &order, err))
        return false;
    change_order(&effects_add(effects)->write, &payable_order_close, event->stream, order.id);
    return true;
}

bool payable_order_handle(void *ctx, struct effects *effects, const struct event *event,
                          struct error *err)
{
    static const char *const ends[] = { "order.canceled", "order.expired", "order.returned" };

    (void)ctx;
    if (strcmp(event->type, "order.created") == 0)
        return order_was_created(effects, event, err);
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (strcmp(event->type, ends[i]) == 0)
            return order_has_ended(effects, event, err);
    return true;
}

/* --- payments --------------------------------------------------------------------------------- */

bool payable_order_find(struct pool *pool, const struct caller *caller, struct id id, bool *found,
                        struct payable_order *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, caller->access.stream);
    parameters_add_text(&parameters, caller->access.merchant);
    parameters_add_id(&parameters, id);
    if (!db_query(pool, &payable_order_select, &parameters, caller->deadline, &rows, err))
        return false;
    *found = rows.count > 0;
    if (!*found)
        return true;
    struct row row = rows_at(&rows, 0);
    out->stream = (int)row_integer(&row, "stream");
    out->id = row_id(&row, "id");
    out->due.amount = row_integer(&row, "amount_due");
    row_copy_text(&row, "currency", out->due.currency.code, sizeof(out->due.currency.code));
    out->amount_reserved = row_integer(&row, "amount_reserved");
    out->amount_paid = row_integer(&row, "amount_paid");
    out->closed = row_boolean(&row, "closed");
    return true;
}

static bool refuse_currency(const struct payable_order *order, struct error *err)
{
    error_begin_validation(err);
    error_add_field(err, "/currency", "currency_mismatch", "must be the order's, which is %s",
                    order->due.currency.code);
    return false;
}

static bool refuse_amount(int64_t open, struct error *err)
{
    error_begin_validation(err);
    error_add_field(err, "/amount", "out_of_range", "is more than what is due, which is %lld",
                    (long long)open);
    return false;
}

bool payable_order_claim(const struct payable_order *order, const struct money *wanted,
                         struct money *out, struct error *err)
{
    int64_t unpaid = order->due.amount - order->amount_paid;
    int64_t open = order->due.amount - order->amount_reserved;

    if (wanted->currency.code[0] != '\0' && !currency_equal(wanted->currency, order->due.currency))
        return refuse_currency(order, err);
    if (order->closed)
        return error_set(err, ERROR_CONFLICT, "order_not_payable",
                         "The order was canceled or returned, or has expired.");
    if (unpaid == 0)
        return error_set(err, ERROR_CONFLICT, "order_already_paid", "Nothing of the order is due.");
    *out = (struct money){ wanted->amount > 0 ? wanted->amount : unpaid, order->due.currency };
    if (out->amount > unpaid)
        return refuse_amount(unpaid, err);
    return out->amount <= open ||
           error_set(err, ERROR_CONFLICT, "payment_in_progress",
                     "Another payment of the order is under way. Wait for its outcome.");
}

void payable_order_done(struct write *write, int stream, struct id id)
{
    change_order(write, &payable_order_settle, stream, id);
}
