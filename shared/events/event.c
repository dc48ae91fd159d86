#include "shared/events/event.h"

#include "shared/events/event_scan.h"
#include "shared/json/json_pieces.h"
#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"

/* "checkout/v1/" and the parts behind it. */
#define TOPIC_FORMAT "checkout/v1/%s/%.*s/%s/%s"

/* CloudEvents wants an absolute URI; where a deployment serves its schemas is no part of an event.
 */
#define SCHEMA_FORMAT "urn:checkout:v1:/schemas/%.*s.json"

void announcement_begin(struct announcement *announcement, int stream, const char *merchant,
                        const char *type, const struct trace *trace)
{
    struct trace own = trace_child(trace);

    announcement->event = (struct event){ .stream = stream };
    text_copy(announcement->event.merchant, sizeof(announcement->event.merchant), merchant);
    text_copy(announcement->event.type, sizeof(announcement->event.type), type);
    trace_format(&own, announcement->event.traceparent);
    text_copy(announcement->event.parent_id, sizeof(announcement->event.parent_id), own.parent_id);
    announcement->data = BUFFER_EMPTY;
}

void announcement_seal(struct announcement *announcement, struct id subject,
                       int64_t subject_version, struct instant time)
{
    announcement->event.id = id_create(time);
    announcement->event.subject = subject;
    announcement->event.subject_version = subject_version;
    announcement->event.time = time;
    announcement->event.data = buffer_span(&announcement->data);
}

void announcement_release(struct announcement *announcement)
{
    buffer_release(&announcement->data);
}

/* "order" of "order.sent". */
static int kind_length(const char *type)
{
    const char *dot = strchr(type, '.');

    return dot != NULL ? (int)(dot - type) : (int)strlen(type);
}

void event_topic(const struct event *event, char *out, size_t size)
{
    int kind = kind_length(event->type);
    const char *what = event->type[kind] == '.' ? event->type + kind + 1 : "";

    text_format(out, size, TOPIC_FORMAT, event->merchant, kind, event->type,
                id_text(event->subject).text, what);
}

bool event_fits_topic(const struct event *event, const char *topic)
{
    char own[EVENT_TOPIC_SIZE];

    event_topic(event, own, sizeof(own));
    return strcmp(own, topic) == 0;
}

void event_write(const struct event *event, const char *service, struct buffer *out)
{
    struct json_writer json = { .out = out };
    char text[EVENT_SOURCE_SIZE + 32];

    json_begin_object(&json);
    json_member_text(&json, "specversion", "1.0");
    json_member_id(&json, "id", event->id);
    text_format(text, sizeof(text), "/%s", service);
    json_member_text(&json, "source", text);
    json_member_text(&json, "type", event->type);
    json_member_id(&json, "subject", event->subject);
    json_member_instant(&json, "time", event->time);
    json_member_text(&json, "datacontenttype", "application/json");
    text_format(text, sizeof(text), SCHEMA_FORMAT, kind_length(event->type), event->type);
    json_member_text(&json, "dataschema", text);
    text_format(text, sizeof(text), "%020lld", (long long)event->sequence);
    json_member_text(&json, "sequence", text);
    json_member_integer(&json, "stream", event->stream);
    json_member_integer(&json, "subjectversion", event->subject_version);
    json_member_text(&json, "merchantid", event->merchant);
    json_member_text(&json, "traceparent", event->traceparent);
    json_member_raw(&json, "data", event->data);
    json_end_object(&json);
}

/* A member that must be this very text. */
static void expect_text(struct json_reader *reader, const char *name, const char *expected)
{
    char text[4 * EVENT_SOURCE_SIZE + 1];

    if (json_read_text(reader, name, JSON_REQUIRED, 1, EVENT_SOURCE_SIZE, text, sizeof(text)) &&
        strcmp(text, expected) != 0)
        json_reader_refuse(reader, name, "not_expected", "must be %s", expected);
}

static void read_sequence(struct json_reader *reader, int64_t *out)
{
    char text[4 * 20 + 1];

    if (json_read_text(reader, "sequence", JSON_REQUIRED, 20, 20, text, sizeof(text)) &&
        (!number_parse(span_of(text + strspn(text, "0")), out) || *out < 1))
        json_reader_refuse(reader, "sequence", "not_a_sequence", "must be 20 digits above 0");
}

