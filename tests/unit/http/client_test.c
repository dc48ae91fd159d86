#include "shared/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/fake_database.h"
#include "tests/unit/http/test_server.h"
#include "tests/unit/table.h"

static struct test_server *test;
static struct client *client;
static struct error err;

/* A request to the test server with a key; the rest is the test's. */
static struct client_request make_request(struct buffer *origin, const char *method,
                                          const char *path)
{
    buffer_append_format(origin, "http://127.0.0.1:%d", test->port);
    return (struct client_request){ .method = method,
                                    .origins = origin->at,
                                    .path = path,
                                    .authorization = FAKE_KEY("demo"),
                                    .answer_max = 10000,
                                    .deadline = deadline_in_ms(3000) };
}

/* Sends it; returns the status, 0 on failure, and the answer in `answer`. */
static int send_to(const char *method, const char *path, const char *body, const char *key,
                   struct buffer *answer)
{
    AUTO(buffer_release) struct buffer origin = BUFFER_EMPTY;
    struct client_request request = make_request(&origin, method, path);
    int status = 0;

    request.body = span_of(body);
    request.idempotency_key = key;
    return client_send(client, &request, &status, answer, &err) ? status : 0;
}

static void an_answer_is_status_and_body(void **state)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;

    (void)state;
    assert_int_equal(send_to("GET", "/v1/things/1", NULL, NULL, &answer), 200);
    assert_non_null(strstr(answer.at, "\"path\":\"/v1/things/1\""));
    assert_int_equal(send_to("GET", "/nothing", NULL, NULL, &answer), 404);
    assert_non_null(strstr(answer.at, "not_found"));
}

static void bodies_go_with_every_method(void **state)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;

    (void)state;
    assert_int_equal(send_to("POST", "/v1/things", "{}", NULL, &answer), 201);
    assert_non_null(strstr(answer.at, "\"body_length\":2"));
    assert_int_equal(send_to("PATCH", "/v1/things/1", "{\"a\":1}", NULL, &answer), 200);
    assert_non_null(strstr(answer.at, "\"body_length\":7"));
    assert_int_equal(send_to("POST", "/v1/things/1/poke", NULL, NULL, &answer), 201);
    assert_int_equal(send_to("GET", "/v1/things", NULL, NULL, &answer), 200);
    assert_int_equal(send_to("HEAD", "/v1/things", NULL, NULL, &answer), 200);
    assert_int_equal(answer.length, 0);
}

static const struct key_row {
    const char *label;
    const char *key;
    const char *shown;
} key_rows[] = {
    { "a plain key arrives", "abc-1", "\"key\":\"abc-1\"" },
    { "a key with a quote arrives", "a\"b", "\"key\":\"a\\\"b\"" },
    { "a key that is a quote arrives", "\"", "\"key\":\"\\\"\"" },
    { "a key with a backslash arrives", "a\\b", "\"key\":\"a\\\\b\"" },
    { "a key with blanks around it arrives", " a ", "\"key\":\" a \"" },
};

static void check_key(void **state)
{
    const struct key_row *row = *state;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;

    assert_int_equal(send_to("POST", "/v1/things", "{}", row->key, &answer), 201);
    assert_non_null(strstr(answer.at, row->shown));
}

static void the_trace_goes_with_it(void **state)
{
    AUTO(buffer_release) struct buffer origin = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct client_request request = make_request(&origin, "GET", "/v1/things");
    int status;

    (void)state;
    request.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_true(client_send(client, &request, &status, &answer, &err));
    assert_non_null(strstr(answer.at, "0af7651916cd43dd8448eb211c80319c"));
}

static void a_longer_answer_is_an_error(void **state)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;

    (void)state;
    assert_int_equal(send_to("GET", "/v1/large", NULL, NULL, &answer), 0);
    assert_int_equal(err.kind, ERROR_UNKNOWN_OUTCOME);
    assert_string_equal(err.code, "answer_too_large");
    assert_true(answer.length <= 10000);
}

