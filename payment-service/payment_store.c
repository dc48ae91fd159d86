#include "payment-service/payment_store.h"

STATEMENT(payment_select, "payments",
          "SELECT " PAYMENT_COLUMNS " FROM payments p"
          " WHERE p.stream = $1::bigint AND p.merchant_id = $2 AND p.id = $3");

/* As the tables have them; the columns of payment_rows.h are theirs by other names. */
#define REFUND_FIELDS                                                                 \
    "r.stream, r.id, r.merchant_id, r.version, r.payment_id, r.attempt_id, r.status," \
    " r.currency, r.amount, r.reason, r.failure_code, r.automatic, r.created_at, r.updated_at"
#define ATTEMPT_FIELDS                                                             \
    "a.stream, a.id, a.payment_id, a.refund_id, a.operation, a.gateway, a.status," \
    " a.currency, a.amount, a.bank_id, a.failure_code, a.decline_code, a.skipped," \
    " a.tries, a.traceparent, a.created_at, a.updated_at, a.resolve_at"

/*
 * For keys of `*`, and for what a bank tells: the streams are few, and each is looked into by its
 * primary key. A subquery with a LIMIT (or an OFFSET, where there may be many) is planned by
 * itself; as a join, the server would take any index that begins with the stream for as good, and
 * read the whole of it.
 */
#define LATERAL_PAYMENT(of, key)                                                     \
    " CROSS JOIN LATERAL (SELECT " PAYMENT_COLUMNS ", p.card_sealed FROM payments p" \
    " WHERE p.stream = " of ".stream AND p.id = " key " LIMIT 1) p"

#define PAYMENT_OF_REFUND  LATERAL_PAYMENT("r", "r.payment_id")
#define PAYMENT_OF_ATTEMPT LATERAL_PAYMENT("a", "a.payment_id")

STATEMENT(payment_select_any, "payments",
          "SELECT " PAYMENT_COLUMNS " FROM streams s" LATERAL_PAYMENT("s", "$1"));

STATEMENT(payment_find, "payments",
          "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.stream = $1::bigint AND p.id = $2");

STATEMENT(refund_select, "payments",
          "SELECT " REFUND_COLUMNS " FROM refunds r"
          " JOIN payments p ON p.stream = r.stream AND p.id = r.payment_id"
          " WHERE r.stream = $1::bigint AND r.merchant_id = $2 AND r.id = $3");

STATEMENT(refund_select_any, "payments",
          "SELECT " REFUND_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " REFUND_FIELDS " FROM refunds r WHERE r.stream = s.stream AND r.id = $1"
          " LIMIT 1) r" PAYMENT_OF_REFUND);

/* $1 to $4 are what every list has: from, before, status, limit; then stream and merchant, which
 * are NULL for keys of `*`. */
#define LIST_WHERE(table)                              \
    " WHERE " table ".id >= $1 AND " table ".id < $2"  \
    " AND ($3::text IS NULL OR " table ".status = $3)" \
    " AND ($6::text IS NULL OR " table ".merchant_id = $6)"
#define LIST_ORDER(table) " ORDER BY " table ".id DESC LIMIT $4::bigint"
#define LIST_STREAMS      "FROM streams s CROSS JOIN LATERAL ("
#define LIST_OF_STREAM(table) \
    " AND " table ".stream = s.stream AND ($5::bigint IS NULL OR s.stream = $5)"

STATEMENT(payment_list, "payments",
          "SELECT " PAYMENT_COLUMNS " " LIST_STREAMS "SELECT " PAYMENT_COLUMNS
          " FROM payments p" LIST_WHERE("p") LIST_OF_STREAM("p")
              LIST_ORDER("p") ") p" LIST_ORDER("p"));

STATEMENT(payment_list_of_order, "payments",
          "SELECT " PAYMENT_COLUMNS " " LIST_STREAMS "SELECT " PAYMENT_COLUMNS
          " FROM payments p" LIST_WHERE("p")
              LIST_OF_STREAM("p") " AND p.order_id = $7" LIST_ORDER("p") ") p" LIST_ORDER("p"));

STATEMENT(refund_list, "payments",
          "SELECT " REFUND_COLUMNS " " LIST_STREAMS "SELECT " REFUND_FIELDS
          " FROM refunds r" LIST_WHERE("r") LIST_OF_STREAM("r")
              LIST_ORDER("r") ") r" PAYMENT_OF_REFUND LIST_ORDER("r"));

#define LATERAL_REFUNDS                                                            \
    " CROSS JOIN LATERAL (SELECT " REFUND_FIELDS " FROM refunds r" LIST_WHERE("r") \
        LIST_OF_STREAM("r") " AND r.payment_id = p.id" LIST_ORDER("r") ") r" LIST_ORDER("r")

STATEMENT(refund_list_of_payment, "payments",
          "SELECT " REFUND_COLUMNS " FROM streams s" LATERAL_PAYMENT("s", "$7") LATERAL_REFUNDS);

