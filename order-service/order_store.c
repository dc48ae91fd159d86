#include "order-service/order_store.h"

#include "shared/events/answers.h"
#include "shared/http/reply.h"

/* --- statements ------------------------------------------------------------------------------- */

#define ORDER_COLUMNS                                                                        \
    "o.stream, o.id, o.merchant_id, o.version, o.status, o.payment_status, o.payment_terms," \
    " o.currency, o.total_amount, o.amount_due, o.customer_id, o.customer_email,"            \
    " o.client_reference, o.lines, o.metadata, o.created_at, o.updated_at, o.expires_at,"    \
    " o.voucher_id, o.voucher_holder, o.voucher_value_amount"

STATEMENT(order_select, "orders",
          "SELECT " ORDER_COLUMNS " FROM orders o"
          " WHERE o.stream = $1::bigint AND o.merchant_id = $2 AND o.id = $3");

STATEMENT(order_lock, "orders",
          "SELECT " ORDER_COLUMNS " FROM orders o"
          " WHERE o.stream = $1::bigint AND o.id = $2 FOR UPDATE");

/* For keys of `*`: the streams are few, and each is looked into by its primary key. */
STATEMENT(order_select_any, "orders",
          "SELECT " ORDER_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " ORDER_COLUMNS " FROM orders o WHERE o.stream = s.stream AND o.id = $1"
          " LIMIT 1) o");

/*
 * A statement per index, so that each list is a range of one: what narrows it further is looked at
 * while scanning. $3 to $6 are what every list has: from, before, status, limit.
 */
#define LIST_WHERE                                                                     \
    " WHERE o.stream = $1::bigint AND o.merchant_id = $2 AND o.id >= $3 AND o.id < $4" \
    " AND ($5::text IS NULL OR o.status = $5)"
#define LIST_ORDER " ORDER BY o.id DESC LIMIT $6::bigint"

STATEMENT(order_list, "orders", "SELECT " ORDER_COLUMNS " FROM orders o" LIST_WHERE LIST_ORDER);

STATEMENT(order_list_of_customer, "orders",
          "SELECT " ORDER_COLUMNS " FROM orders o" LIST_WHERE " AND o.customer_id = $7"
          " AND ($8::text IS NULL OR o.client_reference = $8)" LIST_ORDER);

STATEMENT(order_list_of_reference, "orders",
          "SELECT " ORDER_COLUMNS " FROM orders o" LIST_WHERE
          " AND o.client_reference = $7" LIST_ORDER);

STATEMENT(order_list_any, "orders",
          "SELECT " ORDER_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " ORDER_COLUMNS " FROM orders o"
          " WHERE o.stream = s.stream AND o.id >= $1 AND o.id < $2"
          " AND ($3::text IS NULL OR o.status = $3)"
          " AND ($5::text IS NULL OR o.customer_id = $5)"
          " AND ($6::text IS NULL OR o.client_reference = $6)"
          " ORDER BY o.id DESC LIMIT $4::bigint) o"
          " ORDER BY o.id DESC LIMIT $4::bigint");

#define EVENT_COLUMNS                                                                   \
    "e.stream, e.sequence, e.id, e.merchant_id, e.type, e.subject, e.subject_version, " \
    "e.time, e.traceparent, e.data"

STATEMENT(order_events, "orders",
          "SELECT " EVENT_COLUMNS " FROM events e"
          " WHERE e.stream = $1::bigint AND e.merchant_id = $2 AND e.subject = $3"
          " ORDER BY e.subject_version LIMIT $4::bigint");

STATEMENT(order_events_any, "orders",
          "SELECT " EVENT_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " EVENT_COLUMNS " FROM events e WHERE e.stream = s.stream AND e.subject = $1"
          " ORDER BY e.subject_version LIMIT $2::bigint) e"
          " ORDER BY e.subject_version LIMIT $2::bigint");

/* Of this server's clock as well: a process that is ahead expires no order that may be paid yet. */
STATEMENT(order_due, "orders",
          "SELECT " ORDER_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " ORDER_COLUMNS " FROM orders o"
          " WHERE o.stream = s.stream AND o.due_at <= least($1::timestamptz, now())"
          " ORDER BY o.due_at LIMIT $2::bigint) o");

