#include "shared/http/access.h"

#include "shared/base/buffer.h"
#include "shared/crypto/hash.h"
#include "shared/http/access_cache.h"
#include "shared/json/json_writer.h"
#include "tests/unit/http/fake_database.h"
#include "tests/unit/table.h"

static struct error err;

static bool authenticate(struct access_keys *keys, const char *authorization, struct access *out)
{
    struct access_claim claim = { .authorization = authorization };

    return access_authenticate(keys, &claim, deadline_in_ms(1000), out, &err);
}

static void a_key_speaks_for_its_merchant(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access access;

    (void)state;
    assert_true(authenticate(keys, FAKE_KEY("demo"), &access));
    assert_string_equal(access.key_id, "demo");
    assert_string_equal(access.merchant, "demo");
    assert_int_equal(access.stream, 3);
    assert_int_equal(access.scopes, SCOPE_ORDERS_READ | SCOPE_ORDERS_WRITE);
    assert_false(access_is_everyone(&access));
    assert_true(access_covers(&access, "demo"));
    assert_false(access_covers(&access, "demo2"));
    access_keys_destroy(keys);
}

static void an_operator_covers_everyone(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access access;

    (void)state;
    assert_true(authenticate(keys, FAKE_KEY("operator"), &access));
    assert_true(access_is_everyone(&access));
    assert_true(access_covers(&access, "demo"));
    access_keys_destroy(keys);
}

static void a_scope_of_a_newer_version_is_passed_over(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access access;

    (void)state;
    assert_true(authenticate(keys, FAKE_KEY("reader"), &access));
    assert_int_equal(access.scopes, SCOPE_ORDERS_READ);
    access_keys_destroy(keys);
}

static void a_wrong_secret_and_an_unknown_key_look_alike(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access access;
    char detail[sizeof(err.detail)];

    (void)state;
    assert_false(authenticate(keys, FAKE_KEY("nobody"), &access));
    assert_string_equal(err.code, "key_invalid");
    text_copy(detail, sizeof(detail), err.detail);
    assert_false(
        authenticate(keys, "Bearer ck_demo_9999999999999999999999999999999999999999", &access));
    assert_string_equal(err.code, "key_invalid");
    assert_string_equal(err.detail, detail);
    access_keys_destroy(keys);
}

static void a_key_is_asked_for_once(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access access;
    int asked = fake_database_asked();

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(authenticate(keys, FAKE_KEY("demo"), &access));
        assert_false(authenticate(keys, FAKE_KEY("nobody"), &access));
    }
    assert_int_equal(fake_database_asked() - asked, 2);
    access_keys_destroy(keys);
}

static void what_is_malformed_asks_nobody(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access access;
    int asked = fake_database_asked();

    (void)state;
    assert_false(authenticate(keys, "Bearer nonsense", &access));
    assert_false(authenticate(keys, NULL, &access));
    assert_int_equal(fake_database_asked(), asked);
    access_keys_destroy(keys);
}

static void what_was_remembered_serves_while_the_database_is_away(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access access;

    (void)state;
    assert_true(authenticate(keys, FAKE_KEY("demo"), &access));
    fake_database_set_away(true);
    assert_true(authenticate(keys, FAKE_KEY("demo"), &access));
    assert_false(authenticate(keys, FAKE_KEY("operator"), &access));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(err.code, "access_unavailable");
    fake_database_set_away(false);
    access_keys_destroy(keys);
}

static void a_missing_scope_is_named(void **state)
{
    struct access access = { .scopes = SCOPE_ORDERS_READ };

    (void)state;
    assert_true(access_require(&access, SCOPE_ORDERS_READ | SCOPE_OPERATOR, &err));
    assert_false(access_require(&access, SCOPE_ORDERS_WRITE | SCOPE_OPERATOR, &err));
    assert_int_equal(err.kind, ERROR_FORBIDDEN);
    assert_string_equal(err.code, "missing_scope");
    assert_non_null(strstr(err.detail, "orders:write or operator"));
}

