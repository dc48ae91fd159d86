#include "shared/http/admission.h"

#include "shared/base/buffer.h"
#include "shared/crypto/hash.h"
#include "tests/unit/http/fake_database.h"
#include "tests/unit/table.h"

enum { FAILURES_MAX = 3, RATE = 5 };

static struct error err;

static struct gate {
    struct access_keys *keys;
    struct admission *admission;
} gate;

static void open_gate(void **state)
{
    struct admission_settings settings = { .auth_failures_max = FAILURES_MAX,
                                           .rate_per_key = RATE };

    (void)state;
    assert_true(proxies_parse("127.0.0.1", &settings.proxies, &err));
    settings.keys = gate.keys = access_keys_create(NULL);
    gate.admission = admission_create(&settings);
}

static void close_gate(void)
{
    admission_destroy(gate.admission);
    access_keys_destroy(gate.keys);
}

struct call {
    const char *from; /* behind the proxy */
    const char *authorization;
    const char *query;
    bool unlimited;
};

static bool decide(struct call call)
{
    struct head head = { .query = call.query };
    struct access access;

    if (call.authorization)
        head.headers[head.header_count++] = (struct header){ "Authorization", call.authorization };
    head.headers[head.header_count++] = (struct header){ "X-Forwarded-For", call.from };
    return admission_decide(gate.admission,
                            &(struct admission_question){ .connected = "127.0.0.1",
                                                          .head = &head,
                                                          .scopes = SCOPE_ORDERS_READ,
                                                          .unlimited = call.unlimited,
                                                          .deadline = deadline_in_ms(1000) },
                            &access, &err);
}

static void fail_from(const char *address, const char *code)
{
    assert_false(decide((struct call){ address, FAKE_KEY("nobody"), NULL, false }));
    assert_string_equal(err.code, code);
}

static void an_address_that_failed_too_often_is_told_to_wait(void **state)
{
    open_gate(state);
    for (int i = 0; i < FAILURES_MAX; i++)
        fail_from("1.1.1.1", "key_invalid");
    int asked = fake_database_asked();
    fail_from("1.1.1.1", "rate_limited");
    assert_int_equal(err.kind, ERROR_RATE_LIMITED);
    assert_in_range(err.retry_after_s, 1, 21);
    assert_int_equal(fake_database_asked(), asked);
    fail_from("2.2.2.2", "key_invalid");
    close_gate();
}

static void a_missing_and_a_malformed_key_count_as_failures(void **state)
{
    open_gate(state);
    for (int i = 0; i < FAILURES_MAX; i++)
        assert_false(decide((struct call){ "1.1.1.1", i ? NULL : "Bearer x", NULL, false }));
    fail_from("1.1.1.1", "rate_limited");
    close_gate();
}

static void who_shares_the_address_and_was_good_before_goes_on(void **state)
{
    open_gate(state);
    assert_true(decide((struct call){ "1.1.1.1", FAKE_KEY("demo"), NULL, false }));
    for (int i = 0; i < FAILURES_MAX; i++)
        fail_from("1.1.1.1", "key_invalid");
    fail_from("1.1.1.1", "rate_limited");
    assert_true(decide((struct call){ "1.1.1.1", FAKE_KEY("demo"), NULL, false }));
    assert_false(decide((struct call){ "1.1.1.1", FAKE_KEY("reader"), NULL, false }));
    assert_string_equal(err.code, "rate_limited");
    assert_true(decide((struct call){ "2.2.2.2", FAKE_KEY("reader"), NULL, false }));
    close_gate();
}

static void a_key_that_asks_too_often_is_told_to_wait(void **state)
{
    bool refused = false;

    open_gate(state);
    for (int i = 0; i < 100 && !refused; i++)
        refused = !decide((struct call){ "1.1.1.1", FAKE_KEY("demo"), NULL, false });
    assert_true(refused);
    assert_string_equal(err.code, "rate_limited");
    assert_int_equal(err.retry_after_s, 1);
    assert_true(decide((struct call){ "1.1.1.1", FAKE_KEY("reader"), NULL, false }));
    close_gate();
}

static void an_unlimited_route_does_not_count(void **state)
{
    open_gate(state);
    for (int i = 0; i < 100; i++)
        assert_true(decide((struct call){ "1.1.1.1", FAKE_KEY("demo"), NULL, true }));
    assert_true(decide((struct call){ "1.1.1.1", FAKE_KEY("demo"), NULL, false }));
    close_gate();
}

static void a_missing_scope_is_no_failure_of_the_address(void **state)
{
    open_gate(state);
    for (int i = 0; i < 2 * FAILURES_MAX; i++) {
        assert_false(decide((struct call){ "1.1.1.1", FAKE_KEY("operator"), NULL, true }));
        assert_string_equal(err.code, "missing_scope");
    }
    fail_from("1.1.1.1", "key_invalid");
    close_gate();
}

static void a_key_in_the_query_is_refused_whatever_else_is_sent(void **state)
{
    const char *query = "limit=1&key=ck_demo_" FAKE_SECRET;

    open_gate(state);
    for (int i = 0; i < 2; i++) {
        assert_false(decide((struct call){ "1.1.1.1", i ? FAKE_KEY("demo") : NULL, query, false }));
        assert_int_equal(err.kind, ERROR_UNAUTHENTICATED);
        assert_string_equal(err.code, "key_in_query");
        assert_non_null(strstr(err.detail, "Revoke the key demo"));
        assert_null(strstr(err.detail, FAKE_SECRET));
    }
    close_gate();
}

static void a_database_that_is_away_is_no_failure_of_the_address(void **state)
{
    open_gate(state);
    fake_database_set_away(true);
    for (int i = 0; i < 2 * FAILURES_MAX; i++) {
        assert_false(decide((struct call){ "1.1.1.1", FAKE_KEY("demo"), NULL, false }));
        assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    }
    fake_database_set_away(false);
    assert_true(decide((struct call){ "1.1.1.1", FAKE_KEY("demo"), NULL, false }));
    close_gate();
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(crypto_start());
    TABLE_ADD(&table, an_address_that_failed_too_often_is_told_to_wait);
    TABLE_ADD(&table, a_missing_and_a_malformed_key_count_as_failures);
    TABLE_ADD(&table, who_shares_the_address_and_was_good_before_goes_on);
    TABLE_ADD(&table, a_key_that_asks_too_often_is_told_to_wait);
    TABLE_ADD(&table, an_unlimited_route_does_not_count);
    TABLE_ADD(&table, a_missing_scope_is_no_failure_of_the_address);
    TABLE_ADD(&table, a_key_in_the_query_is_refused_whatever_else_is_sent);
    TABLE_ADD(&table, a_database_that_is_away_is_no_failure_of_the_address);
    return table_run(&table);
}
