#include "shared/http/exchange.h"

#include <stdatomic.h>
#include <unistd.h>

#include "shared/json/json_reader.h"
#include "tests/unit/http/fake_database.h"
#include "tests/unit/http/test_server.h"
#include "tests/unit/table.h"

#define POST_XML "POST /v1/xml HTTP/1.1\r\n" HOST KEY

static struct test_server *test;

/* One request, and what must come of it. */
static const struct wire_row {
    const char *label;
    const char *request;
    int status;
    const char *code; /* of the problem document; NULL: the handler answered */
    bool closes;
} wire_rows[] = {
    { "a request is answered and the connection kept", GET END, 200, NULL, false },
    { "a request with a body is answered and the connection kept",
      POST JSON "Content-Length: 2\r\n" END "{}", 201, NULL, false },
    { "an empty line before a request is skipped", "\r\n" GET END, 200, NULL, false },
    { "an absolute target of another port is refused with an answer",
      "GET http://shop/v1/things HTTP/1.1\r\n" HOST KEY END, 400, "target_malformed", true },
    { "an asterisk is refused with an answer", "OPTIONS * HTTP/1.1\r\n" HOST END, 400,
      "target_malformed", true },

    /* where the body ends */
    { "a Content-Length with a sign is refused", POST JSON "Content-Length: +2\r\n" END "{}", 400,
      "content_length_malformed", true },
    { "a Content-Length in hexadecimal is refused", POST JSON "Content-Length: 0x2\r\n" END "{}",
      400, "content_length_malformed", true },
    { "a Content-Length with a tail is refused", POST JSON "Content-Length: 2abc\r\n" END "{}", 400,
      "content_length_malformed", true },
    { "a negative Content-Length is refused", POST JSON "Content-Length: -2\r\n" END "{}", 400,
      "content_length_malformed", true },
    { "an empty Content-Length is refused", POST JSON "Content-Length:\r\n" END "{}", 400,
      "content_length_malformed", true },
    { "two equal Content-Lengths are refused",
      POST JSON "Content-Length: 2\r\nContent-Length: 2\r\n" END "{}", 400, "header_repeated",
      true },
    { "a list as Content-Length is refused", POST JSON "Content-Length: 2, 2\r\n" END "{}", 400,
      "content_length_malformed", true },
    { "a Content-Length of 2^70 is too large at once",
      POST JSON "Content-Length: 1180591620717411303424\r\n" END, 413, "body_too_large", true },
    { "a Content-Length of eleven digits is too large at once",
      POST JSON "Content-Length: 10000000000\r\n" END, 413, "body_too_large", true },
    { "one byte over the limit is too large before it is read",
      POST JSON "Content-Length: 1001\r\n" END, 413, "body_too_large", true },
    { "Transfer-Encoding with Content-Length is refused",
      POST JSON "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" END "2\r\n{}\r\n0\r\n\r\n",
      400, "framing_ambiguous", true },
    { "Content-Length behind Transfer-Encoding is refused, too",
      POST JSON "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n" END "2\r\n{}\r\n0\r\n\r\n",
      400, "framing_ambiguous", true },
    { "another transfer coding is not implemented", POST JSON "Transfer-Encoding: gzip\r\n" END,
      501, "transfer_encoding_unknown", true },
    { "two transfer codings are not implemented",
      POST JSON "Transfer-Encoding: gzip, chunked\r\n" END, 501, "transfer_encoding_unknown",
      true },
    { "the coding identity is not implemented",
      POST JSON "Transfer-Encoding: identity\r\nContent-Length: 2\r\n" END "{}", 400,
      "framing_ambiguous", true },
    { "two Transfer-Encodings are refused",
      POST JSON "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END
                "2\r\n{}\r\n0\r\n\r\n",
      400, "header_repeated", true },
    { "chunks are read, and the connection closed behind them",
      POST JSON "Transfer-Encoding: chunked\r\n" END "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 201, NULL,
      true },
    { "a trailer is passed over",
      POST JSON "Transfer-Encoding: chunked\r\n" END "2\r\n{}\r\n0\r\nA: b\r\n\r\n", 201, NULL,
      true },
    { "a chunk without a size is refused",
      POST JSON "Transfer-Encoding: chunked\r\n" END "x\r\n{}\r\n0\r\n\r\n", 400, "body_incomplete",
      true },
    { "a chunk longer than its size is refused",
      POST JSON "Transfer-Encoding: chunked\r\n" END "1\r\n{}\r\n0\r\n\r\n", 400, "body_incomplete",
      true },
    { "a chunk with a negative size is refused",
      POST JSON "Transfer-Encoding: chunked\r\n" END "-2\r\n{}\r\n0\r\n\r\n", 400,
      "body_incomplete", true },
    { "a chunk of 2^64 - 1 bytes is refused",
      POST JSON "Transfer-Encoding: chunked\r\n" END "ffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400,
      "body_incomplete", true },

    /* lines and names */
    { "a missing Host is refused", "GET /v1/things HTTP/1.1\r\n" KEY END, 400, "host_missing",
      true },
    { "two Hosts are refused", "GET /v1/things HTTP/1.1\r\n" HOST HOST KEY END, 400,
      "header_repeated", true },
    { "a Host that is none is refused", "GET /v1/things HTTP/1.1\r\nHost: a/b\r\n" KEY END, 400,
      "host_malformed", true },
    { "HTTP/1.0 needs no Host, and is closed", "GET /v1/things HTTP/1.0\r\n" KEY END, 200, NULL,
      true },
    { "HTTP/1.0 is kept when it asks",
      "GET /v1/things HTTP/1.0\r\nConnection: keep-alive\r\n" KEY END, 200, NULL, false },
    { "a client that asks is closed", GET "Connection: close\r\n" END, 200, NULL, true },
    { "a request to upgrade is answered as it is, and closed",
      GET "Connection: Upgrade\r\nUpgrade: websocket\r\n" END, 200, NULL, true },
    { "two Authorizations are refused", GET KEY END, 400, "header_repeated", true },
    { "two Idempotency-Keys are refused",
      POST JSON "Idempotency-Key: a\r\nIdempotency-Key: a\r\nContent-Length: 2\r\n" END "{}", 400,
      "header_repeated", true },
    { "a blank before a colon is refused", GET "A : b\r\n" END, 400, "header_malformed", true },
    { "a blank before the colon of the framing is refused",
      POST JSON "Content-Length : 2\r\n" END "{}", 400, "header_malformed", true },
    { "a folded line is refused", GET "A: b\r\n c\r\n" END, 400, "header_malformed", true },
    { "a folded line that hides a header is refused",
      POST "A: b\r\n c\r\nContent-Length: 2\r\n" END "{}", 400, "header_malformed", true },
    { "a fold before the first header is refused", "GET /v1/things HTTP/1.1\r\n " HOST KEY END, 400,
      "request_line_malformed", true },
    /* the library leaves two NULs for any two characters of white space: this can not be told */
    { "LF and a blank for CR LF behind the first line are taken",
      "GET /v1/things HTTP/1.1\n " HOST KEY END, 200, NULL, false },
    { "headers behind a byte that begins none are refused",
      "GET /v1/things HTTP/1.0\r\n\xf6: a\r\n" KEY END, 400, "request_line_malformed", true },
    { "headers behind a bare CR are refused", "GET /v1/things HTTP/1.0\r\xf6: a\r\n" KEY END, 400,
      "request_line_malformed", true },
    { "a header without a name is refused", GET ": b\r\n" END, 400, "header_malformed", true },
    { "a name with a bracket is refused", GET "A(: b\r\n" END, 400, "header_malformed", true },
    { "a line without a colon is refused", GET "Ab\r\n" END, 400, "request_malformed", true },
    { "a bare line feed behind a header is refused", GET "A: b\nC: d\r\n" END, 400,
      "header_malformed", true },
    { "bare line feeds at the end are refused", GET "A: b\n\n", 400, "header_malformed", true },
    { "two blanks in the first line are refused", "GET  /v1/things HTTP/1.1\r\n" HOST KEY END, 400,
      "request_line_malformed", true },
    { "a line break in the first line is refused", "GET \r\n/v1/things HTTP/1.1\r\n" HOST KEY END,
      400, "request_line_malformed", true },
    { "a control character in a header is refused", GET "A: \x01\r\n" END, 400, "request_malformed",
      true },
    { "another version is refused", "GET /v1/things HTTP/2.0\r\n" HOST KEY END, 400,
      "version_unknown", true },
    { "what is no protocol is refused", "GET /v1/things ICE/1.1\r\n" HOST KEY END, 400,
      "request_malformed", true },
    { "what is no request is refused", "hello\r\n\r\n", 400, "request_malformed", true },
    { "an unknown expectation is refused", POST JSON "Expect: tea\r\nContent-Length: 2\r\n" END,
      400, "expectation_unknown", true },

    /* paths */
    { "a NUL in the path is refused", "GET /v1/things/%00 HTTP/1.1\r\n" HOST KEY END, 400,
      "path_malformed", false },
    { "a slash encoded is refused", "GET /v1%2fthings HTTP/1.1\r\n" HOST KEY END, 400,
      "path_malformed", false },
    { "an empty segment is refused", "GET /v1//things HTTP/1.1\r\n" HOST KEY END, 400,
      "path_malformed", false },
    { "dot segments are refused", "GET /v1/x/../things HTTP/1.1\r\n" HOST KEY END, 400,
      "path_malformed", false },
    { "encoded dot segments are refused", "GET /v1/x/%2e%2e/things HTTP/1.1\r\n" HOST KEY END, 400,
      "path_malformed", false },
    { "a slash at the end is refused", "GET /v1/things/ HTTP/1.1\r\n" HOST KEY END, 400,
      "path_malformed", false },
    { "a longer path is another one", "GET /v1/thingsX HTTP/1.1\r\n" HOST KEY END, 404, "not_found",
      false },
    { "capitals are another path", "GET /v1/THINGS HTTP/1.1\r\n" HOST KEY END, 404, "not_found",
      false },
    { "a byte beyond ASCII in the path is refused", "GET /v1/\xc3\xa4 HTTP/1.1\r\n" HOST KEY END,
      400, "request_malformed", true },
    { "a path without a slash is refused", "GET v1/things HTTP/1.1\r\n" HOST KEY END, 400,
      "request_malformed", true },

    /* methods */
    { "another method is told what is allowed", "DELETE /v1/things HTTP/1.1\r\n" HOST KEY END, 405,
      "method_not_allowed", false },
    { "a method that only the library knows is another one",
      "PROPFIND /v1/things HTTP/1.1\r\n" HOST KEY END, 405, "method_not_allowed", false },
    { "it is not found where nothing is", "MKCOL /nothing HTTP/1.1\r\n" HOST KEY END, 404,
      "not_found", false },
    { "a method nobody knows is not implemented", "BREW /v1/things HTTP/1.1\r\n" HOST KEY END, 501,
      "method_unknown", true },
    { "methods have capitals", "get /v1/things HTTP/1.1\r\n" HOST KEY END, 501, "method_unknown",
      true },
    { "OPTIONS is another method while no origins are set",
      "OPTIONS /v1/things HTTP/1.1\r\n" HOST "Origin: https://shop.example\r\n"
      "Access-Control-Request-Method: GET\r\n" END,
      405, "method_not_allowed", false },

    /* keys and scopes */
    { "no key is refused", "GET /v1/things HTTP/1.1\r\n" HOST END, 401, "key_missing", false },
    { "a malformed key is refused",
      "GET /v1/things HTTP/1.1\r\n" HOST "Authorization: Bearer x\r\n" END, 401, "key_malformed",
      false },
    { "another scheme is refused",
      "GET /v1/things HTTP/1.1\r\n" HOST "Authorization: Basic eA==\r\n" END, 401, "key_malformed",
      false },
    { "an unknown key is refused",
      "GET /v1/things HTTP/1.1\r\n" HOST "Authorization: " FAKE_KEY("nobody") "\r\n" END, 401,
      "key_invalid", false },
    { "a wrong secret is refused",
      "GET /v1/things HTTP/1.1\r\n" HOST
      "Authorization: Bearer ck_demo_9999999999999999999999999999999999999999\r\n" END,
      401, "key_invalid", false },
    { "a key in the query is none", "GET /v1/things?access_token=ck_demo HTTP/1.1\r\n" HOST END,
      401, "key_missing", false },
    { "a key without the scope is refused",
      "POST /v1/things HTTP/1.1\r\n" HOST
      "Authorization: " FAKE_KEY("reader") "\r\n" JSON "Content-Length: 2\r\n" END "{}",
      403, "missing_scope", true },
    { "an operator has no merchant's scopes",
      "GET /v1/things HTTP/1.1\r\n" HOST "Authorization: " FAKE_KEY("operator") "\r\n" END, 403,
      "missing_scope", false },
    { "an operator has its own",
      "GET /v1/operator HTTP/1.1\r\n" HOST "Authorization: " FAKE_KEY("operator") "\r\n" END, 200,
      NULL, false },
    { "a public route needs no key",
      "POST /v1/public HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n" END "{}", 201, NULL, false },
    { "a path comes before a key", "GET /nothing HTTP/1.1\r\n" HOST END, 404, "not_found", false },
    { "a key comes before a length",
      "POST /v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 100000\r\n" END, 401, "key_missing",
      true },

    /* bodies */
    { "another type is refused", POST "Content-Type: text/plain\r\nContent-Length: 2\r\n" END "{}",
      415, "media_type_unsupported", true },
    { "no type is refused", POST "Content-Length: 2\r\n" END "{}", 415, "media_type_unsupported",
      true },
    { "a longer type is another one",
      POST "Content-Type: application/jsonp\r\nContent-Length: 2\r\n" END "{}", 415,
      "media_type_unsupported", true },
    { "a type may have parameters",
      POST "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n" END "{}", 201,
      NULL, false },
    { "XML is read where it is expected",
      POST_XML "Content-Type: text/xml; charset=utf-8\r\nContent-Length: 4\r\n" END "<a/>", 201,
      NULL, false },
    { "so is that of SOAP 1.2",
      POST_XML "Content-Type: application/soap+xml\r\nContent-Length: 4\r\n" END "<a/>", 201, NULL,
      false },
    { "JSON is read there, too", POST_XML JSON "Content-Length: 2\r\n" END "{}", 201, NULL, false },
    { "other XML is not",
      POST_XML "Content-Type: application/xml\r\nContent-Length: 4\r\n" END "<a/>", 415,
      "media_type_unsupported", true },
    { "XML is refused elsewhere", POST "Content-Type: text/xml\r\nContent-Length: 4\r\n" END "<a/>",
      415, "media_type_unsupported", true },
    { "a merge patch is for PATCH",
      POST "Content-Type: application/merge-patch+json\r\nContent-Length: 2\r\n" END "{}", 415,
      "media_type_unsupported", true },
    { "PATCH takes a merge patch",
      "PATCH /v1/things/1 HTTP/1.1\r\n" HOST KEY
      "Content-Type: application/merge-patch+json\r\nContent-Length: 2\r\n" END "{}",
      200, NULL, false },
    { "a compressed body is refused",
      POST JSON "Content-Encoding: gzip\r\nContent-Length: 2\r\n" END "{}", 415,
      "content_encoding_unsupported", true },
    { "an empty body is for the handler to judge", POST "Content-Length: 0\r\n" END, 201, NULL,
      false },
    { "a body where none is taken is refused", GET JSON "Content-Length: 2\r\n" END "{}", 400,
      "body_not_allowed", true },
    { "chunks where no body is taken are refused",
      GET JSON "Transfer-Encoding: chunked\r\n" END "0\r\n\r\n", 400, "body_not_allowed", true },
    { "a body of no bytes is none", GET "Content-Length: 0\r\n" END, 200, NULL, false },
    { "a POST may take no body", "POST /v1/things/1/poke HTTP/1.1\r\n" HOST KEY END, 201, NULL,
      false },

    /* idempotency keys */
    { "a key is required where the route insists",
      "POST /v1/payments HTTP/1.1\r\n" HOST KEY JSON "Content-Length: 2\r\n" END "{}", 400,
      "idempotency_key_missing", true },
    { "an empty key is refused", POST JSON "Idempotency-Key: \r\nContent-Length: 2\r\n" END "{}",
      400, "idempotency_key_invalid", true },
    { "an unfinished quotation is refused",
      POST JSON "Idempotency-Key: \"a\r\nContent-Length: 2\r\n" END "{}", 400,
      "idempotency_key_invalid", true },
    { "a key is taken", POST JSON "Idempotency-Key: a\r\nContent-Length: 2\r\n" END "{}", 201, NULL,
      false },
    { "a key is ignored where none is taken", GET "Idempotency-Key: \"\r\n" END, 200, NULL, false },

    /* what went wrong inside */
    { "a failure inside is told in plain words", "GET /v1/broken HTTP/1.1\r\n" HOST KEY END, 500,
      "internal_error", false },
};