static void scopes_are_written_by_name(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct json_writer json = { .out = &text };

    (void)state;
    access_write_scopes(SCOPE_OPERATOR | SCOPE_ORDERS_READ, &json);
    assert_string_equal(text.at, "[\"orders:read\",\"operator\"]");
}

static void of_known_keys_only_those_that_were_good_before_come_in(void **state)
{
    struct access_keys *keys = access_keys_create(NULL);
    struct access_claim claim = { FAKE_KEY("demo"), .known_only = true };
    struct access access;
    int asked = fake_database_asked();

    (void)state;
    assert_false(access_authenticate(keys, &claim, deadline_in_ms(1000), &access, &err));
    assert_string_equal(err.code, "key_invalid");
    assert_int_equal(fake_database_asked(), asked);
    assert_true(authenticate(keys, FAKE_KEY("demo"), &access));
    assert_true(access_authenticate(keys, &claim, deadline_in_ms(1000), &access, &err));
    claim.authorization = "Bearer ck_demo_9999999999999999999999999999999999999999";
    assert_false(access_authenticate(keys, &claim, deadline_in_ms(1000), &access, &err));
    access_keys_destroy(keys);
}

/* Remembers a key as asked for at that time. */
static void store(struct access_cache *cache, const char *key_id, bool known, int64_t at_ms)
{
    struct access_record record = { .known = known };

    text_copy(record.access.key_id, sizeof(record.access.key_id), key_id);
    access_cache_store(cache, &record, at_ms);
}

static enum access_age find(struct access_cache *cache, const char *key_id, int64_t at_ms)
{
    struct access_record record;
    int64_t left_ms;

    return access_cache_find(cache, key_id, at_ms, &record, &left_ms);
}

/* The moment a key was asked for in the tests below. */
enum { THEN_MS = 1000000 };

static const struct age_row {
    const char *label;
    int64_t after_ms;
    enum access_age age;
} age_rows[] = {
    { "a key is fresh at once", 0, ACCESS_FRESH },
    { "a key is fresh for four seconds", 3999, ACCESS_FRESH },
    { "then somebody is to ask again", 4000, ACCESS_AGING },
    { "it is good until five seconds are over", 4999, ACCESS_AGING },
    { "then it is not believed", 5000, ACCESS_ABSENT },
};

static void check_age(void **state)
{
    const struct age_row *row = *state;
    struct access_cache *cache = memory_allocate_zeroed(1, sizeof(*cache));

    access_cache_start(cache);
    store(cache, "a", true, THEN_MS);
    assert_int_equal(find(cache, "a", THEN_MS + row->after_ms), row->age);
    assert_int_equal(find(cache, "b", THEN_MS + row->after_ms), ACCESS_ABSENT);
    access_cache_end(cache);
    free(cache);
}

static void one_of_all_asks_again(void **state)
{
    struct access_cache *cache = memory_allocate_zeroed(1, sizeof(*cache));

    (void)state;
    access_cache_start(cache);
    store(cache, "a", true, THEN_MS);
    assert_int_equal(find(cache, "a", THEN_MS + 4100), ACCESS_AGING);
    assert_int_equal(find(cache, "a", THEN_MS + 4100), ACCESS_FRESH);
    assert_int_equal(find(cache, "a", THEN_MS + 4300), ACCESS_FRESH);
    assert_int_equal(find(cache, "a", THEN_MS + 4700), ACCESS_AGING); /* the first did not return */
    store(cache, "a", true, THEN_MS + 4700);
    assert_int_equal(find(cache, "a", THEN_MS + 6000), ACCESS_FRESH);
    access_cache_end(cache);
    free(cache);
}

static void an_older_answer_does_not_replace_a_newer_one(void **state)
{
    struct access_cache *cache = memory_allocate_zeroed(1, sizeof(*cache));
    struct access_record record;
    int64_t left_ms;

    (void)state;
    access_cache_start(cache);
    store(cache, "a", false, THEN_MS + 10); /* revoked in between */
    store(cache, "a", true, THEN_MS);
    assert_int_equal(access_cache_find(cache, "a", THEN_MS + 20, &record, &left_ms), ACCESS_FRESH);
    assert_false(record.known);
    access_cache_end(cache);
    free(cache);
}

