#include "shared/http/reply.h"

#include "shared/http/problem.h"
#include "shared/json/json_writer.h"

void reply_begin(struct reply *reply)
{
    reply->status = HTTP_OK;
    reply->fate = REPLY_SENT;
    reply->content_type = "application/json";
    reply->body = BUFFER_EMPTY;
    reply->header_count = 0;
}

void reply_release(struct reply *reply)
{
    buffer_release(&reply->body);
}

bool reply_json(struct reply *reply, int status)
{
    reply->status = status;
    return true;
}

/* A header's value ends where its line ends, whatever somebody put into it. */
static void remove_control(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

void reply_set_header(struct reply *reply, const char *name, const char *format, ...)
{
    struct reply_header *header = &reply->headers[reply->header_count];
    va_list arguments;

    assert(reply->header_count < REPLY_HEADERS_MAX);
    header->name = name;
    va_start(arguments, format);
    text_format_list(header->value, sizeof(header->value), format, arguments);
    va_end(arguments);
    remove_control(header->value);
    reply->header_count++;
}

void reply_set_version(struct reply *reply, int64_t version)
{
    reply_set_header(reply, "ETag", "\"%lld\"", (long long)version);
}

/* What a client is told about failures that are not its own; NULL where the error's own text is. */
static const char *plain_detail(enum error_kind kind)
{
    if (kind == ERROR_UNAVAILABLE || kind == ERROR_TRANSIENT)
        return "Something that this needs is not available; nothing was done. Try again.";
    if (kind == ERROR_OVERLOADED)
        return "There is too much to do; nothing was done. Try again.";
    if (kind == ERROR_DEADLINE)
        return "There was not enough time; nothing was done. Try again.";
    if (kind == ERROR_UNKNOWN_OUTCOME)
        return "It is not known whether this took effect. Repeat it with the same Idempotency-Key.";
    if (kind == ERROR_DATA)
        return "The data cannot be stored.";
    if (kind == ERROR_NONE || kind == ERROR_CONFIGURATION || kind == ERROR_INTERNAL)
        return "Something is wrong on our side.";
    return NULL;
}

/* A code of ours says what is broken inside; that is the log's. */
static const char *plain_code(const struct error *err)
{
    if (error_status(err->kind) == 500)
        return "internal_error";
    return err->kind == ERROR_DATA ? "data_refused" : err->code;
}

static void write_fields(struct json_writer *json, const struct error *err)
{
    json_name(json, "errors");
    json_begin_array(json);
    for (size_t i = 0; i < err->field_count; i++) {
        json_begin_object(json);
        json_member_text(json, "pointer", err->fields[i].pointer);
        json_member_text(json, "code", err->fields[i].code);
        json_member_text(json, "detail", err->fields[i].detail);
        json_end_object(json);
    }
    json_end_array(json);
    if (err->fields_omitted > 0)
        json_member_integer(json, "errors_omitted", (int64_t)err->fields_omitted);
}

/* The error's own text, unless it quotes bytes that would not make a JSON string. */
static const char *detail_of(const struct error *err)
{
    const char *plain = plain_detail(err->kind);

    if (plain)
        return plain;
    return text_is_utf8(span_of(err->detail)) ? err->detail : error_title(err->kind);
}

static void write_document(struct buffer *body, const struct error *err,
                           struct problem_status status, struct id instance)
{
    struct json_writer json = { .out = body };
    const char *code = plain_code(err);
    char type[sizeof(err->code) + sizeof("/problems/")];

    text_format(type, sizeof(type), "/problems/%s", code);
    json_begin_object(&json);
    json_member_text(&json, "type", type);
    json_member_text(&json, "title", status.title);
    json_member_integer(&json, "status", status.status);
    json_member_text(&json, "detail", detail_of(err));
    json_member_id(&json, "instance", instance);
    json_member_text(&json, "code", code);
    if (err->field_count > 0)
        write_fields(&json, err);
    if (err->extra[0] != '\0' && !plain_detail(err->kind)) /* members, ready to be spliced in */
        buffer_append_format(body, ",%s", err->extra);
    json_end_object(&json);
}

static void set_problem_headers(struct reply *reply, const struct error *err, int status)
{
    int64_t retry_after_s = err->retry_after_s;

    if (retry_after_s == 0 && (status == 503 || status == 429))
        retry_after_s = 1;
    if (retry_after_s > 0)
        reply_set_header(reply, "Retry-After", "%lld", (long long)retry_after_s);
    if (status == 401)
        reply_set_header(reply, "WWW-Authenticate", "Bearer");
}

void problem_reply(struct reply *reply, const struct error *err, struct problem_status status,
                   struct id instance)
{
    buffer_clear(&reply->body);
    reply->header_count = 0;
    reply->fate = REPLY_SENT;
    reply->status = status.status;
    reply->content_type = "application/problem+json";
    write_document(&reply->body, err, status, instance);
    set_problem_headers(reply, err, status.status);
}

void reply_problem(struct reply *reply, const struct error *err, struct id instance)
{
    struct problem_status status = { error_status(err->kind), error_title(err->kind) };

    problem_reply(reply, err, status, instance);
}
