#include "voucher-service/voucher_store.h"

#include "shared/events/answers.h"

/* --- statements ------------------------------------------------------------------------------- */

#define VOUCHER_COLUMNS                                                                     \
    "v.stream, v.id, v.merchant_id, v.version, v.status, v.code, v.rule_id, v.order_id,"    \
    " v.customer_id, v.currency, v.value_amount, v.created_at, v.updated_at, v.expires_at," \
    " v.reservation_holder, v.reservation_until, v.redemption_id, v.redemption_reference,"  \
    " v.redemption_order_id, v.redeemed_at, v.source_undone"

STATEMENT(voucher_select, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v"
          " WHERE v.stream = $1::bigint AND v.merchant_id = $2 AND v.id = $3");

STATEMENT(voucher_select_code, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v"
          " WHERE v.stream = $1::bigint AND v.merchant_id = $2 AND v.code = $3");

/* For keys of `*`: the streams are few, and each is looked into by its own index. */
STATEMENT(voucher_select_any, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v WHERE v.stream = s.stream AND v.id = $1"
          " LIMIT 1) v");

STATEMENT(voucher_select_code_any, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v WHERE v.stream = s.stream AND v.code = $1"
          " LIMIT 1) v LIMIT 1");

/*
 * A statement per index, so that each list is a range of one: what narrows it further is looked at
 * while scanning. $3 to $6 are what every list has: from, before, status, limit.
 */
#define LIST_WHERE                                                                     \
    " WHERE v.stream = $1::bigint AND v.merchant_id = $2 AND v.id >= $3 AND v.id < $4" \
    " AND ($5::text IS NULL OR v.status = $5)"
#define LIST_ORDER " ORDER BY v.id DESC LIMIT $6::bigint"

