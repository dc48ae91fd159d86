#include "shared/http/router.h"

#include "shared/json/json_reader.h"
#include "tests/unit/table.h"

static bool answer(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    (void)ctx, (void)req, (void)err;
    return reply_json(reply, HTTP_OK);
}

static const struct route routes[] = {
    { HTTP_GET, "/", 0, ROUTE_PUBLIC, answer },
    { HTTP_GET, "/echo", 0, ROUTE_PUBLIC, answer },
    { HTTP_GET, "/v1/orders", SCOPE_ORDERS_READ, 0, answer },
    { HTTP_POST, "/v1/orders", SCOPE_ORDERS_WRITE, ROUTE_BODY, answer },
    { HTTP_GET, "/v1/orders/{id}", SCOPE_ORDERS_READ, 0, answer },
    { HTTP_PATCH, "/v1/orders/{id}", SCOPE_ORDERS_WRITE | SCOPE_ORDERS_FULFIL, ROUTE_BODY, answer },
    { HTTP_GET, "/v1/orders/newest", SCOPE_ORDERS_READ, 0, answer },
    { HTTP_GET, "/v1/orders/{id}/lines/{line}", SCOPE_ORDERS_READ, 0, answer },
    { HTTP_DELETE, "/v1/only", SCOPE_OPERATOR, 0, answer },
};

/* What the routes are served with. */
static char served_with;

static struct router make_router(void)
{
    struct router router = { .count = 0 };

    router_add(&router, routes, COUNT_OF(routes), &served_with);
    return router;
}