static void check_problem(const struct wire_answer *answer, const char *code)
{
    static struct error err;
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    int64_t status = 0;

    assert_non_null(strstr(answer->head, "\r\nContent-Type: application/problem+json\r\n"));
    assert_true(json_document_parse(buffer_span(&answer->body), &document, &err));
    json_reader_begin(&reader, &document, &err);
    assert_true(json_read_integer(&reader, "status", JSON_REQUIRED, 0, 999, &status));
    assert_int_equal(status, answer->status);
    if (code) {
        AUTO(buffer_release) struct buffer expected = BUFFER_EMPTY;
        buffer_append_format(&expected, "\"code\":\"%s\"", code);
        if (!strstr(answer->body.at, expected.at))
            fail_msg("expected %s, got %s", code, answer->body.at);
    }
    assert_null(strstr(answer->body.at, "/etc"));
    assert_null(strstr(answer->body.at, "half an answer"));
}

static void check_wire(void **state)
{
    const struct wire_row *row = *state;
    int handled = test->handled;
    int wire = wire_connect(test->port);

    assert_true(wire_send_text(wire, row->request));
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, row->status);
    assert_int_equal(answer.closes, row->closes);
    assert_non_null(strstr(answer.head, "\r\nRequest-Id: "));
    assert_non_null(strstr(answer.head, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(answer.head, "\r\nCache-Control: no-store\r\n"));
    assert_null(strstr(answer.head, "\r\nServer:"));
    if (row->status >= 400)
        check_problem(&answer, row->code);
    assert_int_equal(test->handled - handled, row->status < 400);
    if (row->closes)
        assert_true(wire_is_closed(wire));
    else
        wire_goes_on(wire);
    wire_answer_release(&answer);
    close(wire);
}