STATEMENT(voucher_list, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v" LIST_WHERE LIST_ORDER);

STATEMENT(voucher_list_of_customer, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v" LIST_WHERE
          " AND v.customer_id = $7" LIST_ORDER);

STATEMENT(voucher_list_of_order, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v" LIST_WHERE
          " AND ($7::text IS NULL OR v.customer_id = $7) AND v.order_id = $8" LIST_ORDER);

STATEMENT(voucher_list_any, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v"
          " WHERE v.stream = s.stream AND v.id >= $1 AND v.id < $2"
          " AND ($3::text IS NULL OR v.status = $3)"
          " AND ($5::text IS NULL OR v.customer_id = $5)"
          " AND ($6::uuid IS NULL OR v.order_id = $6)"
          " ORDER BY v.id DESC LIMIT $4::bigint) v"
          " ORDER BY v.id DESC LIMIT $4::bigint");

/* Of this server's clock as well: a process that is ahead ends no voucher that is still good. */
STATEMENT(voucher_due, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM streams s CROSS JOIN LATERAL ("
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v"
          " WHERE v.stream = s.stream AND v.status = 'active'"
          " AND v.expires_at <= least($1::timestamptz, now())"
          " ORDER BY v.expires_at LIMIT $2::bigint) v");

STATEMENT(voucher_overdue_streams, "vouchers",
          "SELECT s.stream, now() AS over_at, coalesce(p.sequence, 0) AS position FROM streams s"
          " LEFT JOIN consumer_position p ON p.source = $1 AND p.stream = s.stream"
          " WHERE EXISTS (SELECT FROM vouchers v WHERE v.stream = s.stream"
          " AND v.status = 'reserved' AND v.lapses_at <= now())");

STATEMENT(voucher_log_reached, "vouchers",
          "SELECT EXISTS (SELECT FROM consumer_position p WHERE p.source = $1"
          " AND p.stream = $2::bigint AND p.sequence >= $3::bigint) AS reached");

/* Of this moment as well: a clock that was set back makes none overdue. */
STATEMENT(voucher_overdue, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v"
          " WHERE v.stream = $1::bigint AND v.status = 'reserved'"
          " AND v.lapses_at <= least($2::timestamptz, now())"
          " ORDER BY v.lapses_at LIMIT $3::bigint");

STATEMENT(voucher_select_redemption, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM redemptions r"
          " JOIN vouchers v ON v.stream = r.stream AND v.id = r.voucher_id"
          " WHERE r.stream = $1::bigint AND r.merchant_id = $2 AND r.id = $3");

STATEMENT(voucher_lock_earned, "vouchers",
          "SELECT " VOUCHER_COLUMNS " FROM vouchers v"
          " WHERE v.stream = $1::bigint AND v.order_id = $2 AND v.merchant_id = $3"
          " AND v.status IN ('active', 'reserved', 'redeemed') LIMIT 1 FOR UPDATE");

STATEMENT(voucher_lock_for_order, "vouchers",
          "SELECT " VOUCHER_COLUMNS ", EXISTS (SELECT FROM redemptions r"
          " WHERE r.stream = $1::bigint AND r.order_id = $4) AS order_redeemed FROM vouchers v"
          " WHERE v.stream = $1::bigint AND v.id = $2 AND v.merchant_id = $3 FOR UPDATE OF v");

/* No public change, and no event: what it changes is what may be done later. */
STATEMENT(voucher_source_undone, "vouchers",
          "WITH input AS ("
          "SELECT stream::smallint, id FROM unnest($1::bigint[], $2::uuid[]) AS input (stream, id)"
          ") UPDATE vouchers v SET source_undone = true"
          " FROM input WHERE v.stream = input.stream AND v.id = input.id"
          " RETURNING v.id");

STATEMENT(redemption_forgo, "vouchers",
          "WITH input AS ("
          "SELECT stream::smallint, id, voucher_id, merchant_id, order_id, time"
          " FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[],"
          " $6::timestamptz[])"
          " AS input (stream, id, voucher_id, merchant_id, order_id, time)"
          ") INSERT INTO redemptions"
          " (stream, id, voucher_id, merchant_id, order_id, redeemed_at, rolled_back_at)"
          " SELECT stream, id, voucher_id, merchant_id, order_id, time, time FROM input"
          " RETURNING id");

/* A code that exists already raises (once in 2^60 / vouchers): the event is tried with another. */
STATEMENT(voucher_create, "vouchers",
          "WITH input AS ("
          "SELECT stream::smallint, id, merchant_id, version::int, status, code, rule_id, order_id,"
          " customer_id, currency, value_amount, created_at, expires_at"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[],"
          " $6::text[], $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::bigint[],"
          " $12::timestamptz[], $13::timestamptz[])"
          " AS input (stream, id, merchant_id, version, status, code, rule_id, order_id,"
          " customer_id, currency, value_amount, created_at, expires_at)"
          ") INSERT INTO vouchers"
          " (stream, id, merchant_id, version, status, code, rule_id, order_id, customer_id,"
          " currency, value_amount, created_at, updated_at, expires_at)"
          " SELECT stream, id, merchant_id, version, status, code, rule_id, order_id, customer_id,"
          " currency, value_amount, created_at, created_at, expires_at FROM input"
          " ON CONFLICT (stream, order_id, rule_id) DO NOTHING RETURNING id");

/*
 * The rows are locked at their versions first, in the order of all locks; only then the key is
 * used. What was decided without knowing that its order was undone is decided again. A redemption
 * that is not the row's any more is closed, a new one opened. A reservation lapses by this server's
 * clock, and never earlier than was promised.
 */
STATEMENT(voucher_change, "vouchers",
          "WITH input AS ("
          "SELECT stream::smallint, id, merchant_id, version::int, status, updated_at,"
          " source_undone <> 0 AS source_undone, holder, until, ttl_s, redemption_id, reference,"
          " redeemer, scope, key, body_hash, key_status::smallint"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[],"
          " $6::timestamptz[], $7::bigint[], $8::text[], $9::timestamptz[], $10::bigint[],"
          " $11::uuid[], $12::text[], $13::uuid[], $14::text[], $15::text[], $16::bytea[],"
          " $17::bigint[])"
          " AS input (stream, id, merchant_id, version, status, updated_at, source_undone, holder,"
          " until, ttl_s, redemption_id, reference, redeemer, scope, key, body_hash, key_status)"
          "), target AS ("
          "SELECT input.stream, input.id, input.merchant_id, input.version, input.status,"
          " input.updated_at, input.holder, input.until, input.ttl_s, input.redemption_id,"
          " input.reference, input.redeemer, input.scope, input.key, input.body_hash,"
          " input.key_status, v.redemption_id AS closed_id"
          " FROM input JOIN vouchers v ON v.stream = input.stream AND v.id = input.id"
          " WHERE v.version = input.version - 1 AND v.source_undone = input.source_undone"
          " ORDER BY v.id FOR UPDATE OF v"
          "), used AS ("
          "INSERT INTO idempotency_keys"
          " (stream, merchant_id, scope, key, body_hash, status, subject, subject_version,"
          " created_at)"
          " SELECT stream, merchant_id, scope, key, body_hash, key_status, id, version, now()"
          " FROM target WHERE key IS NOT NULL"
          " ON CONFLICT DO NOTHING RETURNING subject"
          "), allowed AS ("
          "SELECT stream, id, merchant_id, version, status, updated_at, holder, until, ttl_s,"
          " redemption_id, reference, redeemer, closed_id"
          " FROM target WHERE key IS NULL OR id IN (SELECT subject FROM used)"
          "), closed AS ("
          "UPDATE redemptions r SET rolled_back_at = allowed.updated_at"
          " FROM allowed WHERE r.stream = allowed.stream AND r.id = allowed.closed_id"
          "), opened AS ("
          "INSERT INTO redemptions"
          " (stream, id, voucher_id, merchant_id, reference, order_id, redeemed_at)"
          " SELECT stream, redemption_id, id, merchant_id, reference, redeemer, updated_at"
          " FROM allowed WHERE redemption_id IS NOT NULL"
          ") UPDATE vouchers v SET version = allowed.version, status = allowed.status,"
          " updated_at = allowed.updated_at, reservation_holder = allowed.holder,"
          " reservation_until = allowed.until, lapses_at = CASE WHEN allowed.holder IS NOT NULL"
          " THEN greatest(v.lapses_at, clock_timestamp() + allowed.ttl_s * interval '1 second')"
          " END, redemption_id = allowed.redemption_id, redemption_reference = allowed.reference,"
          " redemption_order_id = allowed.redeemer, redeemed_at = CASE WHEN"
          " allowed.redemption_id IS NOT NULL THEN allowed.updated_at END"
          " FROM allowed WHERE v.stream = allowed.stream AND v.id = allowed.id"
          " RETURNING v.id");

/* --- reading ---------------------------------------------------------------------------------- */

/* The status of a word that a CHECK admits. */
static enum voucher_status status_of(const char *word)
{
    enum voucher_status status = 0;

    while (status < VOUCHER_STATUS_COUNT && strcmp(voucher_status_words[status], word) != 0)
        status++;
    assert(status < VOUCHER_STATUS_COUNT);
    return status;
}

static void read_use(const struct row *row, struct voucher *out)
{
    struct voucher_redemption *redemption = &out->redemption;

    row_copy_text(row, "reservation_holder", out->reservation.holder,
                  sizeof(out->reservation.holder));
    out->reservation.until = row_instant(row, "reservation_until");
    out->reservation.ttl_s = 0;
    redemption->id = row_id(row, "redemption_id");
    redemption->by_order = !row_is_null(row, "redemption_order_id");
    redemption->order_id = row_id(row, "redemption_order_id");
    row_copy_text(row, "redemption_reference", redemption->reference,
                  sizeof(redemption->reference));
    redemption->at = row_instant(row, "redeemed_at");
}

void voucher_from_row(const struct rows *rows, size_t index, struct voucher *out)
{
    struct row row = rows_at(rows, index);

    out->stream = (int)row_integer(&row, "stream");
    out->id = row_id(&row, "id");
    row_copy_text(&row, "merchant_id", out->merchant, sizeof(out->merchant));
    out->version = row_integer(&row, "version");
    out->status = status_of(row_text(&row, "status"));
    row_copy_text(&row, "code", out->code.symbols, sizeof(out->code.symbols));
    out->rule_id = row_id(&row, "rule_id");
    out->order_id = row_id(&row, "order_id");
    row_copy_text(&row, "customer_id", out->customer_id, sizeof(out->customer_id));
    row_copy_text(&row, "currency", out->value.currency.code, sizeof(out->value.currency.code));
    out->value.amount = row_integer(&row, "value_amount");
    out->created_at = row_instant(&row, "created_at");
    out->updated_at = row_instant(&row, "updated_at");
    out->expires_at = row_instant(&row, "expires_at");
    out->source_undone = row_boolean(&row, "source_undone");
    read_use(&row, out);
}

static bool first_row(const struct rows *rows, struct voucher *out, struct error *err)
{
    if (rows->count == 0)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
    voucher_from_row(rows, 0, out);
    return true;
}

bool voucher_store_read(struct pool *pool, const struct caller *caller, struct id id,
                        struct voucher *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    bool everyone = access_is_everyone(&caller->access);

    parameters_begin(&parameters);
    access_add_owner(&caller->access, &parameters);
    parameters_add_id(&parameters, id);
    return db_query(pool, everyone ? &voucher_select_any : &voucher_select, &parameters,
                    caller->deadline, &rows, err) &&
           first_row(&rows, out, err);
}

bool voucher_store_read_code(struct pool *pool, const struct caller *caller,
                             const struct voucher_code *code, struct voucher *out,
                             struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    bool everyone = access_is_everyone(&caller->access);

    parameters_begin(&parameters);
    access_add_owner(&caller->access, &parameters);
    parameters_add_text(&parameters, code->symbols);
    return db_query(pool, everyone ? &voucher_select_code_any : &voucher_select_code, &parameters,
                    caller->deadline, &rows, err) &&
           first_row(&rows, out, err);
}

bool voucher_store_read_redemption(struct pool *pool, const struct caller *caller, struct id id,
                                   struct voucher *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, caller->access.stream);
    parameters_add_text(&parameters, caller->access.merchant);
    parameters_add_id(&parameters, id);
    return db_query(pool, &voucher_select_redemption, &parameters, caller->deadline, &rows, err) &&
           first_row(&rows, out, err);
}

/* The statement whose index serves the filter best. */
static const struct statement *list_statement(const struct access *access,
                                              const struct voucher_filter *filter)
{
    if (access_is_everyone(access))
        return &voucher_list_any;
    if (filter->has_order)
        return &voucher_list_of_order;
    return filter->customer_id[0] != '\0' ? &voucher_list_of_customer : &voucher_list;
}

bool voucher_store_list(struct pool *pool, const struct caller *caller,
                        const struct voucher_filter *filter, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    const struct statement *statement = list_statement(&caller->access, filter);

    parameters_begin(&parameters);
    access_add_owner(&caller->access, &parameters);
    parameters_add_id(&parameters, filter->window.from);
    parameters_add_id(&parameters, filter->window.before);
    parameters_add_text_or_null(&parameters, filter->status);
    parameters_add_integer(&parameters, filter->window.limit);
    if (statement != &voucher_list)
        parameters_add_text_or_null(&parameters, filter->customer_id);
    if (filter->has_order)
        parameters_add_id(&parameters, filter->order_id);
    else if (statement == &voucher_list_any)
        parameters_add_null(&parameters, PARAMETER_ID);
    return db_query(pool, statement, &parameters, caller->deadline, out, err);
}

bool voucher_store_due(struct pool *pool, struct instant now, struct deadline deadline,
                       struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_instant(&parameters, now);
    parameters_add_integer(&parameters, VOUCHER_DUE_MAX);
    return db_query(pool, &voucher_due, &parameters, deadline, out, err);
}

bool voucher_store_overdue_streams(struct pool *pool, const char *source, struct deadline deadline,
                                   struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, source);
    return db_query(pool, &voucher_overdue_streams, &parameters, deadline, out, err);
}

