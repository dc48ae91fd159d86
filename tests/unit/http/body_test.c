#include "shared/http/body.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/fake_database.h"
#include "tests/unit/http/test_server.h"
#include "tests/unit/patience.h"
#include "tests/unit/table.h"

static struct test_server *test;

static void pipelined_requests_are_answered_in_order(void **state)
{
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(wire_send_text(wire, "GET /v1/things/1 HTTP/1.1\r\n" HOST KEY END POST JSON
                                     "Content-Length: 2\r\n" END "{}"
                                     "GET /nothing HTTP/1.1\r\n" HOST END
                                     "GET /v1/things/4 HTTP/1.1\r\n" HOST KEY END));
    static const int statuses[] = { 200, 201, 404, 200 };
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct wire_answer answer = wire_read(wire, false);
        assert_int_equal(answer.status, statuses[i]);
        if (i == 3)
            assert_non_null(strstr(answer.body.at, "/v1/things/4"));
        wire_answer_release(&answer);
    }
    close(wire);
}

static void what_follows_an_ambiguous_request_is_not_served(void **state)
{
    int handled = test->handled;
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(wire_send_text(wire,
                               POST JSON "Content-Length: 2\r\nContent-Length: 50\r\n" END
                                         "{}GET /v1/things/smuggled HTTP/1.1\r\n" HOST KEY END));
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 400);
    assert_true(wire_is_closed(wire));
    assert_int_equal(test->handled, handled);
    wire_answer_release(&answer);
    close(wire);
}

static void a_client_that_closes_its_half_is_still_answered(void **state)
{
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(wire_send_text(wire, POST JSON "Content-Length: 2\r\n" END "{}"));
    shutdown(wire, SHUT_WR);
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 201);
    wire_answer_release(&answer);
    close(wire);
}

static void a_body_that_ends_early_has_no_effect(void **state)
{
    int handled = test->handled;
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(wire_send_text(wire, POST JSON "Content-Length: 20\r\n" END "{}"));
    shutdown(wire, SHUT_WR);
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.body.at, "body_incomplete"));
    assert_int_equal(test->handled, handled);
    wire_answer_release(&answer);
    close(wire);
}

static void a_reset_in_the_middle_harms_nobody(void **state)
{
    static const char request[] = POST JSON "Content-Length: 20\r\n" END "{}";
    struct linger linger = { 1, 0 };
    int handled = test->handled;

    (void)state;
    for (size_t length = 1; length < sizeof(request); length += 7) {
        int wire = wire_connect(test->port);
        assert_true(wire_send(wire, request, length));
        assert_int_equal(setsockopt(wire, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        close(wire);
    }
    wire_expect(test->port, GET END, 200);
    assert_int_equal(test->handled, handled + 1);
}

static void a_body_in_single_bytes_is_put_together(void **state)
{
    static const char body[] = "{\"a\":1234}";
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(wire_send_text(wire, POST JSON "Content-Length: 10\r\n" END));
    for (size_t i = 0; i < sizeof(body) - 1; i++) {
        assert_true(wire_send(wire, body + i, 1));
        poll(NULL, 0, 5);
    }
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 201);
    assert_non_null(strstr(answer.body.at, "\"body_length\":10"));
    wire_goes_on(wire);
    wire_answer_release(&answer);
    close(wire);
}

static void a_body_of_the_longest_length_is_taken(void **state)
{
    AUTO(buffer_release) struct buffer request = BUFFER_EMPTY;

    (void)state;
    buffer_append(&request, POST JSON "Content-Length: 1000\r\n" END);
    for (int i = 0; i < 1000; i++)
        buffer_append(&request, "x");
    wire_expect(test->port, request.at, 201);
}

static void chunks_beyond_the_limit_are_too_large(void **state)
{
    AUTO(buffer_release) struct buffer request = BUFFER_EMPTY;

    (void)state;
    buffer_append(&request, POST JSON "Transfer-Encoding: chunked\r\n" END);
    for (int i = 0; i < 101; i++)
        buffer_append(&request, "a\r\n0123456789\r\n");
    buffer_append(&request, "0\r\n\r\n");
    wire_expect(test->port, request.at, 413);
}

static void an_answer_reaches_a_client_that_is_still_sending(void **state)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    int wire = wire_connect(test->port);

    (void)state;
    while (body.length < 500000)
        buffer_append(&body, "0123456789012345678901234567890123456789");
    assert_true(wire_send_text(wire, POST JSON "Content-Length: 500000\r\n" END));
    assert_true(wire_send(wire, body.at, 500000));
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 413);
    assert_true(wire_is_closed(wire));
    wire_answer_release(&answer);
    close(wire);
}

