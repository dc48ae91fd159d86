#include "shared/http/answer.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* What our statuses are called (RFC 9110, section 15; 431 is RFC 6585's). */
static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 415, "Unsupported Media Type" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
};

/* The phrase is for people; RFC 9112 permits an empty one. */
static const char *phrase_of(int status)
{
    for (size_t i = 0; i < COUNT_OF(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "";
}

static int number_at(const char *digits)
{
    return (digits[0] - '0') * 10 + (digits[1] - '0');
}

/*
 * "Sun, 06 Nov 1994 08:49:37 GMT", from the parts of the RFC 3339 text: gmtime_r() takes a lock of
 * the whole process to look at the time zone, which here is always the same.
 */
static void write_date(struct buffer *out, struct instant now)
{
    static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct instant_text text = instant_text(now);
    int64_t day = now.ms / DAY_MS - (now.ms % DAY_MS < 0); /* since a Thursday */

    buffer_append_format(out, "Date: %s, %.2s %s %.4s %.8s GMT\r\n", days[(day % 7 + 7) % 7],
                         text.text + 8, months[number_at(text.text + 5) - 1], text.text,
                         text.text + 11);
}

static bool has_header(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return true;
    return false;
}

static void write_header(struct buffer *out, const char *name, const char *value)
{
    buffer_append(out, name);
    buffer_append(out, ": ");
    buffer_append(out, value);
    buffer_append(out, "\r\n");
}

static void write_security_headers(struct buffer *out, const struct reply *reply)
{
    buffer_append(out, "X-Content-Type-Options: nosniff\r\n");
    if (!has_header(reply, "Cache-Control")) /* documents may say otherwise */
        buffer_append(out, "Cache-Control: no-store\r\n");
}

static void write_identity(struct buffer *out, const struct answer *answer)
{
    char traceparent[TRACEPARENT_SIZE];

    write_header(out, "Request-Id", id_text(answer->request_id).text);
    if (!answer->trace)
        return;
    trace_format(answer->trace, traceparent);
    write_header(out, "traceparent", traceparent);
}

static void write_origin(struct buffer *out, const char *origin)
{
    write_header(out, "Access-Control-Allow-Origin", origin);
    buffer_append(out, "Vary: Origin\r\n"
                       "Access-Control-Expose-Headers: ETag, Idempotent-Replayed, Location, "
                       "Request-Id, Retry-After, traceparent\r\n");
}

static void write_framing(struct buffer *out, const struct answer *answer)
{
    const struct reply *reply = answer->reply;

    if (reply->status != HTTP_NO_CONTENT) {
        write_header(out, "Content-Type", reply->content_type);
        buffer_append(out, "Content-Length: ");
        buffer_append_integer(out, (int64_t)reply->body.length);
        buffer_append(out, "\r\n");
    }
    write_header(out, "Connection", answer->closes ? "close" : "keep-alive");
}

void answer_write(const struct answer *answer, struct buffer *out)
{
    const struct reply *reply = answer->reply;

    buffer_append_format(out, "HTTP/1.1 %d %s\r\n", reply->status, phrase_of(reply->status));
    write_date(out, answer->now);
    write_identity(out, answer);
    write_security_headers(out, reply);
    for (size_t i = 0; i < reply->header_count; i++)
        write_header(out, reply->headers[i].name, reply->headers[i].value);
    if (answer->origin)
        write_origin(out, answer->origin);
    write_framing(out, answer);
    buffer_append(out, "\r\n");
    if (!answer->head_only && reply->status != HTTP_NO_CONTENT)
        buffer_append_span(out, buffer_span(&reply->body));
}