/*
 * The key comes first; an order whose key was taken is left out, and so is one whose voucher is not
 * certainly held any more, by the clock of this database. (IN and not a join: a join of a
 * whole batch was planned as a nested loop, which tripled the time of the statement.)
 */
STATEMENT(order_create, "orders",
          "WITH input AS ("
          "SELECT stream::smallint, id, merchant_id, version::int, status, payment_status,"
          " payment_terms, currency, total_amount, amount_due, customer_id, customer_email,"
          " client_reference, lines::json, metadata::json, created_at, expires_at,"
          " voucher_id, voucher_holder, voucher_value_amount,"
          " scope, key, body_hash, key_status::smallint"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[],"
          " $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::text[],"
          " $12::text[], $13::text[], $14::text[], $15::text[], $16::timestamptz[],"
          " $17::timestamptz[], $18::uuid[], $19::text[], $20::bigint[], $21::timestamptz[],"
          " $22::text[], $23::text[], $24::bytea[], $25::bigint[])"
          " AS input (stream, id, merchant_id, version, status, payment_status, payment_terms,"
          " currency, total_amount, amount_due, customer_id, customer_email, client_reference,"
          " lines, metadata, created_at, expires_at, voucher_id, voucher_holder,"
          " voucher_value_amount, held_until, scope, key, body_hash, key_status)"
          " WHERE held_until IS NULL OR held_until > clock_timestamp()"
          "), used AS ("
          "INSERT INTO idempotency_keys"
          " (stream, merchant_id, scope, key, body_hash, status, subject, subject_version,"
          " created_at)"
          " SELECT stream, merchant_id, scope, key, body_hash, key_status, id, version, now()"
          " FROM input WHERE key IS NOT NULL"
          " ON CONFLICT DO NOTHING RETURNING subject"
          ") INSERT INTO orders"
          " (stream, id, merchant_id, version, status, payment_status, payment_terms, currency,"
          " total_amount, amount_due, customer_id, customer_email, client_reference, lines,"
          " metadata, created_at, updated_at, expires_at, voucher_id, voucher_holder,"
          " voucher_value_amount)"
          " SELECT stream, id, merchant_id, version, status, payment_status, payment_terms,"
          " currency, total_amount, amount_due, customer_id, customer_email, client_reference,"
          " lines, metadata, created_at, created_at, expires_at, voucher_id, voucher_holder,"
          " voucher_value_amount"
          " FROM input WHERE key IS NULL OR id IN (SELECT subject FROM used)"
          " RETURNING id");

/* This database's clock, for what this database compares with it. */
STATEMENT(order_hold, "orders",
          "SELECT clock_timestamp() + make_interval(secs => $1::bigint) AS held_until");

/* The row is locked at its version first, in the order of all locks; only then the key is used. */
STATEMENT(order_change, "orders",
          "WITH input AS ("
          "SELECT stream::smallint, id, merchant_id, version::int, status, payment_status,"
          " metadata::json, updated_at, expires_at, scope, key, body_hash, key_status::smallint"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[],"
          " $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::text[],"
          " $11::text[], $12::bytea[], $13::bigint[])"
          " AS input (stream, id, merchant_id, version, status, payment_status, metadata,"
          " updated_at, expires_at, scope, key, body_hash, key_status)"
          "), target AS ("
          "SELECT input.stream, input.id, input.merchant_id, input.version, input.status,"
          " input.payment_status, input.metadata, input.updated_at, input.expires_at,"
          " input.scope, input.key, input.body_hash, input.key_status"
          " FROM input JOIN orders o ON o.stream = input.stream AND o.id = input.id"
          " WHERE o.version = input.version - 1"
          " ORDER BY o.id FOR UPDATE OF o"
          "), used AS ("
          "INSERT INTO idempotency_keys"
          " (stream, merchant_id, scope, key, body_hash, status, subject, subject_version,"
          " created_at)"
          " SELECT stream, merchant_id, scope, key, body_hash, key_status, id, version, now()"
          " FROM target WHERE key IS NOT NULL"
          " ON CONFLICT DO NOTHING RETURNING subject"
          ") UPDATE orders o SET version = target.version, status = target.status,"
          " payment_status = target.payment_status, metadata = target.metadata,"
          " updated_at = target.updated_at, expires_at = target.expires_at"
          " FROM target WHERE o.stream = target.stream AND o.id = target.id"
          " AND (target.key IS NULL OR target.id IN (SELECT subject FROM used))"
          " RETURNING o.id");