static void sixty_three_headers_are_one_more_than_is_taken(void **state)
{
    AUTO(buffer_release) struct buffer request = BUFFER_EMPTY;

    (void)state;
    buffer_append(&request, GET);
    for (int i = 0; i < 61; i++)
        buffer_append_format(&request, "A%d: b\r\n", i);
    size_t allowed = request.length;
    buffer_append(&request, END);
    wire_expect(test->port, request.at, 200);

    request.length = allowed;
    buffer_append(&request, "B: b\r\n" END);
    wire_expect(test->port, request.at, 431);

    request.length = allowed;
    for (int i = 0; i < 100; i++)
        buffer_append_format(&request, "B%d: b\r\n", i);
    buffer_append(&request, END);
    wire_expect(test->port, request.at, 431);
}

static void a_head_that_is_too_long_is_refused(void **state)
{
    AUTO(buffer_release) struct buffer request = BUFFER_EMPTY;
    struct wire_answer answer;
    int wire;

    (void)state;
    buffer_append(&request, GET "A: ");
    while (request.length < 20000)
        buffer_append(&request, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    buffer_append(&request, "\r\n" END);
    wire_expect(test->port, request.at, 431);
    wire = wire_connect(test->port);
    wire_goes_on(wire);
    wire_goes_on(wire);
    assert_true(wire_send_text(wire, request.at));
    answer = wire_read(wire, false);
    assert_int_equal(answer.status, 431);
    wire_answer_release(&answer);
    close(wire);
}

/* What the library holds, and not a byte more is looked at: the address sanitizer sees it. */
static void a_head_of_line_feeds_that_fills_the_buffer_is_refused(void **state)
{
    AUTO(buffer_release) struct buffer request = BUFFER_EMPTY;

    (void)state;
    buffer_append(&request, GET "A: ");
    while (request.length < LISTENER_HEAD_SIZE - strlen("\n\n"))
        buffer_append(&request, "a");
    buffer_append(&request, "\n\n");
    wire_expect(test->port, request.at, 400);
}

static void a_head_that_comes_too_slowly_is_told_so(void **state)
{
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(wire_send_text(wire, "GET /v1/things HTTP/1.1\r\nHo"));
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 408);
    check_problem(&answer, "request_timeout");
    assert_true(wire_is_closed(wire));
    wire_answer_release(&answer);
    close(wire);
}

