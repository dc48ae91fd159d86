/*
 * Test server: a server with handlers that show what they were given, and a client that speaks
 * bytes.
 */
#ifndef CHECKOUT_TESTS_UNIT_HTTP_TEST_SERVER_H
#define CHECKOUT_TESTS_UNIT_HTTP_TEST_SERVER_H

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/http/admission.h"
#include "shared/http/health.h"
#include "shared/http/server.h"

/* The lines most requests have; the key is fake_database.h's. */
#define HOST "Host: shop\r\n"
#define KEY  "Authorization: " FAKE_KEY("demo") "\r\n"
#define JSON "Content-Type: application/json\r\n"
#define GET  "GET /v1/things HTTP/1.1\r\n" HOST KEY
#define POST "POST /v1/things HTTP/1.1\r\n" HOST KEY
#define END  "\r\n"

enum { TEST_THREADS = 8 };

enum { TEST_BODY_MAX = 1000, TEST_TIMEOUT_MS = 700, TEST_KEEP_ALIVE_MS = 5000 };

/*
 * Routes: GET /v1/things and /v1/things/{id} (orders:read), POST and PATCH there (orders:write, a
 * body, a key accepted), POST /v1/payments (key required), POST /v1/things/{id}/poke (no body),
 * POST /v1/xml (JSON or XML), POST /v1/secret and /v1/open (a body that is, or is not, overwritten
 * behind the handler), GET /v1/remembered (what stands where the last of those bodies stood),
 * GET /v1/slow (answers when the test lets it), GET /v1/large (10 MB), GET /v1/broken (fails
 * inside), GET /v1/lost and /v1/reset (no answer), and health.
 */
struct test_server {
    struct router router;
    struct health health;
    struct access_keys *keys;
    struct admission *admission;
    struct server *server;
    uint16_t port;
    uint16_t health_port;
    _Atomic int handled; /* requests that reached a handler */
    _Atomic int waiting; /* in /v1/slow */
    _Atomic bool released;
};

/* One server, listening; its settings as above and with `origins`. */
struct test_server *test_server_start(const char *origins);
void test_server_stop(struct test_server *test);

/* A connection to the port; the test's failure when there is none. */
int wire_connect(uint16_t port);

/* Sends all of it; false when the other side does not take it. */
bool wire_send(int wire, const void *bytes, size_t length);
bool wire_send_text(int wire, const char *text);

struct wire_answer {
    int status; /* 0: none came */
    bool closes;
    char head[4000];
    struct buffer body;
};

/* Reads one answer, whole; gives up after 5 s. `head_only`: it has no body whatever it says. */
struct wire_answer wire_read(int wire, bool head_only);
void wire_answer_release(struct wire_answer *answer);

/* Sends a request, reads its answer and closes. */
struct wire_answer wire_ask(uint16_t port, const char *request, bool head_only);

/* The same, and expects that status. */
void wire_expect(uint16_t port, const char *request, int status);

/* The connection is where both sides think it is: another request is answered on it. */
void wire_goes_on(int wire);

/* True when the other side has closed, or does soon, and nothing more comes. */
bool wire_is_closed(int wire);

/* Waits for a condition; false when it has not come about for long. */
bool wait_until(bool (*condition)(void *ctx), void *ctx);

#endif
