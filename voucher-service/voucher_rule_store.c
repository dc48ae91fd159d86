#include "voucher-service/voucher_rule_store.h"

#include "shared/events/answers.h"
#include "shared/http/reply.h"

#define RULE_COLUMNS \
    "r.id, r.currency, r.threshold_amount, r.value_amount, r.valid_days, r.created_at"

STATEMENT(voucher_rule_list, "vouchers",
          "SELECT " RULE_COLUMNS " FROM voucher_rules r WHERE r.id < $1"
          " ORDER BY r.id DESC LIMIT $2::bigint");

STATEMENT(voucher_rule_select, "vouchers",
          "SELECT " RULE_COLUMNS " FROM voucher_rules r WHERE r.id = $1");

STATEMENT(voucher_rule_all, "vouchers",
          "SELECT " RULE_COLUMNS " FROM voucher_rules r WHERE r.trigger = 'order.sent'"
          " LIMIT $1::bigint");

/* A currency that has a rule burns no key. */
STATEMENT(voucher_rule_create, "vouchers",
          "WITH input AS ("
          "SELECT id, currency, threshold_amount, value_amount, valid_days::int, created_at,"
          " stream::smallint, merchant_id, scope, key, body_hash, key_status::smallint"
          " FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
          " $6::timestamptz[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bytea[],"
          " $12::bigint[])"
          " AS input (id, currency, threshold_amount, value_amount, valid_days, created_at,"
          " stream, merchant_id, scope, key, body_hash, key_status)"
          " WHERE NOT EXISTS (SELECT FROM voucher_rules r"
          " WHERE r.trigger = 'order.sent' AND r.currency = input.currency)"
          "), used AS ("
          "INSERT INTO idempotency_keys"
          " (stream, merchant_id, scope, key, body_hash, status, subject, subject_version,"
          " created_at)"
          " SELECT stream, merchant_id, scope, key, body_hash, key_status, id, 1, now()"
          " FROM input WHERE key IS NOT NULL"
          " ON CONFLICT DO NOTHING RETURNING subject"
          ") INSERT INTO voucher_rules"
          " (id, trigger, currency, threshold_amount, value_amount, valid_days, created_at)"
          " SELECT id, 'order.sent', currency, threshold_amount, value_amount, valid_days,"
          " created_at FROM input WHERE key IS NULL OR id IN (SELECT subject FROM used)"
          " RETURNING id");

void voucher_rule_from_row(const struct rows *rows, size_t index, struct voucher_rule *out)
{
    struct row row = rows_at(rows, index);

    out->id = row_id(&row, "id");
    row_copy_text(&row, "currency", out->currency.code, sizeof(out->currency.code));
    out->threshold_amount = row_integer(&row, "threshold_amount");
    out->value_amount = row_integer(&row, "value_amount");
    out->valid_days = row_integer(&row, "valid_days");
    out->created_at = row_instant(&row, "created_at");
}

bool voucher_rule_store_list(struct pool *pool, const struct page *page, struct deadline deadline,
                             struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_id(&parameters, page->before);
    parameters_add_integer(&parameters, page->limit + 1);
    return db_query(pool, &voucher_rule_list, &parameters, deadline, out, err);
}

bool voucher_rule_store_read(struct pool *pool, struct id id, struct deadline deadline,
                             struct voucher_rule *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_id(&parameters, id);
    if (!db_query(pool, &voucher_rule_select, &parameters, deadline, &rows, err))
        return false;
    if (rows.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
    voucher_rule_from_row(&rows, 0, out);
    return true;
}

const struct statement *voucher_rule_store_all(struct parameters *parameters)
{
    parameters_begin(parameters);
    parameters_add_integer(parameters, VOUCHER_RULES_MAX);
    return &voucher_rule_all;
}

void voucher_rule_insert(struct write *write, const struct voucher_rule *rule,
                         const struct access *access, const struct idempotency *idempotency)
{
    struct parameters *parameters = &write->parameters;

    write_begin(write, &voucher_rule_create, WRITE_CREATE, access->stream, rule->id);
    parameters_add_id(parameters, rule->id);
    parameters_add_text(parameters, rule->currency.code);
    parameters_add_integer(parameters, rule->threshold_amount);
    parameters_add_integer(parameters, rule->value_amount);
    parameters_add_integer(parameters, rule->valid_days);
    parameters_add_instant(parameters, rule->created_at);
    parameters_add_integer(parameters, access->stream);
    parameters_add_text(parameters, access->merchant);
    answers_add_parameters(write, access->merchant, idempotency, HTTP_CREATED);
}
