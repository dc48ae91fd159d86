#include "shared/http/access.h"

#include "shared/base/buffer.h"
#include "shared/db/pool.h"
#include "shared/http/access_cache.h"
#include "shared/http/credentials.h"
#include "shared/json/json_writer.h"

/* Looking up a key takes a millisecond; what takes longer is a database that is away. */
enum { LOOK_UP_MS = 2000 };

STATEMENT(
    access_key_select, "access",
    "SELECT coalesce(api_keys.merchant_id, '*') AS merchant_id, "
    "coalesce(merchants.stream, 0) AS stream, api_keys.secret_sha256, "
    "array_to_string(api_keys.scopes, ' ') AS scopes "
    "FROM api_keys LEFT JOIN merchants ON merchants.id = api_keys.merchant_id "
    "WHERE api_keys.id = $1 AND api_keys.revoked_at IS NULL AND merchants.deleted_at IS NULL");

/* In the order of enum access_scope's bits. */
static const char *const scope_names[] = {
    "orders:read",   "orders:write",  "orders:fulfil",  "payments:read", "payments:write",
    "refunds:write", "vouchers:read", "vouchers:write", "events:read",   "operator",
};

_Static_assert(COUNT_OF(scope_names) == SCOPE_COUNT, "every scope has a name");

struct access_keys {
    struct pool *pool;
    struct access_cache cache;
};

struct access_keys *access_keys_create(struct pool *pool)
{
    struct access_keys *keys = memory_allocate_zeroed(1, sizeof(*keys));

    keys->pool = pool;
    access_cache_start(&keys->cache);
    return keys;
}

void access_keys_destroy(struct access_keys *keys)
{
    if (!keys)
        return;
    access_cache_end(&keys->cache);
    free(keys);
}

void access_add_owner(const struct access *access, struct parameters *parameters)
{
    if (access_is_everyone(access))
        return;
    parameters_add_integer(parameters, access->stream);
    parameters_add_text(parameters, access->merchant);
}

void access_write_scopes(unsigned scopes, struct json_writer *json)
{
    json_begin_array(json);
    for (unsigned i = 0; i < SCOPE_COUNT; i++)
        if (scopes & (1U << i))
            json_text(json, scope_names[i]);
    json_end_array(json);
}

/* Words apart by blanks; one that is not known here belongs to a newer version. */
static unsigned scopes_parse(const char *text)
{
    unsigned scopes = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        for (unsigned i = 0; i < SCOPE_COUNT; i++)
            if (span_equal(span_of(scope_names[i]), (struct span){ text, length }))
                scopes |= 1U << i;
        text += length;
        text += strspn(text, " ");
    }
    return scopes;
}

static void record_read(const struct rows *rows, struct access_record *record)
{
    struct row row;

    if (rows->count == 0)
        return;
    row = rows_at(rows, 0);
    row_copy_text(&row, "merchant_id", record->access.merchant, sizeof(record->access.merchant));
    record->access.stream = (int)row_integer(&row, "stream");
    record->access.scopes = scopes_parse(row_text(&row, "scopes"));
    record->known = row_bytes(&row, "secret_sha256", record->secret_hash.bytes,
                              sizeof(record->secret_hash.bytes));
}

/* Asks the database, and remembers the answer from the moment it was asked. */
static bool look_up(struct access_keys *keys, const char *key_id, struct deadline deadline,
                    struct access_record *out, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    AUTO(parameters_release) struct parameters parameters;
    struct access_record record = { .known = false };
    int64_t asked_at_ms = clock_monotonic_us() / 1000;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, key_id);
    if (!db_query(keys->pool, &access_key_select, &parameters, deadline, &rows, err))
        return false;
    text_copy(record.access.key_id, sizeof(record.access.key_id), key_id);
    record_read(&rows, &record);
    access_cache_store(&keys->cache, &record, asked_at_ms);
    *out = record;
    return true;
}

/* What is known about the key, at most ACCESS_CACHE_MS old. */
static bool find(struct access_keys *keys, const char *key_id, struct deadline deadline,
                 struct access_record *out, struct error *err)
{
    int64_t left_ms = LOOK_UP_MS;
    enum access_age age =
        access_cache_find(&keys->cache, key_id, clock_monotonic_us() / 1000, out, &left_ms);
    struct deadline limit =
        deadline_earlier(deadline, deadline_in_ms(left_ms < LOOK_UP_MS ? left_ms : LOOK_UP_MS));

    if (age == ACCESS_FRESH || look_up(keys, key_id, limit, out, err))
        return true;
    if (age == ACCESS_AGING && !deadline_passed(limit))
        return true; /* what was remembered is still good, and somebody asks again soon */
    struct error cause = *err;
    return error_set(err, ERROR_UNAVAILABLE, "access_unavailable", "keys can not be looked up: %s",
                     cause.detail);
}

static bool refuse(struct error *err)
{
    return error_set(err, ERROR_UNAUTHENTICATED, "key_invalid",
                     "The API key does not exist or was revoked. Ask for a new one where this one "
                     "came from.");
}

bool access_authenticate(struct access_keys *keys, const struct access_claim *claim,
                         struct deadline deadline, struct access *out, struct error *err)
{
    struct credentials credentials;
    struct access_record record;

    if (!credentials_parse(claim->authorization, &credentials, err))
        return false;
    if (claim->known_only &&
        !access_cache_knew(&keys->cache, credentials.key_id, credentials.secret_hash))
        return refuse(err);
    if (!find(keys, credentials.key_id, deadline, &record, err))
        return false;
    /* an unknown key has a hash of zeros: it is compared like any other, and then refused */
    bool equal = digest_equal(record.secret_hash, credentials.secret_hash);
    if (!(equal & record.known))
        return refuse(err);
    *out = record.access;
    return true;
}

bool access_require(const struct access *access, unsigned scopes, struct error *err)
{
    AUTO(buffer_release) struct buffer names = BUFFER_EMPTY;

    if (access->scopes & scopes)
        return true;
    for (unsigned i = 0; i < SCOPE_COUNT; i++)
        if (scopes & (1U << i))
            buffer_append_format(&names, "%s%s", names.length > 0 ? " or " : "", scope_names[i]);
    return error_set(err, ERROR_FORBIDDEN, "missing_scope", "The API key needs the scope %s.",
                     names.at ? names.at : "of nobody");
}

bool access_require_merchant(const struct access *access, const char *what, struct error *err)
{
    return !access_is_everyone(access) ||
           error_set(err, ERROR_FORBIDDEN, "merchant_required", "%s with a merchant's key.", what);
}

bool access_covers(const struct access *access, const char *merchant)
{
    return access_is_everyone(access) || strcmp(access->merchant, merchant) == 0;
}

bool access_is_everyone(const struct access *access)
{
    return strcmp(access->merchant, "*") == 0;
}
