#include "shared/http/answer.h"

#include "tests/unit/table.h"

/* 1994-11-06T08:49:37Z, the example of RFC 9110. */
static const struct instant example = { 784111777000 };

static const struct date_row {
    const char *label;
    int64_t ms;
    const char *date;
} date_rows[] = {
    { "the epoch was a Thursday", 0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" },
    { "the standard's example is right", 784111777000, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" },
    { "a leap day is one", 1709251199999, "Date: Thu, 29 Feb 2024 23:59:59 GMT\r\n" },
    { "before the epoch was a Wednesday", -1000, "Date: Wed, 31 Dec 1969 23:59:59 GMT\r\n" },
};

static void check_date(void **state)
{
    const struct date_row *row = *state;
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct reply reply;

    reply_begin(&reply);
    answer_write(&(struct answer){ .reply = &reply, .now = { row->ms } }, &out);
    assert_non_null(strstr(out.at, row->date));
    reply_release(&reply);
}

static void an_answer_is_head_and_body(void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct reply reply;

    (void)state;
    reply_begin(&reply);
    buffer_append(&reply.body, "{}");
    reply.status = HTTP_CREATED;
    reply_set_version(&reply, 1);
    answer_write(&(struct answer){ .reply = &reply, .now = example }, &out);
    assert_string_equal(out.at, "HTTP/1.1 201 Created\r\n"
                                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Request-Id: 00000000-0000-0000-0000-000000000000\r\n"
                                "X-Content-Type-Options: nosniff\r\n"
                                "Cache-Control: no-store\r\n"
                                "ETag: \"1\"\r\n"
                                "Content-Type: application/json\r\n"
                                "Content-Length: 2\r\n"
                                "Connection: keep-alive\r\n"
                                "\r\n"
                                "{}");
    reply_release(&reply);
}

static void head_announces_and_does_not_send(void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct reply reply;

    (void)state;
    reply_begin(&reply);
    buffer_append(&reply.body, "{}");
    answer_write(&(struct answer){ .reply = &reply, .head_only = true, .closes = true }, &out);
    assert_non_null(strstr(out.at, "\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"));
    assert_string_equal(out.at + out.length - 4, "\r\n\r\n");
    reply_release(&reply);
}

static void no_content_has_no_length(void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct reply reply;

    (void)state;
    reply_begin(&reply);
    reply.status = HTTP_NO_CONTENT;
    answer_write(&(struct answer){ .reply = &reply }, &out);
    assert_null(strstr(out.at, "Content-"
                               "Length"));
    assert_null(strstr(out.at, "Content-Type:"));
    reply_release(&reply);
}

static void a_document_may_be_cached(void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct reply reply;

    (void)state;
    reply_begin(&reply);
    reply_set_header(&reply, "Cache-Control", "max-age=60");
    answer_write(&(struct answer){ .reply = &reply, .origin = "https://shop.example" }, &out);
    assert_non_null(strstr(out.at, "\r\nCache-Control: max-age=60\r\n"));
    assert_null(strstr(out.at, "no-store"));
    assert_non_null(strstr(out.at, "\r\nAccess-Control-Allow-Origin: https://shop.example\r\n"));
    assert_non_null(strstr(out.at, "\r\nVary: Origin\r\n"));
    reply_release(&reply);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, date_rows, check_date);
    TABLE_ADD(&table, an_answer_is_head_and_body);
    TABLE_ADD(&table, head_announces_and_does_not_send);
    TABLE_ADD(&table, no_content_has_no_length);
    TABLE_ADD(&table, a_document_may_be_cached);
    return table_run(&table);
}