/* --- reading ---------------------------------------------------------------------------------- */

void order_record_release(struct order_record *record)
{
    rows_release(&record->rows);
}

#define WORD(row, column, words) row_choice(row, column, words, COUNT_OF(words))

static void read_voucher(const struct row *row, struct order *out)
{
    struct order_voucher *voucher = &out->voucher;

    *voucher = (struct order_voucher){ .used = !row_is_null(row, "voucher_id") };
    if (!voucher->used)
        return;
    voucher->id = row_id(row, "voucher_id");
    row_copy_text(row, "voucher_holder", voucher->holder, sizeof(voucher->holder));
    voucher->value_amount = row_integer(row, "voucher_value_amount");
    voucher->discount_amount = out->total_amount - out->amount_due;
    voucher->forfeited_amount = voucher->value_amount - voucher->discount_amount;
}

void order_from_row(const struct rows *rows, size_t index, struct order *out)
{
    struct row row = rows_at(rows, index);

    out->stream = (int)row_integer(&row, "stream");
    out->id = row_id(&row, "id");
    row_copy_text(&row, "merchant_id", out->merchant, sizeof(out->merchant));
    out->version = row_integer(&row, "version");
    out->status = (enum order_status)WORD(&row, "status", order_status_words);
    out->payment_status =
        (enum order_payment_status)WORD(&row, "payment_status", order_payment_status_words);
    out->terms = (enum order_terms)WORD(&row, "payment_terms", order_terms_words);
    row_copy_text(&row, "currency", out->currency.code, sizeof(out->currency.code));
    out->total_amount = row_integer(&row, "total_amount");
    out->amount_due = row_integer(&row, "amount_due");
    row_copy_text(&row, "customer_id", out->customer_id, sizeof(out->customer_id));
    row_copy_text(&row, "customer_email", out->customer_email, sizeof(out->customer_email));
    row_copy_text(&row, "client_reference", out->client_reference, sizeof(out->client_reference));
    out->lines = row_span(&row, "lines");
    out->metadata = row_span(&row, "metadata");
    out->created_at = row_instant(&row, "created_at");
    out->updated_at = row_instant(&row, "updated_at");
    out->expires_at = row_instant(&row, "expires_at");
    read_voucher(&row, out);
}

