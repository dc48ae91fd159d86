#include "shared/events/dead_letter.h"

#include "shared/base/clock.h"
#include "shared/crypto/hash.h"

/*
 * The bus may bring a letter before it is pulled: then the log tells its sequence. Returns the
 * input's id, whichever row it became.
 */
STATEMENT(dead_letter_store, "any",
          "WITH input AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], "
          "$5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[], $10::timestamptz[]) "
          "AS input (id, source, stream, sequence, reason, detail, topic, payload, payload_hash, "
          "time)), stored AS (INSERT INTO dead_letters AS d (id, source, stream, sequence, reason, "
          "detail, topic, payload, payload_hash, created_at) SELECT id, source, stream::smallint, "
          "sequence, reason, detail, topic, payload, payload_hash, time FROM input "
          "ON CONFLICT (source, stream, payload_hash) DO UPDATE SET sequence = excluded.sequence "
          "WHERE d.sequence IS NULL AND excluded.sequence IS NOT NULL RETURNING payload_hash) "
          "SELECT input.id FROM input JOIN stored USING (payload_hash)");

STATEMENT(dead_letter_close, "any",
          "WITH input AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) "
          "AS input (id, status, time)) UPDATE dead_letters d SET status = input.status, "
          "resolved_at = input.time FROM input WHERE d.id = input.id AND d.status = 'open' "
          "RETURNING d.id");

STATEMENT(dead_letter_count_open, "any",
          "SELECT count(*) AS count FROM "
          "(SELECT 1 FROM dead_letters WHERE status = 'open' LIMIT $1) AS open");

void dead_letter_insert(struct write *write, const struct dead_letter *letter)
{
    struct instant now = clock_now();
    struct id id = id_create(now);
    struct digest hash = hash_sha256(letter->payload);
    size_t kept = letter->payload.length < DEAD_LETTER_PAYLOAD_MAX ? letter->payload.length
                                                                   : DEAD_LETTER_PAYLOAD_MAX;

    write_begin(write, &dead_letter_store, WRITE_CREATE, letter->stream, id);
    text_copy(write->key, sizeof(write->key), digest_text(hash).text);
    parameters_add_id(&write->parameters, id);
    parameters_add_text(&write->parameters, letter->source);
    parameters_add_integer(&write->parameters, letter->stream);
    if (letter->sequence > 0)
        parameters_add_integer(&write->parameters, letter->sequence);
    else
        parameters_add_null(&write->parameters, PARAMETER_INTEGER);
    parameters_add_text(&write->parameters, letter->reason);
    parameters_add_text(&write->parameters, letter->detail);
    parameters_add_text_or_null(&write->parameters, letter->topic);
    parameters_add_bytes(&write->parameters, letter->payload.at, kept);
    parameters_add_bytes(&write->parameters, hash.bytes, sizeof(hash.bytes));
    parameters_add_instant(&write->parameters, now);
}

void dead_letter_resolve(struct write *write, int stream, struct id id, const char *status)
{
    write_begin(write, &dead_letter_close, WRITE_CHANGE, stream, id);
    parameters_add_id(&write->parameters, id);
    parameters_add_text(&write->parameters, status);
    parameters_add_instant(&write->parameters, clock_now());
}

bool dead_letter_count(struct pool *pool, struct deadline deadline, int64_t *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, DEAD_LETTERS_COUNTED_MAX);
    if (!db_query(pool, &dead_letter_count_open, &parameters, deadline, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    *out = row_integer(&row, "count");
    return true;
}