static void a_body_that_drips_is_cut_at_the_deadline(void **state)
{
    int handled = test->handled;
    int wire = wire_connect(test->port);
    struct deadline deadline = patience_deadline(4000);
    struct wire_answer answer = { .status = 0 };

    (void)state;
    assert_true(wire_send_text(wire, POST JSON "Content-Length: 900\r\n" END));
    int64_t began_us = clock_monotonic_us();
    while (!deadline_passed(deadline)) {
        struct pollfd pollfd = { .fd = wire, .events = POLLIN };
        if (poll(&pollfd, 1, 20) == 1) {
            answer = wire_read(wire, false);
            break;
        }
        wire_send_text(wire, " ");
    }
    assert_int_equal(answer.status, 408);
    assert_true(answer.closes);
    assert_true(patience_lasts(began_us, TEST_TIMEOUT_MS + 800));
    assert_int_equal(test->handled, handled);
    assert_true(wire_is_closed(wire));
    wire_answer_release(&answer);
    close(wire);
}

static void chunks_that_drip_are_cut_at_the_deadline(void **state)
{
    int wire = wire_connect(test->port);
    struct deadline deadline = patience_deadline(4000);
    struct wire_answer answer = { .status = 0 };

    (void)state;
    assert_true(wire_send_text(wire, POST JSON "Transfer-Encoding: chunked\r\n" END));
    while (!deadline_passed(deadline) && answer.status == 0) {
        struct pollfd pollfd = { .fd = wire, .events = POLLIN };
        if (poll(&pollfd, 1, 20) == 1)
            answer = wire_read(wire, false);
        else
            wire_send_text(wire, "1\r\n \r\n");
    }
    assert_int_equal(answer.status, 408);
    wire_answer_release(&answer);
    close(wire);
}

static void a_hundred_is_sent_when_it_is_waited_for(void **state)
{
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(
        wire_send_text(wire, POST JSON "Expect: 100-continue\r\nContent-Length: 2\r\n" END));
    struct wire_answer interim = wire_read(wire, false);
    assert_int_equal(interim.status, 100);
    assert_true(wire_send_text(wire, "{}"));
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 201);
    wire_goes_on(wire);
    wire_answer_release(&answer);
    close(wire);
}

static void no_hundred_is_sent_to_whom_is_refused(void **state)
{
    (void)state;
    wire_expect(test->port,
                "POST /v1/things HTTP/1.1\r\n" HOST JSON
                "Expect: 100-continue\r\nContent-Length: 2\r\n" END,
                401);
    wire_expect(test->port, POST JSON "Expect: 100-continue\r\nContent-Length: 2000\r\n" END, 413);
}

/* The library looks at the whole head's time, so nothing of ours is needed. */
static void a_head_that_drips_is_cut(void **state)
{
    int wire = wire_connect(test->port);
    struct deadline deadline = patience_deadline(4000);
    struct wire_answer answer = { .status = 0 };

    (void)state;
    assert_true(wire_send_text(wire, "GET /"));
    while (!deadline_passed(deadline) && answer.status == 0) {
        struct pollfd pollfd = { .fd = wire, .events = POLLIN };
        if (poll(&pollfd, 1, 20) == 1)
            answer = wire_read(wire, false);
        else
            wire_send_text(wire, "x");
    }
    assert_int_equal(answer.status, 408);
    assert_true(wire_is_closed(wire));
    wire_answer_release(&answer);
    close(wire);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    test = test_server_start("");
    TABLE_ADD(&table, pipelined_requests_are_answered_in_order);
    TABLE_ADD(&table, what_follows_an_ambiguous_request_is_not_served);
    TABLE_ADD(&table, a_client_that_closes_its_half_is_still_answered);
    TABLE_ADD(&table, a_body_that_ends_early_has_no_effect);
    TABLE_ADD(&table, a_reset_in_the_middle_harms_nobody);
    TABLE_ADD(&table, a_body_in_single_bytes_is_put_together);
    TABLE_ADD(&table, a_body_of_the_longest_length_is_taken);
    TABLE_ADD(&table, chunks_beyond_the_limit_are_too_large);
    TABLE_ADD(&table, an_answer_reaches_a_client_that_is_still_sending);
    TABLE_ADD(&table, a_body_that_drips_is_cut_at_the_deadline);
    TABLE_ADD(&table, chunks_that_drip_are_cut_at_the_deadline);
    TABLE_ADD(&table, a_hundred_is_sent_when_it_is_waited_for);
    TABLE_ADD(&table, no_hundred_is_sent_to_whom_is_refused);
    TABLE_ADD(&table, a_head_that_drips_is_cut);
    int failed = table_run(&table);
    test_server_stop(test);
    return failed;
}
