#include "shared/http/credentials.h"

#include "tests/unit/table.h"

#define SECRET_32 "abcdefghijABCDEFGHIJ0123456789xy"
#define SECRET_64 SECRET_32 SECRET_32
#define ID_32     "abcdefghijklmnopqrstuvwxyz012345"

static const struct row {
    const char *label;
    const char *authorization;
    const char *key_id; /* NULL: refused, with the code */
    const char *secret_or_code;
} rows[] = {
    { "a key is read", "Bearer ck_demo1_" SECRET_32, "demo1", SECRET_32 },
    { "the scheme has no case", "bEARER ck_demo1_" SECRET_32, "demo1", SECRET_32 },
    { "there may be more blanks", "Bearer   ck_demo1_" SECRET_32 " ", "demo1", SECRET_32 },
    { "the longest is read", "Bearer ck_" ID_32 "_" SECRET_64, ID_32, SECRET_64 },
    { "the shortest is read", "Bearer ck_a_" SECRET_32, "a", SECRET_32 },
    { "no header is missing", NULL, NULL, "key_missing" },
    { "an empty header is malformed", "", NULL, "key_malformed" },
    { "another scheme is malformed", "Basic ck_demo1_" SECRET_32, NULL, "key_malformed" },
    { "no blank is malformed", "Bearerck_demo1_" SECRET_32, NULL, "key_malformed" },
    { "no scheme is malformed", "ck_demo1_" SECRET_32, NULL, "key_malformed" },
    { "another prefix is malformed", "Bearer sk_demo1_" SECRET_32, NULL, "key_malformed" },
    { "the prefix has a case", "Bearer CK_demo1_" SECRET_32, NULL, "key_malformed" },
    { "no id is malformed", "Bearer ck__" SECRET_32, NULL, "key_malformed" },
    { "an id has small letters", "Bearer ck_Demo_" SECRET_32, NULL, "key_malformed" },
    { "an id has no dashes", "Bearer ck_de-mo_" SECRET_32, NULL, "key_malformed" },
    { "a longer id is malformed", "Bearer ck_" ID_32 "6_" SECRET_32, NULL, "key_malformed" },
    { "no secret is malformed", "Bearer ck_demo1_", NULL, "key_malformed" },
    { "a shorter secret is malformed", "Bearer ck_demo1_abcdefghijABCDEFGHIJ0123456789x", NULL,
      "key_malformed" },
    { "a longer secret is malformed", "Bearer ck_demo1_" SECRET_64 "x", NULL, "key_malformed" },
    { "a secret has no underscores", "Bearer ck_demo1_" SECRET_32 "_a", NULL, "key_malformed" },
    { "two keys are malformed", "Bearer ck_demo1_" SECRET_32 ", Bearer ck_demo1_" SECRET_32, NULL,
      "key_malformed" },
};

static void check_row(void **state)
{
    static struct error err;
    const struct row *row = *state;
    struct credentials credentials;
    bool read = credentials_parse(row->authorization, &credentials, &err);

    assert_int_equal(read, row->key_id != NULL);
    if (!read) {
        assert_int_equal(err.kind, ERROR_UNAUTHENTICATED);
        assert_string_equal(err.code, row->secret_or_code);
        return;
    }
    assert_string_equal(credentials.key_id, row->key_id);
    assert_true(digest_equal(credentials.secret_hash, hash_sha256(span_of(row->secret_or_code))));
}

static const struct query_row {
    const char *label;
    const char *query;
    const char *key_id; /* NULL: there is no key */
} query_rows[] = {
    { "a key as a parameter is found", "limit=1&key=ck_demo1_" SECRET_32 "&a=b", "demo1" },
    { "a key alone is found", "ck_demo1_" SECRET_64, "demo1" },
    { "the second beginning is looked at too", "ck_ck_demo1_" SECRET_32, "demo1" },
    { "a secret that is too short is none", "key=ck_demo1_abc", NULL },
    { "no secret is none", "client_reference=ck_demo1_", NULL },
    { "an empty query has none", "", NULL },
};

static void check_query(void **state)
{
    const struct query_row *row = *state;
    char key_id[ACCESS_KEY_ID_MAX + 1] = "";

    assert_int_equal(credentials_find_key(row->query, key_id), row->key_id != NULL);
    assert_string_equal(key_id, row->key_id ? row->key_id : "");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(crypto_start());
    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD_ROWS(&table, query_rows, check_query);
    return table_run(&table);
}
