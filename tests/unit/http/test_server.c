#include "tests/unit/http/test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/crypto/hash.h"
#include "shared/json/json_writer.h"
#include "tests/unit/http/fake_database.h"
#include "tests/unit/patience.h"
#include "tests/unit/table.h"

enum { ANSWER_MS = 5000, CLOSE_MS = 3000, LARGE_BYTES = 10 * 1000 * 1000 };

/* Shows the request. */
static bool show(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct test_server *test = ctx;
    struct json_writer json = { .out = &reply->body };

    (void)err;
    test->handled++;
    json_begin_object(&json);
    json_member_text(&json, "route", req->route);
    json_member_text(&json, "path", req->path);
    json_member_text(&json, "query", req->query);
    json_member_text(&json, "merchant", req->caller.access.merchant);
    json_member_integer(&json, "body_length", (int64_t)req->body.length);
    json_member_text(&json, "key", req->idempotency.key);
    json_member_text(&json, "scope", req->idempotency.scope);
    json_member_text(&json, "hash", digest_text(req->idempotency.body_hash).text);
    json_member_text(&json, "trace_id", req->caller.trace.trace_id);
    json_end_object(&json);
    return reply_json(reply, req->method == HTTP_POST ? HTTP_CREATED : HTTP_OK);
}

static bool is_released(void *ctx)
{
    return ((struct test_server *)ctx)->released;
}

static bool wait_for_release(void *ctx, const struct request *req, struct reply *reply,
                             struct error *err)
{
    struct test_server *test = ctx;

    test->waiting++;
    bool released = wait_until(is_released, test);
    test->waiting--;
    return released ? show(ctx, req, reply, err)
                    : error_set(err, ERROR_INTERNAL, "never_released", "the test forgot me");
}

static bool write_large(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    (void)ctx, (void)req, (void)err;
    buffer_reserve(&reply->body, LARGE_BYTES);
    while (reply->body.length < LARGE_BYTES)
        buffer_append(&reply->body, "0123456789");
    return reply_json(reply, HTTP_OK);
}

/* Where the last body on this thread stood; a connection's requests are served by one thread. */
static _Thread_local struct span remembered;

static bool remember(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    remembered = req->body;
    return show(ctx, req, reply, err);
}

/* Shows what stands there now. */
static bool recall(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    (void)ctx, (void)req, (void)err;
    buffer_append_span(&reply->body, remembered);
    return reply_json(reply, HTTP_OK);
}

static bool fail_inside(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    (void)ctx, (void)req;
    buffer_append(&reply->body, "half an answer");
    return error_set(err, ERROR_INTERNAL, "secret_code", "/etc/passwd 23505");
}

static bool lose(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    reply->fate = REPLY_LOST;
    return show(ctx, req, reply, err);
}

static bool reset(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    reply->fate = REPLY_RESET;
    return show(ctx, req, reply, err);
}

static const struct route routes[] = {
    { HTTP_GET, "/v1/things", SCOPE_ORDERS_READ, 0, show },
    { HTTP_POST, "/v1/things", SCOPE_ORDERS_WRITE, ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY, show },
    { HTTP_GET, "/v1/things/{id}", SCOPE_ORDERS_READ, 0, show },
    { HTTP_PATCH, "/v1/things/{id}", SCOPE_ORDERS_WRITE, ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY, show },
    { HTTP_POST, "/v1/things/{id}/poke", SCOPE_ORDERS_WRITE, 0, show },
    { HTTP_POST, "/v1/payments", SCOPE_ORDERS_WRITE, ROUTE_BODY | ROUTE_KEY_REQUIRED, show },
    { HTTP_POST, "/v1/xml", SCOPE_ORDERS_WRITE, ROUTE_BODY | ROUTE_XML, show },
    { HTTP_POST, "/v1/open", SCOPE_ORDERS_WRITE, ROUTE_BODY, remember },
    { HTTP_POST, "/v1/secret", SCOPE_ORDERS_WRITE,
      ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY | ROUTE_SECRET_BODY, remember },
    { HTTP_GET, "/v1/remembered", SCOPE_ORDERS_READ, 0, recall },
    { HTTP_GET, "/v1/operator", SCOPE_OPERATOR, 0, show },
    { HTTP_POST, "/v1/public", 0, ROUTE_PUBLIC | ROUTE_BODY, show },
    { HTTP_GET, "/v1/slow", SCOPE_ORDERS_READ, 0, wait_for_release },
    { HTTP_GET, "/v1/large", SCOPE_ORDERS_READ, 0, write_large },
    { HTTP_GET, "/v1/broken", SCOPE_ORDERS_READ, 0, fail_inside },
    { HTTP_GET, "/v1/lost", SCOPE_ORDERS_READ, 0, lose },
    { HTTP_GET, "/v1/reset", SCOPE_ORDERS_READ, 0, reset },
};

static bool is_draining(void *ctx)
{
    const struct test_server *test = ctx;

    return test->server && server_is_draining(test->server);
}