static void head_has_the_length_of_get_and_no_body(void **state)
{
    (void)state;
    struct wire_answer get = wire_ask(test->port, GET END, false);
    int wire = wire_connect(test->port);
    char length[60];

    assert_true(wire_send_text(wire, "HEAD /v1/things HTTP/1.1\r\n" HOST KEY END));
    struct wire_answer head = wire_read(wire, true);
    assert_int_equal(head.status, 200);
    text_format(length, sizeof(length), "\r\nContent-Length: %zu\r\n", get.body.length);
    assert_non_null(strstr(head.head, length));
    wire_goes_on(wire);
    wire_answer_release(&get);
    close(wire);
}

static void head_of_an_error_has_no_body(void **state)
{
    int wire = wire_connect(test->port);

    (void)state;
    assert_true(wire_send_text(wire, "HEAD /nothing HTTP/1.1\r\n" HOST KEY END));
    struct wire_answer head = wire_read(wire, true);
    assert_int_equal(head.status, 404);
    wire_goes_on(wire);
    close(wire);
}

static void allow_lists_the_methods_of_the_path(void **state)
{
    (void)state;
    struct wire_answer answer =
        wire_ask(test->port, "DELETE /v1/things HTTP/1.1\r\n" HOST KEY END, false);
    assert_non_null(strstr(answer.head, "\r\nAllow: GET, HEAD, POST\r\n"));
    wire_answer_release(&answer);
}

