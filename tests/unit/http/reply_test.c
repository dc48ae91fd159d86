#include "shared/http/reply.h"

#include "tests/unit/table.h"

static const char *header_of(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    return NULL;
}

/* An error with code "some_code", detail "secret 23505 /var" and the extra member. */
static const struct row {
    const char *label;
    enum error_kind kind;
    int64_t retry_after_s;
    int status;
    const char *code;
    bool tells_detail;
    const char *retry_after;
} rows[] = {
    { "malformed is 400", ERROR_MALFORMED, 0, 400, "some_code", true, NULL },
    { "not authenticated is 401", ERROR_UNAUTHENTICATED, 0, 401, "some_code", true, NULL },
    { "forbidden is 403", ERROR_FORBIDDEN, 0, 403, "some_code", true, NULL },
    { "not found is 404", ERROR_NOT_FOUND, 0, 404, "some_code", true, NULL },
    { "a wrong method is 405", ERROR_METHOD, 0, 405, "some_code", true, NULL },
    { "a conflict is 409", ERROR_CONFLICT, 0, 409, "some_code", true, NULL },
    { "a conflict may be tried again", ERROR_CONFLICT, 3, 409, "some_code", true, "3" },
    { "a stale version is 412", ERROR_PRECONDITION, 0, 412, "some_code", true, NULL },
    { "too large is 413", ERROR_TOO_LARGE, 0, 413, "some_code", true, NULL },
    { "another type is 415", ERROR_MEDIA_TYPE, 0, 415, "some_code", true, NULL },
    { "too often is 429 and may be tried again", ERROR_RATE_LIMITED, 0, 429, "some_code", true,
      "1" },
    { "too many headers are 431", ERROR_HEADERS_TOO_LARGE, 0, 431, "some_code", true, NULL },
    { "not implemented is 501", ERROR_NOT_IMPLEMENTED, 0, 501, "some_code", true, NULL },
    { "unavailable is 503, in plain words", ERROR_UNAVAILABLE, 0, 503, "some_code", false, "1" },
    { "overloaded says when to come back", ERROR_OVERLOADED, 7, 503, "some_code", false, "7" },
    { "an unknown outcome is 503", ERROR_UNKNOWN_OUTCOME, 0, 503, "some_code", false, "1" },
    { "out of time is 503", ERROR_DEADLINE, 0, 503, "some_code", false, "1" },
    { "a deadlock is 503", ERROR_TRANSIENT, 0, 503, "some_code", false, "1" },
    { "data that the database refuses is the client's", ERROR_DATA, 0, 422, "data_refused", false,
      NULL },
    { "a wrong configuration is nobody's business", ERROR_CONFIGURATION, 0, 500, "internal_error",
      false, NULL },
    { "a bug is told in plain words", ERROR_INTERNAL, 0, 500, "internal_error", false, NULL },
};

static void check_row(void **state)
{
    static struct error err;
    const struct row *row = *state;
    struct reply reply;
    struct id instance;
    AUTO(buffer_release) struct buffer expected = BUFFER_EMPTY;

    assert_true(id_parse("019c2d4e-7b3a-7c1d-8e2f-0123456789ab", &instance));
    error_set(&err, row->kind, "some_code", "secret 23505 /var");
    text_copy(err.extra, sizeof(err.extra), "\"from\":\"sent\"");
    err.retry_after_s = row->retry_after_s;
    reply_begin(&reply);
    buffer_append(&reply.body, "half an answer");
    reply_set_header(&reply, "Location", "/somewhere");
    reply_problem(&reply, &err, instance);

    assert_int_equal(reply.status, row->status);
    assert_string_equal(reply.content_type, "application/problem+json");
    assert_null(header_of(&reply, "Location"));
    buffer_append_format(&expected, "{\"type\":\"/problems/%s\",\"title\":\"%s\",\"status\":%d,",
                         row->code, error_title(row->kind), row->status);
    assert_memory_equal(reply.body.at, expected.at, expected.length);
    buffer_clear(&expected);
    buffer_append_format(&expected,
                         "\"instance\":\"019c2d4e-7b3a-7c1d-8e2f-0123456789ab\",\"code\":\"%s\"%s}",
                         row->code, row->tells_detail ? ",\"from\":\"sent\"" : "");
    assert_string_equal(reply.body.at + reply.body.length - expected.length, expected.at);
    assert_int_equal(strstr(reply.body.at, "23505") != NULL, row->tells_detail);
    if (row->retry_after)
        assert_string_equal(header_of(&reply, "Retry-After"), row->retry_after);
    else
        assert_null(header_of(&reply, "Retry-After"));
    assert_int_equal(header_of(&reply, "WWW-Authenticate") != NULL, row->status == 401);
    reply_release(&reply);
}

static void every_wrong_field_is_listed(void **state)
{
    static struct error err;
    struct reply reply;

    (void)state;
    error_begin_validation(&err);
    error_add_field(&err, "/lines/0/quantity", "out_of_range", "must be from 1 to 10000");
    error_add_field(&err, "/a\"b", "unknown_field", "is not known");
    reply_begin(&reply);
    reply_problem(&reply, &err, (struct id){ { 0 } });
    assert_int_equal(reply.status, 422);
    assert_non_null(strstr(reply.body.at, "\"errors\":[{\"pointer\":\"/lines/0/quantity\",\"code\":"
                                          "\"out_of_range\",\"detail\":\"must be from 1 to 10000\"}"
                                          ",{\"pointer\":\"/a\\\"b\",\"code\":\"unknown_field\","
                                          "\"detail\":\"is not known\"}]}"));
    assert_null(strstr(reply.body.at, "errors_omitted"));
    reply_release(&reply);
}

static void fields_that_were_not_listed_are_counted(void **state)
{
    static struct error err;
    struct reply reply;

    (void)state;
    error_begin_validation(&err);
    for (int i = 0; i < ERROR_FIELDS_MAX + 5; i++)
        error_add_field(&err, "/a", "unknown_field", "is not known");
    reply_begin(&reply);
    reply_problem(&reply, &err, (struct id){ { 0 } });
    assert_non_null(strstr(reply.body.at, "],\"errors_omitted\":5}"));
    reply_release(&reply);
}

static void bytes_that_are_no_text_do_not_spoil_the_document(void **state)
{
    static struct error err;
    struct reply reply;

    (void)state;
    error_set(&err, ERROR_MALFORMED, "json_malformed", "near '\xff'");
    reply_begin(&reply);
    reply_problem(&reply, &err, (struct id){ { 0 } });
    assert_true(text_is_utf8(buffer_span(&reply.body)));
    reply_release(&reply);
}

static void a_header_cannot_end_its_line(void **state)
{
    struct reply reply;

    (void)state;
    reply_begin(&reply);
    reply_set_header(&reply, "Location", "%s", "/a\r\nSet-Cookie: b");
    assert_string_equal(header_of(&reply, "Location"), "/a??Set-Cookie: b");
    reply_set_version(&reply, 12);
    assert_string_equal(header_of(&reply, "ETag"), "\"12\"");
    reply_release(&reply);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD(&table, every_wrong_field_is_listed);
    TABLE_ADD(&table, fields_that_were_not_listed_are_counted);
    TABLE_ADD(&table, bytes_that_are_no_text_do_not_spoil_the_document);
    TABLE_ADD(&table, a_header_cannot_end_its_line);
    return table_run(&table);
}