bool voucher_store_reached(struct pool *pool, const char *source, int stream, int64_t sequence,
                           struct deadline deadline, bool *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, source);
    parameters_add_integer(&parameters, stream);
    parameters_add_integer(&parameters, sequence);
    if (!db_query(pool, &voucher_log_reached, &parameters, deadline, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    *out = row_boolean(&row, "reached");
    return true;
}

bool voucher_store_overdue(struct pool *pool, int stream, struct instant over_at,
                           struct deadline deadline, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, stream);
    parameters_add_instant(&parameters, over_at);
    parameters_add_integer(&parameters, VOUCHER_DUE_MAX);
    return db_query(pool, &voucher_overdue, &parameters, deadline, out, err);
}

const struct statement *voucher_store_lock_earned(struct parameters *parameters, int stream,
                                                  const char *merchant, struct id order_id)
{
    parameters_begin(parameters);
    parameters_add_integer(parameters, stream);
    parameters_add_id(parameters, order_id);
    parameters_add_text(parameters, merchant);
    return &voucher_lock_earned;
}

const struct statement *voucher_store_lock_for_order(struct parameters *parameters, int stream,
                                                     const char *merchant, struct id voucher_id,
                                                     struct id order_id)
{
    parameters_begin(parameters);
    parameters_add_integer(parameters, stream);
    parameters_add_id(parameters, voucher_id);
    parameters_add_text(parameters, merchant);
    parameters_add_id(parameters, order_id);
    return &voucher_lock_for_order;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* In the order of the columns of `input`, as the function below. */
void voucher_insert(struct write *write, const struct voucher *voucher)
{
    struct parameters *parameters = &write->parameters;

    write_begin(write, &voucher_create, WRITE_CREATE, voucher->stream, voucher->id);
    text_format(write->key, sizeof(write->key), "%s %s", id_text(voucher->order_id).text,
                id_text(voucher->rule_id).text);
    parameters_add_integer(parameters, voucher->stream);
    parameters_add_id(parameters, voucher->id);
    parameters_add_text(parameters, voucher->merchant);
    parameters_add_integer(parameters, voucher->version);
    parameters_add_text(parameters, voucher_status_words[voucher->status]);
    parameters_add_text(parameters, voucher->code.symbols);
    parameters_add_id(parameters, voucher->rule_id);
    parameters_add_id(parameters, voucher->order_id);
    parameters_add_text(parameters, voucher->customer_id);
    parameters_add_text(parameters, voucher->value.currency.code);
    parameters_add_integer(parameters, voucher->value.amount);
    parameters_add_instant(parameters, voucher->created_at);
    parameters_add_instant(parameters, voucher->expires_at);
}

static void add_id_if(struct parameters *parameters, bool there, struct id id)
{
    if (there)
        parameters_add_id(parameters, id);
    else
        parameters_add_null(parameters, PARAMETER_ID);
}

static void add_use(struct parameters *parameters, const struct voucher *voucher)
{
    bool redeemed = voucher->status == VOUCHER_REDEEMED;

    parameters_add_text_or_null(parameters, voucher->reservation.holder);
    parameters_add_instant_or_null(parameters, voucher->reservation.until);
    parameters_add_integer(parameters, voucher->reservation.ttl_s);
    add_id_if(parameters, redeemed, voucher->redemption.id);
    parameters_add_text_or_null(parameters, voucher->redemption.reference);
    add_id_if(parameters, redeemed && voucher->redemption.by_order, voucher->redemption.order_id);
}

void voucher_update(struct write *write, const struct voucher *voucher,
                    const struct idempotency *idempotency, int status)
{
    static const struct idempotency no_key = { .key = "", .scope = "" };
    struct parameters *parameters = &write->parameters;

    write_begin(write, &voucher_change, WRITE_CHANGE, voucher->stream, voucher->id);
    parameters_add_integer(parameters, voucher->stream);
    parameters_add_id(parameters, voucher->id);
    parameters_add_text(parameters, voucher->merchant);
    parameters_add_integer(parameters, voucher->version);
    parameters_add_text(parameters, voucher_status_words[voucher->status]);
    parameters_add_instant(parameters, voucher->updated_at);
    parameters_add_integer(parameters, voucher->source_undone);
    add_use(parameters, voucher);
    answers_add_parameters(write, voucher->merchant, idempotency ? idempotency : &no_key, status);
}

void voucher_remember_undone(struct write *write, const struct voucher *voucher)
{
    write_begin(write, &voucher_source_undone, WRITE_CHANGE, voucher->stream, voucher->id);
    parameters_add_integer(&write->parameters, voucher->stream);
    parameters_add_id(&write->parameters, voucher->id);
}

void voucher_forgo(struct write *write, const struct voucher *voucher, struct id order_id,
                   struct instant now)
{
    struct id id = id_create(now);

    write_begin(write, &redemption_forgo, WRITE_CREATE, voucher->stream, id);
    text_copy(write->key, sizeof(write->key), id_text(order_id).text);
    parameters_add_integer(&write->parameters, voucher->stream);
    parameters_add_id(&write->parameters, id);
    parameters_add_id(&write->parameters, voucher->id);
    parameters_add_text(&write->parameters, voucher->merchant);
    parameters_add_id(&write->parameters, order_id);
    parameters_add_instant(&write->parameters, now);
}