static void a_401_says_bearer(void **state)
{
    (void)state;
    struct wire_answer answer = wire_ask(test->port, "GET /v1/things HTTP/1.1\r\n" HOST END, false);
    assert_non_null(strstr(answer.head, "\r\nWWW-Authenticate: Bearer\r\n"));
    wire_answer_release(&answer);
}

static void a_handler_gets_what_was_sent(void **state)
{
    static const char *const expected[] = {
        "\"route\":\"/v1/things/{id}\"",
        "\"path\":\"/v1/things/a%20b\"",
        "\"query\":\"c=d&e\"",
        "\"merchant\":\"demo\"",
        "\"key\":\"a \\\"b\"",
        "\"scope\":\"PATCH /v1/things/a%20b\"",
        "\"hash\":\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"",
        "\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\"",
    };

    (void)state;
    struct wire_answer answer = wire_ask(
        test->port,
        "PATCH /v1/things/a%20b?c=d&e HTTP/1.1\r\n" HOST KEY JSON
        "Idempotency-Key: \"a \\\"b\"\r\nContent-Length: 2\r\n"
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n" END "{}",
        false);
    assert_int_equal(answer.status, 200);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        if (!strstr(answer.body.at, expected[i]))
            fail_msg("%s is not in %s", expected[i], answer.body.at);
    assert_non_null(strstr(answer.head, "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-"));
    wire_answer_release(&answer);
}

