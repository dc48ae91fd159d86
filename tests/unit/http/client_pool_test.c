#include "shared/http/client_pool.h"

#include <pthread.h>

#include "tests/unit/http/fake_database.h"
#include "tests/unit/http/test_server.h"
#include "tests/unit/patience.h"
#include "tests/unit/table.h"

static struct test_server *test;

/* Asks the test server through the pool; the status, or 0 on failure. */
static int ask(struct client_pool *pool, const char *path, struct error *err)
{
    AUTO(buffer_release) struct buffer origin = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct client_request request = { .method = "GET",
                                      .path = path,
                                      .authorization = FAKE_KEY("demo"),
                                      .answer_max = 10000,
                                      .deadline = patience_deadline(3000) };
    int status = 0;

    buffer_append_format(&origin, "http://127.0.0.1:%d", test->port);
    request.origins = origin.at;
    return client_pool_send(pool, &request, &status, &answer, err) ? status : 0;
}

static void a_client_is_lent_for_one_request_after_another(void **state)
{
    struct client_pool *pool = client_pool_create(1);
    struct error err;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(pool, "/v1/things/1", &err), 200);
    client_pool_destroy(pool);
}

static void *ask_slowly(void *pool)
{
    struct error err;

    assert_int_equal(ask(pool, "/v1/slow", &err), 200);
    return NULL;
}

static bool somebody_waits(void *ctx)
{
    return ((struct test_server *)ctx)->waiting > 0;
}

static void whoever_finds_all_at_work_is_refused_at_once(void **state)
{
    struct client_pool *pool = client_pool_create(1);
    struct error err = { .code = "" };
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, ask_slowly, pool), 0);
    assert_true(wait_until(somebody_waits, test));
    assert_int_equal(ask(pool, "/v1/things/1", &err), 0);
    assert_int_equal(err.kind, ERROR_OVERLOADED);
    assert_string_equal(err.code, "peer_busy");
    test->released = true;
    pthread_join(thread, NULL);
    assert_int_equal(ask(pool, "/v1/things/1", &err), 200);
    client_pool_destroy(pool);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(client_library_start());
    test = test_server_start("");
    TABLE_ADD(&table, a_client_is_lent_for_one_request_after_another);
    TABLE_ADD(&table, whoever_finds_all_at_work_is_refused_at_once);
    int failed = table_run(&table);
    test_server_stop(test);
    return failed;
}
