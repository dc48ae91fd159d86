#include "shared/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/fake_database.h"
#include "tests/unit/http/test_server.h"
#include "tests/unit/patience.h"
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
                                    .deadline = patience_deadline(3000) };
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
                                      .deadline = patience_deadline(3000) };
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

/* --- a peer that does as it is told ----------------------------------------------------------- */

/* What it does with one request. */
struct act {
    const char *answer; /* NULL: none */
    bool closes;        /* the connection behind it, and waits for another */
};

enum { ACTS_MAX = 4, SEEN_SIZE = 4096 };

struct actor {
    int listener;
    uint16_t port;
    struct act acts[ACTS_MAX]; /* up to the first that does nothing */
    bool leaves_early;         /* nobody listens any more when the last request is read */
    int served;
    char seen[SEEN_SIZE]; /* the last request */
    pthread_t thread;
};

/* One request, whole if its body follows its head at once; false when the other side has closed. */
static bool read_request(int wire, char *out)
{
    size_t length = 0;

    out[0] = '\0';
    while (!strstr(out, "\r\n\r\n")) {
        ssize_t got = recv(wire, out + length, SEEN_SIZE - 1 - length, 0);
        if (got <= 0)
            return false;
        length += (size_t)got;
        out[length] = '\0';
    }
    return true;
}

static bool is_last(const struct act *act)
{
    return !act[1].answer && !act[1].closes;
}

static void *play(void *ctx)
{
    struct actor *actor = ctx;
    int wire = -1;

    for (const struct act *act = actor->acts; act->answer || act->closes; act++) {
        if (wire < 0)
            wire = accept(actor->listener, NULL, NULL);
        if (actor->leaves_early && is_last(act))
            close(actor->listener);
        if (!read_request(wire, actor->seen))
            break;
        actor->served++;
        if (act->answer)
            wire_send_text(wire, act->answer);
        if (act->closes) {
            close(wire);
            wire = -1;
        }
    }
    if (wire >= 0) {
        char byte;
        (void)!recv(wire, &byte, 1, 0); /* until the other side has closed */
        close(wire);
    }
    return NULL;
}

static void actor_start(struct actor *actor)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);

    actor->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(actor->listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(actor->listener, ACTS_MAX), 0);
    assert_int_equal(getsockname(actor->listener, (struct sockaddr *)&address, &length), 0);
    actor->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&actor->thread, NULL, play, actor), 0);
}

/* Clients have closed their connections. */
static void actor_stop(struct actor *actor)
{
    pthread_join(actor->thread, NULL);
    if (!actor->leaves_early)
        close(actor->listener);
}

/* A request to the peer and then, should it not be asked or not take it, to the test server. */
static struct client_request to_actor(struct buffer *origins, const struct actor *actor)
{
    struct client_request request = make_request(origins, "POST", "/v1/things");