static void two_traceparents_begin_a_new_trace(void **state)
{
#define TRACE "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
    (void)state;
    struct wire_answer answer = wire_ask(test->port, GET TRACE TRACE END, false);
    assert_int_equal(answer.status, 200);
    assert_null(strstr(answer.body.at, "0af7651916cd43dd8448eb211c80319c"));
    wire_answer_release(&answer);
}

/* What stands in memory where the body of a POST to this path stood, when it is answered. */
static struct wire_answer ask_what_is_left(const char *path)
{
    AUTO(buffer_release) struct buffer request = BUFFER_EMPTY;
    int wire = wire_connect(test->port);

    buffer_append_format(&request,
                         "POST %s HTTP/1.1\r\n" HOST KEY JSON "Content-Length: 18\r\n" END
                         "\"4242424242424242\"",
                         path);
    assert_true(wire_send_text(wire, request.at));
    struct wire_answer answer = wire_read(wire, false);
    assert_int_equal(answer.status, 201);
    wire_answer_release(&answer);
    assert_true(wire_send_text(wire, "GET /v1/remembered HTTP/1.1\r\n" HOST KEY END));
    answer = wire_read(wire, false);
    assert_int_equal(answer.body.length, 18);
    close(wire);
    return answer;
}

static void a_secret_body_is_overwritten(UNUSED void **state)
{
    struct wire_answer open = ask_what_is_left("/v1/open");
    struct wire_answer secret = ask_what_is_left("/v1/secret");

    assert_string_equal(open.body.at + 1, "4242424242424242\""); /* emptied: a NUL comes first */
    for (size_t i = 0; i < secret.body.length; i++)
        assert_int_equal(secret.body.at[i], 0);
    wire_answer_release(&open);
    wire_answer_release(&secret);
}