STATEMENT(refund_list_of_order, "payments",
          "SELECT " REFUND_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " PAYMENT_COLUMNS " FROM payments p"
          " WHERE p.stream = s.stream AND p.order_id = $7"
          " OFFSET 0) p" LATERAL_REFUNDS);

STATEMENT(attempt_list, "payments",
          "SELECT " ATTEMPT_COLUMNS " FROM attempts a"
          " WHERE a.stream = $1::bigint AND a.payment_id = $2"
          " ORDER BY a.created_at, a.id LIMIT $3::bigint");

STATEMENT(attempt_select, "payments",
          "SELECT " PAYMENT_COLUMNS ", " ATTEMPT_COLUMNS ", " REFUND_COLUMNS
          ", p.card_sealed, coalesce(o.closed, false) AS closed"
          " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " ATTEMPT_FIELDS " FROM attempts a WHERE a.stream = s.stream AND a.id = $1"
          " LIMIT 1) a" PAYMENT_OF_ATTEMPT " LEFT JOIN LATERAL (SELECT " REFUND_FIELDS
          " FROM refunds r"
          " WHERE r.stream = a.stream AND r.id = a.refund_id LIMIT 1) r ON true"
          " LEFT JOIN payable_orders o ON o.stream = p.stream AND o.id = p.order_id");

STATEMENT(attempt_due, "payments",
          "SELECT a.stream, a.id FROM streams s CROSS JOIN LATERAL ("
          "SELECT a.stream, a.id, a.resolve_at FROM attempts a"
          " WHERE a.stream = s.stream AND a.resolve_at <= now()"
          " ORDER BY a.resolve_at LIMIT $1::bigint) a ORDER BY a.resolve_at LIMIT $1::bigint");

STATEMENT(payment_expired, "payments",
          "SELECT p.stream, p.id FROM streams s CROSS JOIN LATERAL ("
          "SELECT p.stream, p.id FROM payments p"
          " WHERE p.stream = s.stream AND p.due_at <= now()"
          " ORDER BY p.due_at LIMIT $1::bigint) p");

/*
 * Money that the bank has of p and that can go back. What failed to go back by itself once is not
 * tried again, nor is what the customer has got by a dispute.
 */
#define REFUNDABLE                                                                             \
    "(p.amount_captured > p.amount_refunded + p.amount_refund_pending"                         \
    " AND p.dispute_status <> 'lost'"                                                          \
    " AND NOT EXISTS (SELECT FROM refunds r WHERE r.stream = p.stream AND r.payment_id = p.id" \
    " AND r.automatic AND r.status = 'failed'))"

/* Nobody is at it, and no bank has refused to let go of it within the hour. */
#define IDLE                                                                      \
    "(p.operation IS NULL AND NOT EXISTS (SELECT FROM attempts a"                 \
    " WHERE a.stream = p.stream AND a.payment_id = p.id AND a.operation = 'void'" \
    " AND a.status = 'declined' AND a.updated_at > now() - interval '1 hour'))"

/*
 * What the bank has for nobody: orphans, and the payments of orders that have ended, as far as
 * something can be done for them now; and the orders that are done with. What is under way is none
 * of these, so that it stands in nobody's way.
 */
STATEMENT(payment_to_undo, "payments",
          "(SELECT p.stream, p.id, p.order_id, NULL::uuid AS done_order_id FROM payments p"
          " WHERE p.to_undo AND p.dispute_status <> 'open' AND " IDLE " LIMIT $1::bigint)"
          " UNION ALL"
          " (SELECT o.stream, p.id, o.id, NULL FROM payable_orders o"
          " JOIN payments p ON p.stream = o.stream AND p.order_id = o.id"
          " WHERE o.to_undo AND " IDLE " AND (p.status IN ('requires_action', 'authorized')"
          " OR (p.status = 'processing' AND p.method = 'bank_transfer')"
          " OR (p.dispute_status <> 'open' AND " REFUNDABLE ")) LIMIT $1::bigint)"
          " UNION ALL"
          " (SELECT o.stream, NULL, o.id, o.id FROM payable_orders o"
          " WHERE o.to_undo AND NOT EXISTS (SELECT FROM payments p"
          " WHERE p.stream = o.stream AND p.order_id = o.id"
          " AND (p.status IN ('processing', 'requires_action', 'authorized')"
          " OR p.amount_refund_pending > 0 OR " REFUNDABLE ")) LIMIT $1::bigint)");

/* --- one -------------------------------------------------------------------------------------- */

static bool refuse_missing(struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
}

/* One row, by the merchant's statement or by everybody's. */
static bool read_one(struct pool *pool, const struct caller *caller,
                     const struct statement *statement, struct id id, struct rows *out,
                     struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    access_add_owner(&caller->access, &parameters);
    parameters_add_id(&parameters, id);
    return db_query(pool, statement, &parameters, caller->deadline, out, err) &&
           (out->count > 0 || refuse_missing(err));
}

