#include "shared/http/server.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/fake_database.h"
#include "tests/unit/http/test_server.h"
#include "tests/unit/patience.h"
#include "tests/unit/table.h"

static struct test_server *test;

static bool all_wait(void *ctx)
{
    return ((struct test_server *)ctx)->waiting == TEST_THREADS;
}

static bool one_waits(void *ctx)
{
    return ((struct test_server *)ctx)->waiting == 1;
}

static void *drain(void *ctx)
{
    server_drain(ctx, deadline_in_ms(6000));
    return NULL;
}

static bool is_draining(void *ctx)
{
    return server_is_draining(((struct test_server *)ctx)->server);
}

/* As many clients as there are threads; none of them holds one for ever. */
static void clients_that_do_not_read_their_answers_hold_nobody(void **state)
{
    int wires[TEST_THREADS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wires); i++) {
        int small = 4096;
        wires[i] = wire_connect(test->port);
        assert_int_equal(setsockopt(wires[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
        assert_true(wire_send_text(wires[i], "GET /v1/large HTTP/1.1\r\n" HOST KEY END));
    }
    wire_expect(test->port, GET END, 200);
    for (size_t i = 0; i < COUNT_OF(wires); i++)
        close(wires[i]);
}

/* Those that never said anything, and those that did once. */
static void silent_connections_give_way(void **state)
{
    int wires[20 * TEST_THREADS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wires); i++)
        wires[i] = wire_connect(test->port);
    for (int i = 0; i < 2 * TEST_THREADS; i++)
        wire_expect(test->port, GET END, 200);
    for (int i = 0; i < 2 * TEST_THREADS; i++) {
        close(wires[i]);
        wires[i] = wire_connect(test->port);
        wire_goes_on(wires[i]);
    }
    for (size_t i = 0; i < COUNT_OF(wires); i++)
        close(wires[i]);
}

/* Whoever waits gets the thread of one that was idle for long; the others stay. */
static void no_more_give_way_than_wait(void **state)
{
    int idle[TEST_THREADS], left = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        idle[i] = wire_connect(test->port);
        wire_goes_on(idle[i]);
    }
    wire_expect(test->port, GET END, 200);
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        char byte;
        left += recv(idle[i], &byte, 1, MSG_DONTWAIT) < 0 ? 1 : 0;
    }
    assert_in_range(left, 1, TEST_THREADS - 1);
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        close(idle[i]);
}

/* A thread whose connection had to go serves the next one as if nothing had been. */
static void who_comes_after_is_not_told_to_go(void **state)
{
    int idle[TEST_THREADS], next[TEST_THREADS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        idle[i] = wire_connect(test->port);
        wire_goes_on(idle[i]);
    }
    for (size_t i = 0; i < COUNT_OF(next); i++) {
        next[i] = wire_connect(test->port);
        assert_true(wire_send_text(next[i], GET END));
    }
    for (size_t i = 0; i < COUNT_OF(next); i++) {
        struct wire_answer answer = wire_read(next[i], false);
        assert_int_equal(answer.status, 200);
        assert_false(answer.closes);
        wire_answer_release(&answer);
        assert_true(wire_is_closed(idle[i]));
        close(idle[i]);
    }
    for (size_t i = 0; i < COUNT_OF(next); i++) {
        wire_goes_on(next[i]);
        close(next[i]);
    }
}

static void half_a_head_is_told_when_it_gives_way(void **state)
{
    int idle[TEST_THREADS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        idle[i] = wire_connect(test->port);
        wire_goes_on(idle[i]);
        assert_true(wire_send_text(idle[i], "GET /v1/thi"));
    }
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        wire_expect(test->port, GET END, 200);
    struct wire_answer answer = wire_read(idle[0], false);
    assert_int_equal(answer.status, 408);
    wire_answer_release(&answer);
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        close(idle[i]);
}

static void health_answers_on_both_ports(void **state)
{
    static const char *const paths[] = { "/livez", "/readyz", "/metrics" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        AUTO(buffer_release) struct buffer request = BUFFER_EMPTY;
        buffer_append_format(&request, "GET %s HTTP/1.1\r\n" HOST END, paths[i]);
        struct wire_answer answer = wire_ask(test->port, request.at, false);
        assert_int_equal(answer.status, 200);
        wire_answer_release(&answer);
        answer = wire_ask(test->health_port, request.at, false);
        assert_int_equal(answer.status, 200);
        wire_answer_release(&answer);
    }
}

static void the_health_port_serves_nothing_else(void **state)
{
    (void)state;
    struct wire_answer answer = wire_ask(test->health_port, GET END, false);
    assert_int_equal(answer.status, 404);
    wire_answer_release(&answer);
}

static void health_answers_while_every_thread_is_busy(void **state)
{
    int wires[TEST_THREADS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wires); i++) {
        wires[i] = wire_connect(test->port);
        assert_true(wire_send_text(wires[i], "GET /v1/slow HTTP/1.1\r\n" HOST KEY END));
    }
    assert_true(wait_until(all_wait, test));
    struct wire_answer answer =
        wire_ask(test->health_port, "GET /livez HTTP/1.1\r\n" HOST END, false);
    assert_int_equal(answer.status, 200);
    wire_answer_release(&answer);
    test->released = true;
    for (size_t i = 0; i < COUNT_OF(wires); i++) {
        answer = wire_read(wires[i], false);
        assert_int_equal(answer.status, 200);
        wire_answer_release(&answer);
        close(wires[i]);
    }
    test->released = false;
}