static void guessing_does_not_push_out_known_keys(void **state)
{
    struct access_cache *cache = memory_allocate_zeroed(1, sizeof(*cache));
    char key_id[20];

    (void)state;
    access_cache_start(cache);
    for (int i = 0; i < 100; i++) {
        text_format(key_id, sizeof(key_id), "known%d", i);
        store(cache, key_id, true, THEN_MS);
    }
    for (int i = 0; i < 10 * ACCESS_CACHE_MAX; i++) {
        text_format(key_id, sizeof(key_id), "guess%d", i);
        store(cache, key_id, false, THEN_MS + 1);
    }
    for (int i = 0; i < 100; i++) {
        text_format(key_id, sizeof(key_id), "known%d", i);
        assert_int_equal(find(cache, key_id, THEN_MS + 2), ACCESS_FRESH);
    }
    access_cache_end(cache);
    free(cache);
}

static void a_good_key_is_known_however_long_ago(void **state)
{
    struct access_cache *cache = memory_allocate_zeroed(1, sizeof(*cache));
    struct digest zeros = { .bytes = { 0 } };
    struct digest others = { .bytes = { 1 } };

    (void)state;
    access_cache_start(cache);
    store(cache, "good", true, THEN_MS);
    store(cache, "bad", false, THEN_MS);
    assert_int_equal(find(cache, "good", THEN_MS + 3600 * 1000), ACCESS_ABSENT);
    assert_true(access_cache_knew(cache, "good", zeros));
    assert_false(access_cache_knew(cache, "good", others));
    assert_false(access_cache_knew(cache, "bad", zeros));
    assert_false(access_cache_knew(cache, "nobody", zeros));
    store(cache, "good", false, THEN_MS + 1); /* revoked */
    assert_false(access_cache_knew(cache, "good", zeros));
    access_cache_end(cache);
    free(cache);
}

static void the_oldest_of_too_many_is_forgotten(void **state)
{
    struct access_cache *cache = memory_allocate_zeroed(1, sizeof(*cache));
    char key_id[20];

    (void)state;
    access_cache_start(cache);
    for (int i = 0; i < 4 * ACCESS_CACHE_MAX; i++) {
        text_format(key_id, sizeof(key_id), "known%d", i);
        store(cache, key_id, true, THEN_MS + i / 10);
    }
    assert_int_equal(find(cache, "known0", THEN_MS + 500), ACCESS_ABSENT);
    assert_int_equal(find(cache, key_id, THEN_MS + 500), ACCESS_FRESH);
    access_cache_end(cache);
    free(cache);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(crypto_start());
    TABLE_ADD(&table, a_key_speaks_for_its_merchant);
    TABLE_ADD(&table, an_operator_covers_everyone);
    TABLE_ADD(&table, a_scope_of_a_newer_version_is_passed_over);
    TABLE_ADD(&table, a_wrong_secret_and_an_unknown_key_look_alike);
    TABLE_ADD(&table, a_key_is_asked_for_once);
    TABLE_ADD(&table, what_is_malformed_asks_nobody);
    TABLE_ADD(&table, what_was_remembered_serves_while_the_database_is_away);
    TABLE_ADD(&table, of_known_keys_only_those_that_were_good_before_come_in);
    TABLE_ADD(&table, a_missing_scope_is_named);
    TABLE_ADD(&table, scopes_are_written_by_name);
    TABLE_ADD_ROWS(&table, age_rows, check_age);
    TABLE_ADD(&table, one_of_all_asks_again);
    TABLE_ADD(&table, an_older_answer_does_not_replace_a_newer_one);
    TABLE_ADD(&table, guessing_does_not_push_out_known_keys);
    TABLE_ADD(&table, a_good_key_is_known_however_long_ago);
    TABLE_ADD(&table, the_oldest_of_too_many_is_forgotten);
    return table_run(&table);
}
