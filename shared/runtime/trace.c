#include "shared/runtime/trace.h"

#include "shared/base/noise.h"

/* Where the fields of "00-<trace id>-<span id>-<flags>" stand, and its length. */
enum { TRACE_ID_AT = 3, SPAN_ID_AT = 36, FLAGS_AT = 53, TRACEPARENT_LENGTH = 55 };

enum { TRACE_ID_BYTES = 16, SPAN_ID_BYTES = 8 };

/* Fills `out` with 2 * size lower-case digits of random bytes that are not all zero. */
static void random_text(char *out, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[TRACE_ID_BYTES];
    uint8_t any = 0;

    assert(size <= sizeof(bytes));
    while (any == 0) {
        noise_fill(bytes, size);
        for (size_t i = 0; i < size; i++)
            any |= bytes[i];
    }
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
    out[2 * size] = '\0';
}

struct trace trace_create(void)
{
    struct trace trace = { .flags = "01" };

    random_text(trace.trace_id, TRACE_ID_BYTES);
    random_text(trace.span_id, SPAN_ID_BYTES);
    return trace;
}

struct trace trace_child(const struct trace *parent)
{
    struct trace child = *parent;

    text_copy(child.parent_id, sizeof(child.parent_id), parent->span_id);
    random_text(child.span_id, SPAN_ID_BYTES);
    return child;
}

/* Whether all of `text` is lower-case hexadecimal, and not only zeros where `zeros` are invalid. */
static bool is_hex(const char *text, size_t length, bool zeros)
{
    for (size_t i = 0; i < length; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (!digit && !(text[i] >= 'a' && text[i] <= 'f'))
            return false;
        zeros = zeros || text[i] != '0';
    }
    return zeros;
}

/* Whether the length suits the version: what comes after level 1 may add fields. */
static bool has_valid_shape(struct span span)
{
    struct span version = { span.at, 2 };

    if (span.length < TRACEPARENT_LENGTH || !is_hex(version.at, version.length, true) ||
        span_equal(version, span_of("ff")))
        return false;
    if (span.length == TRACEPARENT_LENGTH)
        return true;
    return !span_equal(version, span_of("00")) && span.at[TRACEPARENT_LENGTH] == '-';
}

bool trace_parse(struct span traceparent, struct trace *out)
{
    const char *at = traceparent.at;

    if (!has_valid_shape(traceparent) || at[TRACE_ID_AT - 1] != '-' || at[SPAN_ID_AT - 1] != '-' ||
        at[FLAGS_AT - 1] != '-' || !is_hex(at + TRACE_ID_AT, SPAN_ID_AT - TRACE_ID_AT - 1, false) ||
        !is_hex(at + SPAN_ID_AT, FLAGS_AT - SPAN_ID_AT - 1, false) ||
        !is_hex(at + FLAGS_AT, 2, true))
        return false;

    text_copy_span(out->trace_id, sizeof(out->trace_id), (struct span){ at + TRACE_ID_AT, 32 });
    text_copy_span(out->span_id, sizeof(out->span_id), (struct span){ at + SPAN_ID_AT, 16 });
    out->parent_id[0] = '\0';
    /* only "sampled", the lowest bit, has a meaning; the others must not be passed on */
    bool sampled = strchr("13579bdf", at[FLAGS_AT + 1]);
    text_copy(out->flags, sizeof(out->flags), sampled ? "01" : "00");
    return true;
}

void trace_format(const struct trace *trace, char *out)
{
    text_format(out, TRACEPARENT_SIZE, "00-%s-%s-%s", trace->trace_id, trace->span_id,
                trace->flags);
}