static void a_page_of_a_known_origin_may_read(void **state)
{
    struct test_server *mine = test_server_start("https://a.example, https://shop.example");

    (void)state;
    struct wire_answer answer =
        wire_ask(mine->port,
                 "OPTIONS /v1/things HTTP/1.1\r\n" HOST "Origin: https://shop.example\r\n"
                 "Access-Control-Request-Method: POST\r\n" END,
                 false);
    assert_int_equal(answer.status, 204);
    assert_null(strstr(answer.head, "Content-Length"));
    assert_non_null(
        strstr(answer.head, "\r\nAccess-Control-Allow-Origin: https://shop.example\r\n"));
    assert_non_null(strstr(answer.head, "\r\nAccess-Control-Allow-Methods: GET, HEAD, POST\r\n"));
    wire_answer_release(&answer);

    answer = wire_ask(mine->port,
                      "OPTIONS /v1/things HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n"
                      "Access-Control-Request-Method: POST\r\n" END,
                      false);
    assert_int_equal(answer.status, 405);
    assert_null(strstr(answer.head, "Access-Control-Allow-Origin"));
    wire_answer_release(&answer);
    test_server_stop(mine);
}

/* The connection ends with nothing on it; whoever asks on another one is served. */
static void an_answer_may_be_lost(void **state)
{
    int wire = wire_connect(test->port);
    char byte;

    (void)state;
    assert_true(wire_send_text(wire, "GET /v1/lost HTTP/1.1\r\n" HOST KEY END));
    assert_int_equal(recv(wire, &byte, 1, 0), 0);
    close(wire);
    wire_expect(test->port, GET END, 200);
}

static void a_connection_may_be_reset(void **state)
{
    int wire = wire_connect(test->port);
    char byte;

    (void)state;
    assert_true(wire_send_text(wire, "GET /v1/reset HTTP/1.1\r\n" HOST KEY END));
    assert_int_equal(recv(wire, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(wire);
    wire_expect(test->port, GET END, 200);
}

static void draining_answers_who_is_inside_and_closes(void **state)
{
    struct test_server *mine = test_server_start("");
    int slow = wire_connect(mine->port), kept = wire_connect(mine->port);
    pthread_t thread;

    (void)state;
    assert_true(wire_send_text(kept, GET END));
    struct wire_answer answer = wire_read(kept, false);
    assert_false(answer.closes);
    wire_answer_release(&answer);
    assert_true(wire_send_text(slow, "GET /v1/slow HTTP/1.1\r\n" HOST KEY END));
    assert_true(wait_until(one_waits, mine));
    assert_int_equal(pthread_create(&thread, NULL, drain, mine->server), 0);
    assert_true(wait_until(is_draining, mine));

    answer = wire_ask(mine->health_port, "GET /readyz HTTP/1.1\r\n" HOST END, false);
    assert_int_equal(answer.status, 503);
    wire_answer_release(&answer);
    assert_true(wire_send_text(kept, GET END));
    answer = wire_read(kept, false);
    assert_int_equal(answer.status, 200);
    assert_true(answer.closes);
    assert_true(wire_is_closed(kept));
    wire_answer_release(&answer);

    mine->released = true;
    answer = wire_read(slow, false);
    assert_int_equal(answer.status, 200);
    wire_answer_release(&answer);
    pthread_join(thread, NULL);
    answer = wire_ask(mine->health_port, "GET /livez HTTP/1.1\r\n" HOST END, false);
    assert_int_equal(answer.status, 200);
    wire_answer_release(&answer);
    close(slow);
    close(kept);
    test_server_stop(mine);
}

static void an_idle_server_stops_at_once(void **state)
{
    struct test_server *mine = test_server_start("");
    int idle = wire_connect(mine->port);

    (void)state;
    int64_t began_us = clock_monotonic_us();
    server_drain(mine->server, patience_deadline(6000));
    assert_true(wire_is_closed(idle));
    test_server_stop(mine);
    assert_true(patience_lasts(began_us, 1800));
    close(idle);
}

static void a_port_that_is_taken_is_a_configuration_error(void **state)
{
    static struct error err;
    struct server *server;
    struct server_settings settings = {
        .address = "127.0.0.1",
        .port = test->port,
        .threads = 1,
        .request_timeout_ms = 1000,
        .cors_origins = "",
        .router = &test->router,
    };

    (void)state;
    assert_false(server_start(&settings, &server, &err));
    assert_int_equal(err.kind, ERROR_CONFIGURATION);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    test = test_server_start("");
    TABLE_ADD(&table, clients_that_do_not_read_their_answers_hold_nobody);
    TABLE_ADD(&table, silent_connections_give_way);
    TABLE_ADD(&table, no_more_give_way_than_wait);
    TABLE_ADD(&table, who_comes_after_is_not_told_to_go);
    TABLE_ADD(&table, half_a_head_is_told_when_it_gives_way);
    TABLE_ADD(&table, health_answers_on_both_ports);
    TABLE_ADD(&table, the_health_port_serves_nothing_else);
    TABLE_ADD(&table, health_answers_while_every_thread_is_busy);
    TABLE_ADD(&table, a_page_of_a_known_origin_may_read);
    TABLE_ADD(&table, an_answer_may_be_lost);
    TABLE_ADD(&table, a_connection_may_be_reset);
    TABLE_ADD(&table, draining_answers_who_is_inside_and_closes);
    TABLE_ADD(&table, an_idle_server_stops_at_once);
    TABLE_ADD(&table, a_port_that_is_taken_is_a_configuration_error);
    int failed = table_run(&table);
    test_server_stop(test);
    return failed;
}
