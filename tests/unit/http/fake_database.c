#include "tests/unit/http/fake_database.h"

#include <stdatomic.h>

#include "shared/crypto/hash.h"
#include "shared/db/pool.h"

static const struct key {
    const char *id;
    const char *merchant;
    int stream;
    const char *scopes;
} keys[] = {
    { "demo", "demo", 3, "orders:read orders:write" },
    { "reader", "demo", 0, "orders:read a:newer:scope" },
    { "operator", "*", 0, "operator" },
};

static _Atomic bool away;
static _Atomic int asked;

void fake_database_set_away(bool value)
{
    away = value;
}

int fake_database_asked(void)
{
    return asked;
}

/* A result is the key itself. */
bool db_query(struct pool *pool, const struct statement *statement,
              const struct parameters *parameters, struct deadline deadline, struct rows *out,
              struct error *err)
{
    struct span id = parameters_value(parameters, 0);

    (void)pool, (void)deadline;
    assert(strcmp(statement->name, "access_key_select") == 0);
    asked++;
    if (away)
        return error_set(err, ERROR_UNAVAILABLE, "database_unavailable",
                         "connection to socket /run/postgres failed: 08006");
    *out = ROWS_EMPTY;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (span_equal(span_of(keys[i].id), id))
            *out = (struct rows){ (struct pg_result *)&keys[i], 1 };
    return true;
}

static const struct key *key_of(const struct row *row)
{
    return (const struct key *)row->rows->result;
}

void rows_release(struct rows *rows)
{
    *rows = ROWS_EMPTY;
}

struct row rows_at(const struct rows *rows, size_t index)
{
    return (struct row){ rows, index };
}

int64_t row_integer(const struct row *row, const char *column)
{
    assert(strcmp(column, "stream") == 0);
    return key_of(row)->stream;
}

const char *row_text(const struct row *row, const char *column)
{
    assert(strcmp(column, "scopes") == 0);
    return key_of(row)->scopes;
}

void row_copy_text(const struct row *row, const char *column, char *out, size_t size)
{
    assert(strcmp(column, "merchant_id") == 0);
    text_copy(out, size, key_of(row)->merchant);
}

bool row_bytes(const struct row *row, const char *column, void *out, size_t length)
{
    struct digest digest = hash_sha256(span_of(FAKE_SECRET));

    (void)row;
    assert(strcmp(column, "secret_sha256") == 0 && length == sizeof(digest.bytes));
    memcpy(out, digest.bytes, length);
    return true;
}
