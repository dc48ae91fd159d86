#include "shared/events/answers.h"

/* LATERAL and not a join: planned while the log was short, a join read all of its stream. */
STATEMENT(answer_select, "any",
          "SELECT k.body_hash, k.status, k.subject, k.subject_version, e.data "
          "FROM idempotency_keys k LEFT JOIN LATERAL (SELECT events.data FROM events "
          "WHERE events.stream = k.stream AND events.subject = k.subject "
          "AND events.subject_version = k.subject_version LIMIT 1) e ON true "
          "WHERE k.stream = $1 AND k.merchant_id = $2 AND k.scope = $3 AND k.key = $4");

STATEMENT(answer_insert, "any",
          "WITH input AS (SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], "
          "$5::bytea[], $6::bigint[], $7::uuid[], $8::bigint[]) AS input "
          "(stream, merchant_id, scope, key, body_hash, status, subject, subject_version)) "
          "INSERT INTO idempotency_keys (stream, merchant_id, scope, key, body_hash, status, "
          "subject, subject_version, created_at) SELECT stream::smallint, merchant_id, scope, key, "
          "body_hash, status::smallint, subject, subject_version::int, now() FROM input "
          "ON CONFLICT DO NOTHING RETURNING subject AS id");

/*
 * A few at a time, so that nobody waits for it. Announces nothing: no object changes. How old a key
 * is this server's clock tells, as it did when the key was used: a process whose clock is wrong
 * would forget them all, and a repeat would be done again.
 */
STATEMENT(answer_purge, "any",
          "WITH old AS (SELECT ctid FROM idempotency_keys "
          "WHERE created_at < now() - make_interval(secs => $1::bigint) LIMIT $2), "
          "gone AS (DELETE FROM idempotency_keys k USING old WHERE k.ctid = old.ctid RETURNING 1) "
          "SELECT count(*) AS count FROM gone");

void answer_make(struct answer *answer, int status, struct id subject, int64_t subject_version,
                 struct buffer *body)
{
    *answer = (struct answer){
        .status = status, .subject = subject, .subject_version = subject_version, .body = *body
    };
    *body = BUFFER_EMPTY;
}

static void read_answer(const struct row *row, struct answer *out)
{
    out->replayed = true;
    out->status = (int)row_integer(row, "status");
    out->subject = row_id(row, "subject");
    out->subject_version = row_integer(row, "subject_version");
    buffer_append_span(&out->body, row_span(row, "data"));
}

static bool same_body(const struct row *row, const struct digest *hash)
{
    struct digest stored;

    return row_bytes(row, "body_hash", stored.bytes, sizeof(stored.bytes)) &&
           digest_equal(stored, *hash);
}

bool answers_find(struct pool *pool, const struct caller *caller,
                  const struct idempotency *idempotency, struct answer *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    *out = ANSWER_EMPTY;
    parameters_begin(&parameters);
    if (idempotency->key[0] == '\0')
        return true;
    parameters_add_integer(&parameters, caller->access.stream);
    parameters_add_text(&parameters, caller->access.merchant);
    parameters_add_text(&parameters, idempotency->scope);
    parameters_add_text(&parameters, idempotency->key);
    if (!db_query(pool, &answer_select, &parameters, caller->deadline, &rows, err))
        return false;
    if (rows.count == 0)
        return true;
    struct row row = rows_at(&rows, 0);
    if (!same_body(&row, &idempotency->body_hash))
        return error_set(err, ERROR_VALIDATION, "idempotency_key_reused",
                         "this Idempotency-Key was used with another body");
    read_answer(&row, out);
    return true;
}

void answer_release(struct answer *answer)
{
    buffer_release(&answer->body);
}

bool reply_answer(struct reply *reply, struct answer *answer)
{
    buffer_release(&reply->body);
    reply->body = answer->body;
    answer->body = BUFFER_EMPTY;
    if (answer->replayed)
        reply_set_header(reply, "Idempotent-Replayed", "true");
    reply_set_version(reply, answer->subject_version);
    return reply_json(reply, answer->status);
}

void answers_add_parameters(struct write *write, const char *merchant,
                            const struct idempotency *idempotency, int status)
{
    parameters_add_text(&write->parameters, idempotency->scope);
    parameters_add_text_or_null(&write->parameters, idempotency->key);
    parameters_add_bytes(&write->parameters, idempotency->body_hash.bytes,
                         sizeof(idempotency->body_hash.bytes));
    parameters_add_integer(&write->parameters, status);
    if (idempotency->key[0] != '\0') {
        bool fits = text_format(write->key, sizeof(write->key), "%s %s %s", merchant,
                                idempotency->scope, idempotency->key);
        assert(fits);
    }
}

void answers_keep(struct write *write, const struct caller *caller,
                  const struct idempotency *idempotency, const struct answer *answer)
{
    /* A change of its subject, so that two answers about one never share a statement. */
    write_begin(write, &answer_insert, WRITE_CHANGE, caller->access.stream, answer->subject);
    parameters_add_integer(&write->parameters, caller->access.stream);
    parameters_add_text(&write->parameters, caller->access.merchant);
    answers_add_parameters(write, caller->access.merchant, idempotency, answer->status);
    parameters_add_id(&write->parameters, answer->subject);
    parameters_add_integer(&write->parameters, answer->subject_version);
}

bool answers_purge(struct pool *pool, int64_t kept_s, struct deadline deadline, bool *more,
                   struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, kept_s);
    parameters_add_integer(&parameters, ANSWERS_PURGE_MAX);
    if (!db_query(pool, &answer_purge, &parameters, deadline, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    *more = row_integer(&row, "count") == ANSWERS_PURGE_MAX;
    return true;
}