static void read_slug(struct json_reader *reader, const char *name, size_t max, char *out,
                      size_t size)
{
    char text[4 * EVENT_TYPE_SIZE + 1];

    if (json_read_text(reader, name, JSON_REQUIRED, 1, max, text, sizeof(text)) &&
        !text_copy(out, size, text))
        json_reader_refuse(reader, name, "too_long", "is too long");
}

static void read_traceparent(struct json_reader *reader, char *out)
{
    char text[4 * TRACEPARENT_SIZE + 1];
    struct trace trace;

    if (!json_read_text(reader, "traceparent", JSON_REQUIRED, 1, TRACEPARENT_SIZE - 1, text,
                        sizeof(text)))
        return;
    if (trace_parse(span_of(text), &trace))
        trace_format(&trace, out);
    else
        json_reader_refuse(reader, "traceparent", "not_a_traceparent", "is no trace context");
}

static struct span keep(struct span text, struct buffer *storage)
{
    size_t start = storage->length;

    buffer_append_span(storage, text);
    return (struct span){ storage->at + start, text.length };
}

/* As it came, where it is known; what was read is written again otherwise. */
static void read_data(struct json_reader *reader, struct span text, struct buffer *storage,
                      struct event *out)
{
    struct json_value *data = json_read_value(reader, "data");
    AUTO(buffer_release) struct buffer written = BUFFER_EMPTY;

    if (data == NULL || !json_value_is_object(data)) {
        json_reader_refuse(reader, "data", "required", "must be an object");
        return;
    }
    if (text.length == 0) {
        json_value_write(data, &written);
        text = buffer_span(&written);
    }
    out->data = keep(text, storage);
}

static void read_members(struct json_reader *reader, const char *service, struct event *out)
{
    char source[EVENT_SOURCE_SIZE];
    int64_t stream = 0;

    text_format(source, sizeof(source), "/%s", service);
    expect_text(reader, "specversion", "1.0");
    expect_text(reader, "source", source);
    json_read_id(reader, "id", JSON_REQUIRED, &out->id);
    read_slug(reader, "type", EVENT_TYPE_SIZE - 1, out->type, sizeof(out->type));
    json_read_id(reader, "subject", JSON_REQUIRED, &out->subject);
    json_read_instant(reader, "time", JSON_REQUIRED, &out->time);
    read_sequence(reader, &out->sequence);
    json_read_integer(reader, "stream", JSON_REQUIRED, 0, INT16_MAX, &stream);
    json_read_integer(reader, "subjectversion", JSON_REQUIRED, 1, INT32_MAX, &out->subject_version);
    read_slug(reader, "merchantid", MERCHANT_SIZE - 1, out->merchant, sizeof(out->merchant));
    read_traceparent(reader, out->traceparent);
    out->stream = (int)stream;
}

/* Members beyond ours are allowed: within v1 changes only add. */
static bool read_event(struct json_value *value, const char *service, struct span data,
                       struct buffer *storage, struct event *out, struct error *err)
{
    struct json_reader reader;
    struct event event = { .stream = 0 };

    error_begin_validation(err);
    json_reader_at(&reader, value, "", err);
    read_members(&reader, service, &event);
    read_data(&reader, data, storage, &event);
    if (!json_reader_ok(&reader))
        return false;
    *out = event;
    return true;
}

bool event_read_value(struct json_value *value, const char *service, struct buffer *storage,
                      struct event *out, struct error *err)
{
    return read_event(value, service, (struct span){ NULL, 0 }, storage, out, err);
}

static bool read_json(struct span text, const char *service, struct buffer *storage,
                      struct event *out, struct error *err)
{
    static const char *const left_alone[] = { "data", NULL };
    AUTO(json_document_release) struct json_document document = { NULL };
    AUTO(buffer_release) struct buffer rest = BUFFER_EMPTY;
    struct span data = { NULL, 0 };

    if (json_cut(text, left_alone, &data, &rest))
        text = buffer_span(&rest);
    return json_document_parse(text, &document, err) &&
           read_event(document.root, service, data, storage, out, err);
}

bool event_read(struct span text, const char *service, struct buffer *storage, struct event *out,
                struct error *err)
{
    if (!event_scan(text, service, out))
        return read_json(text, service, storage, out, err);
    out->data = keep(out->data, storage);
    return true;
}