/* A port that was free a moment ago, because 0 means that there is no health port. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(probe, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &length), 0);
    close(probe);
    return ntohs(address.sin_port);
}

struct test_server *test_server_start(const char *origins)
{
    static struct error err;
    struct test_server *test = memory_allocate_zeroed(1, sizeof(*test));

    assert_true(crypto_start());
    test->health.service = "test";
    test->health.is_draining = is_draining;
    test->health.is_draining_ctx = test;
    router_add(&test->router, routes, COUNT_OF(routes), test);
    health_add_routes(&test->health, &test->router);
    test->keys = access_keys_create(NULL);
    test->admission = admission_create(&(struct admission_settings){
        .keys = test->keys, .auth_failures_max = 1000, .rate_per_key = 100000 });
    test->health_port = free_port();
    struct server_settings settings = {
        .address = "127.0.0.1",
        .health_port = test->health_port,
        .threads = TEST_THREADS,
        .body_max = TEST_BODY_MAX,
        .request_timeout_ms = TEST_TIMEOUT_MS,
        .keep_alive_ms = TEST_KEEP_ALIVE_MS,
        .cors_origins = origins,
        .router = &test->router,
        .admission = test->admission,
    };
    assert_true(server_start(&settings, &test->server, &err));
    test->port = (uint16_t)server_port(test->server);
    return test;
}

void test_server_stop(struct test_server *test)
{
    server_stop(test->server);
    admission_destroy(test->admission);
    access_keys_destroy(test->keys);
    free(test);
}

int wire_connect(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int wire = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    assert_int_equal(connect(wire, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setsockopt(wire, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    return wire;
}

bool wire_send(int wire, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t sent = send(wire, at, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool wire_send_text(int wire, const char *text)
{
    return wire_send(wire, text, strlen(text));
}

/* Reads up to `size` bytes; 0 at the end, when it was reset, or when nothing comes in time. */
static size_t read_some(int wire, char *out, size_t size, struct deadline deadline)
{
    struct pollfd pollfd = { .fd = wire, .events = POLLIN };

    if (poll(&pollfd, 1, deadline_left_ms(deadline)) != 1)
        return 0;
    ssize_t got = recv(wire, out, size, 0);
    return got > 0 ? (size_t)got : 0;
}

/* Byte by byte, so that nothing of what follows is taken. */
static bool read_head(int wire, char *head, size_t size, struct deadline deadline)
{
    size_t length = 0;

    while (length + 1 < size && read_some(wire, head + length, 1, deadline) == 1) {
        head[++length] = '\0';
        if (length >= 4 && strcmp(head + length - 4, "\r\n\r\n") == 0)
            return true;
    }
    head[length] = '\0';
    return false;
}

static bool read_body(int wire, struct buffer *body, size_t length, struct deadline deadline)
{
    char piece[4096];

    while (length > 0) {
        size_t got =
            read_some(wire, piece, length < sizeof(piece) ? length : sizeof(piece), deadline);
        if (got == 0)
            return false;
        buffer_append_bytes(body, piece, got);
        length -= got;
    }
    return true;
}

struct wire_answer wire_read(int wire, bool head_only)
{
    struct wire_answer answer = { .status = 0 };
    struct deadline deadline = patience_deadline(ANSWER_MS);
    int64_t number = 0;

    if (!read_head(wire, answer.head, sizeof(answer.head), deadline) ||
        strncmp(answer.head, "HTTP/1.1 ", 9) != 0 ||
        !number_parse((struct span){ answer.head + 9, 3 }, &number))
        return answer;
    answer.status = (int)number;
    answer.closes = strstr(answer.head, "\r\nConnection: close\r\n") != NULL;
    const char *length = strstr(answer.head, "\r\nContent-Length: ");
    if (!length || head_only)
        return answer;
    length += strlen("\r\nContent-Length: ");
    assert_true(number_parse((struct span){ length, strcspn(length, "\r") }, &number));
    if (!read_body(wire, &answer.body, (size_t)number, deadline))
        answer.status = 0;
    return answer;
}

void wire_answer_release(struct wire_answer *answer)
{
    buffer_release(&answer->body);
}

struct wire_answer wire_ask(uint16_t port, const char *request, bool head_only)
{
    int wire = wire_connect(port);

    assert_true(wire_send_text(wire, request));
    struct wire_answer answer = wire_read(wire, head_only);
    close(wire);
    return answer;
}

void wire_expect(uint16_t port, const char *request, int status)
{
    struct wire_answer answer = wire_ask(port, request, false);

    assert_int_equal(answer.status, status);
    wire_answer_release(&answer);
}

void wire_goes_on(int wire)
{
    assert_true(wire_send_text(wire, "GET /v1/things/next HTTP/1.1\r\n" HOST KEY END));
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body.at, "/v1/things/next"));
    wire_answer_release(&answer);
}

bool wire_is_closed(int wire)
{
    struct pollfd pollfd = { .fd = wire, .events = POLLIN };
    char byte;

    return poll(&pollfd, 1, (int)patience_ms(CLOSE_MS)) == 1 && recv(wire, &byte, 1, 0) <= 0;
}

bool wait_until(bool (*condition)(void *ctx), void *ctx)
{
    struct deadline deadline = patience_deadline(ANSWER_MS);

    while (!condition(ctx)) {
        if (deadline_passed(deadline))
            return false;
        poll(NULL, 0, 2);
    }
    return true;
}