static const struct row {
    const char *label;
    enum http_method method;
    const char *path;
    const char *pattern; /* NULL: not found, and why */
    enum error_kind kind;
    const char *allow;
    const char *segments[2];
} rows[] = {
    { "the root is found", HTTP_GET, "/", "/", ERROR_NONE, NULL, { NULL } },
    { "a literal is found", HTTP_GET, "/echo", "/echo", ERROR_NONE, NULL, { NULL } },
    { "a longer word is not", HTTP_GET, "/echoX", NULL, ERROR_NOT_FOUND, NULL, { NULL } },
    { "a shorter word is not", HTTP_GET, "/ech", NULL, ERROR_NOT_FOUND, NULL, { NULL } },
    { "capitals are not", HTTP_GET, "/ECHO", NULL, ERROR_NOT_FOUND, NULL, { NULL } },
    { "what is below is not", HTTP_GET, "/echo/a", NULL, ERROR_NOT_FOUND, NULL, { NULL } },
    { "what is above is not", HTTP_GET, "/v1", NULL, ERROR_NOT_FOUND, NULL, { NULL } },
    { "the method chooses", HTTP_POST, "/v1/orders", "/v1/orders", ERROR_NONE, NULL, { NULL } },
    { "HEAD is GET's", HTTP_HEAD, "/v1/orders", "/v1/orders", ERROR_NONE, NULL, { NULL } },
    { "HEAD is not where GET is not",
      HTTP_HEAD,
      "/v1/only",
      NULL,
      ERROR_METHOD,
      "DELETE",
      { NULL } },
    { "another method learns what is allowed",
      HTTP_DELETE,
      "/v1/orders",
      NULL,
      ERROR_METHOD,
      "GET, HEAD, POST",
      { NULL } },
    { "a placeholder has them, too",
      HTTP_PUT,
      "/v1/orders/1",
      NULL,
      ERROR_METHOD,
      "GET, HEAD, PATCH",
      { NULL } },
    { "OPTIONS is another method",
      HTTP_OPTIONS,
      "/echo",
      NULL,
      ERROR_METHOD,
      "GET, HEAD",
      { NULL } },
    { "a placeholder takes a segment",
      HTTP_GET,
      "/v1/orders/a-B_1.~",
      "/v1/orders/{id}",
      ERROR_NONE,
      NULL,
      { "a-B_1.~" } },
    { "two take two",
      HTTP_GET,
      "/v1/orders/1/lines/2",
      "/v1/orders/{id}/lines/{line}",
      ERROR_NONE,
      NULL,
      { "1", "2" } },
    { "a word wins over a placeholder",
      HTTP_GET,
      "/v1/orders/newest",
      "/v1/orders/newest",
      ERROR_NONE,
      NULL,
      { NULL } },
    { "its methods are its own",
      HTTP_PATCH,
      "/v1/orders/newest",
      NULL,
      ERROR_METHOD,
      "GET, HEAD",
      { NULL } },
    { "what is encoded stays encoded",
      HTTP_GET,
      "/v1/orders/%C3%A4%20",
      "/v1/orders/{id}",
      ERROR_NONE,
      NULL,
      { "%C3%A4%20" } },
    { "sub-delimiters are plain",
      HTTP_GET,
      "/v1/orders/a!$&'()*+,;=:@",
      "/v1/orders/{id}",
      ERROR_NONE,
      NULL,
      { "a!$&'()*+,;=:@" } },
    { "nothing is no path", HTTP_GET, "", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "a path begins with a slash", HTTP_GET, "echo", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "an asterisk is no path", HTTP_OPTIONS, "*", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "a slash at the end is an empty segment",
      HTTP_GET,
      "/echo/",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "an empty segment is refused",
      HTTP_GET,
      "/v1//orders",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "two slashes are no root", HTTP_GET, "//", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "a dot is refused", HTTP_GET, "/v1/./orders", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "two dots are refused", HTTP_GET, "/v1/orders/..", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "three dots are a name",
      HTTP_GET,
      "/v1/orders/...",
      "/v1/orders/{id}",
      ERROR_NONE,
      NULL,
      { "..." } },
    { "a hidden file is a name",
      HTTP_GET,
      "/v1/orders/.a",
      "/v1/orders/{id}",
      ERROR_NONE,
      NULL,
      { ".a" } },
    { "encoded dots are refused",
      HTTP_GET,
      "/v1/%2e%2E/orders",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "an encoded letter is refused",
      HTTP_GET,
      "/v1/%6frders",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "an encoded slash is refused",
      HTTP_GET,
      "/v1%2forders",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "an encoded NUL is refused",
      HTTP_GET,
      "/v1/orders/%00",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "an encoded line break is refused",
      HTTP_GET,
      "/v1/orders/%0d%0a",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "a percent sign alone is refused",
      HTTP_GET,
      "/v1/orders/%",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "half an encoded byte is refused",
      HTTP_GET,
      "/v1/orders/%4",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "what is no digit is refused",
      HTTP_GET,
      "/v1/orders/%zz",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
    { "a backslash is refused", HTTP_GET, "/v1\\orders", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "a fragment is refused", HTTP_GET, "/echo#a", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "braces are refused", HTTP_GET, "/v1/orders/{id}", NULL, ERROR_MALFORMED, NULL, { NULL } },
    { "a byte beyond ASCII is refused",
      HTTP_GET,
      "/v1/\xc3\xa4",
      NULL,
      ERROR_MALFORMED,
      NULL,
      { NULL } },
};

static void check_segments(const struct row *row, const struct route_match *match)
{
    size_t count = row->segments[0] ? (row->segments[1] ? 2 : 1) : 0;

    assert_int_equal(match->segment_count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(span_equal(match->segments[i], span_of(row->segments[i])));
}

static void check_row(void **state)
{
    static struct error err;
    const struct row *row = *state;
    struct router router = make_router();
    struct route_match match = { .route = NULL };
    char allow[64] = "";
    bool found = router_find(&router, row->method, row->path, &match, &err);

    assert_int_equal(found, row->pattern != NULL);
    if (found) {
        assert_string_equal(match.route->pattern, row->pattern);
        assert_int_equal(match.route->method, row->method == HTTP_HEAD ? HTTP_GET : row->method);
        assert_ptr_equal(match.ctx, &served_with);
        check_segments(row, &match);
        return;
    }
    assert_int_equal(err.kind, row->kind);
    assert_null(match.route);
    router_allow(&router, row->path, allow, sizeof(allow));
    assert_string_equal(allow, row->allow ? row->allow : "");
}

static void the_table_is_printed_as_json(void **state)
{
    static struct error err;
    AUTO(json_document_release) struct json_document document;
    struct router router = make_router();
    char text[4000];
    FILE *file = fmemopen(text, sizeof(text), "w");

    (void)state;
    router_print(&router, file);
    fclose(file);
    assert_true(json_document_parse(span_of(text), &document, &err));
    assert_non_null(strstr(text, "{\"method\":\"PATCH\",\"path\":\"/v1/orders/{id}\",\"scopes\":["
                                 "\"orders:write\",\"orders:fulfil\"],\"public\":false,"
                                 "\"body\":true,\"xml\":false}"));
    assert_non_null(strstr(
        text, "{\"method\":\"GET\",\"path\":\"/echo\",\"scopes\":[],\"public\":true,\"body\":"
              "false,\"xml\":false}"));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD(&table, the_table_is_printed_as_json);
    return table_run(&table);
}