    buffer_clear(origins);
    buffer_append_format(origins, "http://127.0.0.1:%d,http://127.0.0.1:%d", actor->port,
                         test->port);
    request.origins = origins->at;
    request.body = span_of("{}");
    return request;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"

static void what_a_request_does_not_say_is_json(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer origins = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct actor actor = { .acts = { { OK "\r\n", false } } };
    struct client *other = client_create();
    int status;

    actor_start(&actor);
    struct client_request request = to_actor(&origins, &actor);
    assert_true(client_send(other, &request, &status, &answer, &err));
    client_destroy(other);
    actor_stop(&actor);
    assert_non_null(strstr(actor.seen, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(actor.seen, "\r\nAccept: application/json\r\n"));
}

static void further_headers_go_with_it(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer origins = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct actor actor = { .acts = { { OK "\r\n", false } } };
    struct client *other = client_create();
    int status;

    actor_start(&actor);
    struct client_request request = to_actor(&origins, &actor);
    request.content_type = "text/xml; charset=utf-8";
    request.accept = "text/xml";
    request.headers[0] = (struct client_header){ "SOAPAction", "\"urn:bank#Authorize\"" };
    request.headers[1] = (struct client_header){ "X-Left-Out", NULL };
    request.headers[2] = (struct client_header){ "X-Empty", "" };
    request.headers[3] = (struct client_header){ "X-Fourth", "4" };
    assert_true(client_send(other, &request, &status, &answer, &err));
    client_destroy(other);
    actor_stop(&actor);
    assert_non_null(strstr(actor.seen, "\r\nContent-Type: text/xml; charset=utf-8\r\n"));
    assert_non_null(strstr(actor.seen, "\r\nAccept: text/xml\r\n"));
    assert_non_null(strstr(actor.seen, "\r\nSOAPAction: \"urn:bank#Authorize\"\r\n"));
    assert_non_null(strstr(actor.seen, "\r\nX-Fourth: 4\r\n"));
    assert_null(strstr(actor.seen, "X-Left-Out"));
    assert_null(strstr(actor.seen, "X-Empty"));
    assert_null(strstr(actor.seen, "application/json"));
}

#define REFUSAL "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"

static const struct retry_row {
    const char *label;
    const char *answer;
    int64_t least_s, most_s;
} retry_rows[] = {
    { "without Retry-After there is none", REFUSAL "\r\n", 0, 0 },
    { "Retry-After is told in seconds", REFUSAL "Retry-After: 7\r\n\r\n", 7, 7 },
    { "of an answer that is fine too", OK "Retry-After: 2\r\n\r\n", 2, 2 },
    { "a date that is over is none", REFUSAL "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n",
      0, 0 },
    { "a date far away is the longest",
      REFUSAL "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n\r\n", CLIENT_RETRY_AFTER_MAX_S,
      CLIENT_RETRY_AFTER_MAX_S },
    { "so is a number that is too large", REFUSAL "Retry-After: 99999999999999\r\n\r\n",
      CLIENT_RETRY_AFTER_MAX_S, CLIENT_RETRY_AFTER_MAX_S },
    { "a negative one is none", REFUSAL "Retry-After: -5\r\n\r\n", 0, 0 },
    { "what can not be read is none", REFUSAL "Retry-After: soon\r\n\r\n", 0, 0 },
};

static void check_retry(void **state)
{
    const struct retry_row *row = *state;
    AUTO(buffer_release) struct buffer origins = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct actor actor = { .acts = { { row->answer, false } } };
    struct client *other = client_create();
    int64_t retry_after_s = 42;
    int status;

    actor_start(&actor);
    struct client_request request = to_actor(&origins, &actor);
    request.retry_after_s = &retry_after_s;
    assert_true(client_send(other, &request, &status, &answer, &err));
    client_destroy(other);
    actor_stop(&actor);
    assert_true(retry_after_s >= row->least_s && retry_after_s <= row->most_s);
}

static void nobody_is_followed_elsewhere(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer origins = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer redirect = BUFFER_EMPTY;
    struct client *other = client_create();
    struct actor actor = { .served = 0 };
    int status = 0, handled = test->handled;

    buffer_append_format(&redirect,
                         "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n"
                         "Location: http://127.0.0.1:%d/v1/things\r\n\r\n",
                         test->port);
    actor.acts[0] = (struct act){ redirect.at, false };
    actor_start(&actor);
    struct client_request request = to_actor(&origins, &actor);
    assert_true(client_send(other, &request, &status, &answer, &err));
    client_destroy(other);
    actor_stop(&actor);
    assert_int_equal(status, 307);
    assert_int_equal(test->handled, handled);
}

/* What a request meets, and what may have become of it. */
static const struct outcome_row {
    const char *label;
    struct act acts[ACTS_MAX];
    bool leaves_early;
    int requests;         /* how many are sent */
    enum error_kind kind; /* of the last one's failure; ERROR_NONE: it succeeds, as all before */
} outcome_rows[] = {
    { "a peer that hangs up may have acted", { { NULL, true } }, false, 1, ERROR_UNKNOWN_OUTCOME },
    { "so may one that hangs up within its answer",
      { { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true } },
      false,
      1,
      ERROR_UNKNOWN_OUTCOME },
    { "so may one that says what is no HTTP",
      { { "\x01\x02\r\n\r\n", true } },
      false,
      1,
      ERROR_UNKNOWN_OUTCOME },
    { "so may one that stops within its answer",
      { { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false } },
      false,
      1,
      ERROR_DEADLINE },
    { "so may one that took it on a kept connection, hung up, and is gone",
      { { OK "\r\n", false }, { NULL, true } },
      true,
      2,
      ERROR_UNKNOWN_OUTCOME },
    { "a kept connection that was closed is replaced",
      { { OK "\r\n", true }, { OK "\r\n", false } },
      false,
      2,
      ERROR_NONE },
};

/* Nor is the next one asked, which would act a second time. */
static void check_outcome(void **state)
{
    const struct outcome_row *row = *state;
    AUTO(buffer_release) struct buffer origins = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct actor actor = { .leaves_early = row->leaves_early };
    struct client *other = client_create();
    int status, handled = test->handled;

    memcpy(actor.acts, row->acts, sizeof(actor.acts));
    actor_start(&actor);
    for (int i = 1; i <= row->requests; i++) {
        bool fails = i == row->requests && row->kind != ERROR_NONE;
        struct client_request request = to_actor(&origins, &actor);
        request.deadline = row->kind == ERROR_DEADLINE && fails ? deadline_in_ms(300)
                                                                : patience_deadline(3000);
        assert_int_equal(client_send(other, &request, &status, &answer, &err), !fails);
        if (fails)
            assert_int_equal(err.kind, row->kind);
    }
    client_destroy(other);
    actor_stop(&actor);
    assert_int_equal(actor.served, row->requests);
    assert_int_equal(test->handled, handled);
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
                                          .deadline = patience_deadline(3000) };
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
    assert_true(patience_lasts(began_us, 1000));
    test->released = true;
}

static void without_any_time_nothing_is_sent(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer origin = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct client_request request = make_request(&origin, "GET", "/v1/things");
    int status, handled = test->handled;

    request.deadline = deadline_in_ms(0);
    assert_false(client_send(client, &request, &status, &answer, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_int_equal(test->handled, handled);
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
    TABLE_ADD(&table, what_a_request_does_not_say_is_json);
    TABLE_ADD(&table, further_headers_go_with_it);
    TABLE_ADD_ROWS(&table, retry_rows, check_retry);
    TABLE_ADD(&table, nobody_is_followed_elsewhere);
    TABLE_ADD_ROWS(&table, outcome_rows, check_outcome);
    TABLE_ADD(&table, other_protocols_are_not_spoken);
    TABLE_ADD(&table, nobody_waits_longer_than_the_deadline);
    TABLE_ADD(&table, without_any_time_nothing_is_sent);
    int failed = table_run(&table);
    client_destroy(client);
    test_server_stop(test);
    return failed;
}