bool order_store_read(struct pool *pool, const struct caller *caller, struct id id,
                      struct order_record *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    bool everyone = access_is_everyone(&caller->access);

    parameters_begin(&parameters);
    access_add_owner(&caller->access, &parameters);
    parameters_add_id(&parameters, id);
    if (!db_query(pool, everyone ? &order_select_any : &order_select, &parameters, caller->deadline,
                  &out->rows, err))
        return false;
    if (out->rows.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
    order_from_row(&out->rows, 0, &out->order);
    return true;
}

/* The statement whose index serves the filter best. */
static const struct statement *list_statement(const struct access *access,
                                              const struct order_filter *filter)
{
    if (access_is_everyone(access))
        return &order_list_any;
    if (filter->customer_id[0] != '\0')
        return &order_list_of_customer;
    return filter->client_reference[0] != '\0' ? &order_list_of_reference : &order_list;
}

bool order_store_list(struct pool *pool, const struct caller *caller,
                      const struct order_filter *filter, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    const struct statement *statement = list_statement(&caller->access, filter);

    parameters_begin(&parameters);
    access_add_owner(&caller->access, &parameters);
    parameters_add_id(&parameters, filter->window.from);
    parameters_add_id(&parameters, filter->window.before);
    parameters_add_text_or_null(&parameters, filter->status);
    parameters_add_integer(&parameters, filter->window.limit);
    if (statement == &order_list_any || statement == &order_list_of_customer)
        parameters_add_text_or_null(&parameters, filter->customer_id);
    if (statement != &order_list)
        parameters_add_text_or_null(&parameters, filter->client_reference);
    return db_query(pool, statement, &parameters, caller->deadline, out, err);
}

bool order_store_events(struct pool *pool, const struct caller *caller, struct id id,
                        struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    bool everyone = access_is_everyone(&caller->access);

    parameters_begin(&parameters);
    access_add_owner(&caller->access, &parameters);
    parameters_add_id(&parameters, id);
    parameters_add_integer(&parameters, ORDER_EVENTS_MAX + 1); /* one more tells that it is cut */
    return db_query(pool, everyone ? &order_events_any : &order_events, &parameters,
                    caller->deadline, out, err);
}

bool order_store_due(struct pool *pool, struct instant now, struct deadline deadline,
                     struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_instant(&parameters, now);
    parameters_add_integer(&parameters, ORDER_DUE_MAX);
    return db_query(pool, &order_due, &parameters, deadline, out, err);
}

const struct statement *order_store_lock(struct parameters *parameters, int stream, struct id id)
{
    parameters_begin(parameters);
    parameters_add_integer(parameters, stream);
    parameters_add_id(parameters, id);
    return &order_lock;
}

/* --- writing ---------------------------------------------------------------------------------- */

bool order_store_hold(struct pool *pool, int64_t seconds, struct deadline deadline,
                      struct instant *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, seconds);
    if (!db_query(pool, &order_hold, &parameters, deadline, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    *out = row_instant(&row, "held_until");
    return true;
}

static void add_voucher(struct parameters *parameters, const struct order_voucher *voucher,
                        struct instant held_until)
{
    if (!voucher->used) {
        parameters_add_null(parameters, PARAMETER_ID);
        parameters_add_null(parameters, PARAMETER_TEXT);
        parameters_add_null(parameters, PARAMETER_INTEGER);
        parameters_add_null(parameters, PARAMETER_INSTANT);
        return;
    }
    parameters_add_id(parameters, voucher->id);
    parameters_add_text(parameters, voucher->holder);
    parameters_add_integer(parameters, voucher->value_amount);
    parameters_add_instant(parameters, held_until);
}

/* In the order of the columns of `input`, as all functions below. */
void order_insert(struct write *write, const struct order *order, struct instant held_until,
                  const struct idempotency *idempotency)
{
    struct parameters *parameters = &write->parameters;

    write_begin(write, &order_create, WRITE_CREATE, order->stream, order->id);
    parameters_add_integer(parameters, order->stream);
    parameters_add_id(parameters, order->id);
    parameters_add_text(parameters, order->merchant);
    parameters_add_integer(parameters, order->version);
    parameters_add_text(parameters, order_status_words[order->status]);
    parameters_add_text(parameters, order_payment_status_words[order->payment_status]);
    parameters_add_text(parameters, order_terms_words[order->terms]);
    parameters_add_text(parameters, order->currency.code);
    parameters_add_integer(parameters, order->total_amount);
    parameters_add_integer(parameters, order->amount_due);
    parameters_add_text(parameters, order->customer_id);
    parameters_add_text_or_null(parameters, order->customer_email);
    parameters_add_text_or_null(parameters, order->client_reference);
    parameters_add_span(parameters, order->lines);
    parameters_add_span(parameters, order->metadata);
    parameters_add_instant(parameters, order->created_at);
    parameters_add_instant_or_null(parameters, order->expires_at);
    add_voucher(parameters, &order->voucher, held_until);
    answers_add_parameters(write, order->merchant, idempotency, HTTP_CREATED);
}

void order_update(struct write *write, const struct order *order,
                  const struct idempotency *idempotency)
{
    static const struct idempotency no_key = { .key = "", .scope = "" };
    struct parameters *parameters = &write->parameters;

    write_begin(write, &order_change, WRITE_CHANGE, order->stream, order->id);
    parameters_add_integer(parameters, order->stream);
    parameters_add_id(parameters, order->id);
    parameters_add_text(parameters, order->merchant);
    parameters_add_integer(parameters, order->version);
    parameters_add_text(parameters, order_status_words[order->status]);
    parameters_add_text(parameters, order_payment_status_words[order->payment_status]);
    parameters_add_span(parameters, order->metadata);
    parameters_add_instant(parameters, order->updated_at);
    parameters_add_instant_or_null(parameters, order->expires_at);
    answers_add_parameters(write, order->merchant, idempotency ? idempotency : &no_key, HTTP_OK);
}