bool payment_store_read(struct pool *pool, const struct caller *caller, struct id id,
                        struct payment *out, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    bool everyone = access_is_everyone(&caller->access);

    if (!read_one(pool, caller, everyone ? &payment_select_any : &payment_select, id, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    payment_from_row(&row, out);
    return true;
}

bool refund_store_read(struct pool *pool, const struct caller *caller, struct id id,
                       struct refund *out, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    bool everyone = access_is_everyone(&caller->access);

    if (!read_one(pool, caller, everyone ? &refund_select_any : &refund_select, id, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    refund_from_row(&row, out);
    return true;
}

bool payment_store_find(struct pool *pool, int stream, struct id id, struct deadline deadline,
                        struct payment *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, stream);
    parameters_add_id(&parameters, id);
    if (!db_query(pool, &payment_find, &parameters, deadline, &rows, err))
        return false;
    if (rows.count == 0)
        return refuse_missing(err);
    struct row row = rows_at(&rows, 0);
    payment_from_row(&row, out);
    return true;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void add_filter(struct parameters *parameters, const struct caller *caller,
                       const struct payment_filter *filter)
{
    parameters_add_id(parameters, filter->window.from);
    parameters_add_id(parameters, filter->window.before);
    parameters_add_text_or_null(parameters, filter->status);
    parameters_add_integer(parameters, filter->window.limit);
    if (access_is_everyone(&caller->access)) {
        parameters_add_null(parameters, PARAMETER_INTEGER);
        parameters_add_null(parameters, PARAMETER_TEXT);
    } else {
        access_add_owner(&caller->access, parameters);
    }
}

bool payment_store_list(struct pool *pool, const struct caller *caller,
                        const struct payment_filter *filter, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    add_filter(&parameters, caller, filter);
    if (filter->has_order)
        parameters_add_id(&parameters, filter->order_id);
    return db_query(pool, filter->has_order ? &payment_list_of_order : &payment_list, &parameters,
                    caller->deadline, out, err);
}

bool refund_store_list(struct pool *pool, const struct caller *caller,
                       const struct payment_filter *filter, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    const struct statement *statement = &refund_list;

    parameters_begin(&parameters);
    add_filter(&parameters, caller, filter);
    if (filter->has_payment) {
        statement = &refund_list_of_payment;
        parameters_add_id(&parameters, filter->payment_id);
    } else if (filter->has_order) {
        statement = &refund_list_of_order;
        parameters_add_id(&parameters, filter->order_id);
    }
    return db_query(pool, statement, &parameters, caller->deadline, out, err);
}

bool attempt_store_list(struct pool *pool, int stream, struct id payment_id,
                        struct deadline deadline, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, stream);
    parameters_add_id(&parameters, payment_id);
    parameters_add_integer(&parameters, PAYMENT_ATTEMPTS_SHOWN);
    return db_query(pool, &attempt_list, &parameters, deadline, out, err);
}

/* --- attempts with all that hangs on them ----------------------------------------------------- */

void attempt_record_release(struct attempt_record *record)
{
    rows_release(&record->rows);
}

/* bytea comes as "\x" and two digits per byte. */
static void read_sealed(const struct row *row, struct attempt_record *out)
{
    size_t digits = row_span(row, "card_sealed").length;
    size_t length = digits > 2 ? (digits - 2) / 2 : 0;

    assert(length <= sizeof(out->sealed));
    out->sealed_length =
        length > 0 && row_bytes(row, "card_sealed", out->sealed, length) ? length : 0;
}

bool attempt_store_read(struct pool *pool, struct id id, struct deadline deadline,
                        struct attempt_record *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    rows_release(&out->rows); /* of an earlier reading */
    parameters_begin(&parameters);
    parameters_add_id(&parameters, id);
    if (!db_query(pool, &attempt_select, &parameters, deadline, &out->rows, err))
        return false;
    if (out->rows.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "attempt_not_found", "There is no attempt %s.",
                         id_text(id).text);
    struct row row = rows_at(&out->rows, 0);
    payment_from_row(&row, &out->payment);
    attempt_from_row(&row, &out->attempt);
    if (out->attempt.has_refund)
        refund_from_row(&row, &out->refund);
    out->wanted = !row_boolean(&row, "closed");
    read_sealed(&row, out);
    return true;
}

/* --- what workers look after ------------------------------------------------------------------ */

static bool read_due(struct pool *pool, const struct statement *statement, struct deadline deadline,
                     struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, PAYMENT_DUE_MAX);
    return db_query(pool, statement, &parameters, deadline, out, err);
}

bool attempt_store_due(struct pool *pool, struct deadline deadline, struct rows *out,
                       struct error *err)
{
    return read_due(pool, &attempt_due, deadline, out, err);
}

bool payment_store_expired(struct pool *pool, struct deadline deadline, struct rows *out,
                           struct error *err)
{
    return read_due(pool, &payment_expired, deadline, out, err);
}

bool payment_store_to_undo(struct pool *pool, struct deadline deadline, struct rows *out,
                           struct error *err)
{
    return read_due(pool, &payment_to_undo, deadline, out, err);
}