static void nobody_there_is_unavailable(void **state)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct client_request request = { .method = "GET",
                                      .origins = "http://127.0.0.1:1",
                                      .path = "/",
                                      .answer_max = 10,
                                      .deadline = deadline_in_ms(3000) };
    int status;

    (void)state;
    assert_false(client_send(client, &request, &status, &answer, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
}

static void the_next_instance_is_asked_when_nobody_is_there(void **state)
{
    AUTO(buffer_release) struct buffer origin = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct client_request request = make_request(&origin, "GET", "/v1/things/1");
    int status = 0;

    (void)state;
    buffer_clear(&origin);
    buffer_append_format(&origin, "http://127.0.0.1:1,http://127.0.0.1:%d", test->port);
    request.origins = origin.at;
    for (int i = 0; i < 3; i++) {
        assert_true(client_send(client, &request, &status, &answer, &err));
        assert_int_equal(status, 200);
    }
    buffer_clear(&origin);
    buffer_append_format(&origin, "http://127.0.0.1:%d,http://127.0.0.1:1", test->port);
    request.origins = origin.at;
    assert_true(client_send(client, &request, &status, &answer, &err));
    request.origins = "";
    assert_false(client_send(client, &request, &status, &answer, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
}

/* Takes one connection, reads a little, and hangs up. */
static void *hang_up(void *ctx)
{
    int listener = *(int *)ctx;
    int wire = accept(listener, NULL, NULL);
    char bytes[10];

    assert(recv(wire, bytes, sizeof(bytes), 0) > 0);
    close(wire);
    return NULL;
}

/* Nor is the next one asked, which would act a second time. */
static void a_peer_that_hangs_up_may_have_acted(void **state)
{
    AUTO(buffer_release) struct buffer origin = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_t thread;
    int status;

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(pthread_create(&thread, NULL, hang_up, &listener), 0);
    struct client_request request = make_request(&origin, "POST", "/");
    buffer_clear(&origin);
    buffer_append_format(&origin, "http://127.0.0.1:%d,http://127.0.0.1:%d",
                         ntohs(address.sin_port), test->port);
    request.origins = origin.at;
    assert_false(client_send(client, &request, &status, &answer, &err));
    assert_int_equal(err.kind, ERROR_UNKNOWN_OUTCOME);
    pthread_join(thread, NULL);
    close(listener);
}

static void other_protocols_are_not_spoken(void **state)
{
    static const char *const origins[] = { "file://", "ftp://127.0.0.1", "nonsense:/" };
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    int status;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(origins); i++) {
        struct client_request request = { .method = "GET",
                                          .origins = origins[i],
                                          .path = "/etc/hostname",
                                          .answer_max = 1000,
                                          .deadline = deadline_in_ms(3000) };
        assert_false(client_send(client, &request, &status, &answer, &err));
        assert_int_equal(answer.length, 0);
    }
}

static void nobody_waits_longer_than_the_deadline(void **state)
{
    AUTO(buffer_release) struct buffer origin = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct client_request request = make_request(&origin, "GET", "/v1/slow");
    int64_t began_us = clock_monotonic_us();
    int status;

    (void)state;
    request.deadline = deadline_in_ms(300);
    assert_false(client_send(client, &request, &status, &answer, &err));
    assert_int_equal(err.kind, ERROR_DEADLINE);
    assert_true(clock_monotonic_us() - began_us < 1000 * 1000);
    request.deadline = deadline_in_ms(0);
    assert_false(client_send(client, &request, &status, &answer, &err));
    assert_int_equal(err.kind, ERROR_DEADLINE);
    test->released = true;
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(client_library_start());
    client = client_create();
    test = test_server_start("");
    TABLE_ADD(&table, an_answer_is_status_and_body);
    TABLE_ADD(&table, bodies_go_with_every_method);
    TABLE_ADD_ROWS(&table, key_rows, check_key);
    TABLE_ADD(&table, the_trace_goes_with_it);
    TABLE_ADD(&table, a_longer_answer_is_an_error);
    TABLE_ADD(&table, nobody_there_is_unavailable);
    TABLE_ADD(&table, the_next_instance_is_asked_when_nobody_is_there);
    TABLE_ADD(&table, a_peer_that_hangs_up_may_have_acted);
    TABLE_ADD(&table, other_protocols_are_not_spoken);
    TABLE_ADD(&table, nobody_waits_longer_than_the_deadline);
    int failed = table_run(&table);
    client_destroy(client);
    test_server_stop(test);
    return failed;
}
