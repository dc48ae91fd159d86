#include "shared/events/event_scan.h"

#include "shared/json/json_pieces.h"

/* Bytes of the longest member that is looked at: a source, a URN, a time. */
enum { MEMBER_SIZE = 128 };

/* Moves `rest` behind the literal, which must be what comes next. */
static bool scan_literal(struct span *rest, const char *literal)
{
    struct span expected = span_of(literal);

    if (rest->length < expected.length || memcmp(rest->at, literal, expected.length) != 0)
        return false;
    *rest = (struct span){ rest->at + expected.length, rest->length - expected.length };
    return true;
}

/* Letters, digits and signs of ASCII, which stand in JSON for themselves. */
static bool is_plain(char byte)
{
    return byte > ' ' && byte < '\x7f' && byte != '"' && byte != '\\';
}

static bool scan_text(struct span *rest, const char *opening, char *out, size_t size)
{
    size_t length = 0;

    if (!scan_literal(rest, opening))
        return false;
    while (length < rest->length && is_plain(rest->at[length]))
        length++;
    if (length == 0 || !text_copy_span(out, size, (struct span){ rest->at, length }))
        return false;
    *rest = (struct span){ rest->at + length, rest->length - length };
    return scan_literal(rest, "\"");
}

static bool scan_id(struct span *rest, const char *opening, struct id *out)
{
    char text[MEMBER_SIZE];

    return scan_text(rest, opening, text, sizeof(text)) && id_parse(text, out);
}

static bool scan_time(struct span *rest, const char *opening, struct instant *out)
{
    char text[MEMBER_SIZE];

    return scan_text(rest, opening, text, sizeof(text)) && instant_parse(text, out);
}

static bool scan_traceparent(struct span *rest, const char *opening, char *out)
{
    char text[TRACEPARENT_SIZE];
    struct trace trace;

    if (!scan_text(rest, opening, text, sizeof(text)) || !trace_parse(span_of(text), &trace))
        return false;
    trace_format(&trace, out);
    return true;
}

static bool scan_digits(struct span *rest, size_t count, int64_t *out)
{
    int64_t number = 0;

    if (rest->length < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        char digit = rest->at[i];
        if (digit < '0' || digit > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digit - '0', &number))
            return false;
    }
    *rest = (struct span){ rest->at + count, rest->length - count };
    *out = number;
    return true;
}

/* As JSON writes a number: nothing in front of the first digit but 0 itself. */
static bool scan_integer(struct span *rest, const char *opening, int64_t min, int64_t max,
                         int64_t *out)
{
    size_t count = 0;

    if (!scan_literal(rest, opening))
        return false;
    while (count < rest->length && rest->at[count] >= '0' && rest->at[count] <= '9')
        count++;
    if (count == 0 || (count > 1 && rest->at[0] == '0'))
        return false;
    return scan_digits(rest, count, out) && *out >= min && *out <= max;
}

static bool scan_sequence(struct span *rest, const char *opening, int64_t *out)
{
    return scan_literal(rest, opening) && scan_digits(rest, 20, out) && *out >= 1 &&
           scan_literal(rest, "\"");
}

/* What names the event: who tells it, of what, and when. */
static bool scan_context(struct span *rest, const char *source, struct event *out)
{
    char text[MEMBER_SIZE];

    return scan_literal(rest, "{\"specversion\":\"1.0\"") &&
           scan_id(rest, ",\"id\":\"", &out->id) &&
           scan_text(rest, ",\"source\":\"", text, sizeof(text)) && strcmp(text, source) == 0 &&
           scan_text(rest, ",\"type\":\"", out->type, sizeof(out->type)) &&
           scan_id(rest, ",\"subject\":\"", &out->subject) &&
           scan_time(rest, ",\"time\":\"", &out->time) &&
           scan_literal(rest, ",\"datacontenttype\":\"application/json\"") &&
           scan_text(rest, ",\"dataschema\":\"", text, sizeof(text));
}

/* Where it belongs: CloudEvents' own members are followed by ours. */
static bool scan_place(struct span *rest, struct event *out)
{
    int64_t stream = 0;
    bool scanned =
        scan_sequence(rest, ",\"sequence\":\"", &out->sequence) &&
        scan_integer(rest, ",\"stream\":", 0, INT16_MAX, &stream) &&
        scan_integer(rest, ",\"subjectversion\":", 1, INT32_MAX, &out->subject_version) &&
        scan_text(rest, ",\"merchantid\":\"", out->merchant, sizeof(out->merchant)) &&
        scan_traceparent(rest, ",\"traceparent\":\"", out->traceparent);

    out->stream = (int)stream;
    return scanned;
}

/* The rest is an object, and the bracket that closes the event. */
static bool scan_data(struct span *rest, struct event *out)
{
    if (!scan_literal(rest, ",\"data\":") || rest->length < 2 || rest->at[0] != '{' ||
        rest->at[rest->length - 1] != '}')
        return false;
    out->data = (struct span){ rest->at, rest->length - 1 };
    return json_is_closed(out->data);
}

bool event_scan(struct span text, const char *service, struct event *out)
{
    struct event event = { .stream = 0 };
    char source[EVENT_SOURCE_SIZE];

    text_format(source, sizeof(source), "/%s", service);
    if (!scan_context(&text, source, &event) || !scan_place(&text, &event) ||
        !scan_data(&text, &event))
        return false;
    *out = event;
    return true;
}