static void a_secret_body_has_its_hash_all_the_same(UNUSED void **state)
{
    struct wire_answer answer = wire_ask(test->port,
                                         "POST /v1/secret HTTP/1.1\r\n" HOST KEY JSON
                                         "Idempotency-Key: a\r\nContent-Length: 2\r\n" END "{}",
                                         false);

    assert_non_null(strstr(answer.body.at, "\"hash\":\"44136fa355b3678a1146ad16f7e8649e94fb4fc21"
                                           "fe77e8310c060f61caaff8a\""));
    wire_answer_release(&answer);
}

static void a_problem_says_what_is_read(UNUSED void **state)
{
    struct wire_answer json = wire_ask(
        test->port, POST "Content-Type: text/xml\r\nContent-Length: 4\r\n" END "<a/>", false);
    struct wire_answer xml = wire_ask(
        test->port, POST_XML "Content-Type: text/plain\r\nContent-Length: 4\r\n" END "<a/>", false);

    assert_non_null(strstr(json.body.at, "\"The body has to be application/json.\""));
    assert_non_null(strstr(xml.body.at, "\"The body has to be application/json, text/xml or "
                                        "application/soap+xml.\""));
    wire_answer_release(&json);
    wire_answer_release(&xml);
}

/* Only a thread that has seen a request knows where its buffer begins. */
static void empty_lines_do_not_serve_a_request_twice(void **state)
{
    int wires[TEST_THREADS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wires); i++) {
        wires[i] = wire_connect(test->port);
        wire_goes_on(wires[i]);
    }
    for (size_t i = 0; i < COUNT_OF(wires); i++)
        close(wires[i]);
    int handled = test->handled;
    wire_expect(test->port, "\r\n\r\n" GET END, 400);
    assert_int_equal(test->handled, handled);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    test = test_server_start("");
    TABLE_ADD_ROWS(&table, wire_rows, check_wire);
    TABLE_ADD(&table, sixty_three_headers_are_one_more_than_is_taken);
    TABLE_ADD(&table, a_head_that_is_too_long_is_refused);
    TABLE_ADD(&table, a_head_of_line_feeds_that_fills_the_buffer_is_refused);
    TABLE_ADD(&table, a_head_that_comes_too_slowly_is_told_so);
    TABLE_ADD(&table, head_has_the_length_of_get_and_no_body);
    TABLE_ADD(&table, head_of_an_error_has_no_body);
    TABLE_ADD(&table, allow_lists_the_methods_of_the_path);
    TABLE_ADD(&table, a_401_says_bearer);
    TABLE_ADD(&table, a_handler_gets_what_was_sent);
    TABLE_ADD(&table, a_secret_body_is_overwritten);
    TABLE_ADD(&table, a_secret_body_has_its_hash_all_the_same);
    TABLE_ADD(&table, a_problem_says_what_is_read);
    TABLE_ADD(&table, two_traceparents_begin_a_new_trace);
    TABLE_ADD(&table, empty_lines_do_not_serve_a_request_twice);
    int failed = table_run(&table);
    test_server_stop(test);
    return failed;
}
