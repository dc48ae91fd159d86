#include "shared/base/text.h"

enum { DIGITS_MAX = 19 };

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Bytes that a sequence has by its first one. */
static size_t announced_length(unsigned char lead)
{
    if (lead < 0xc0)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : 4;
}

/*
 * The length without a sequence that a cut left unfinished at the end: what was valid UTF-8 before
 * a cut is valid after it, or the answer that shows it would not be JSON any more.
 */
static size_t length_of_whole(const char *text, size_t length)
{
    size_t back = 0;

    while (back < 3 && back < length && is_continuation(text[length - 1 - back]))
        back++;
    if (back == length)
        return length;
    if (announced_length((unsigned char)text[length - 1 - back]) > back + 1)
        return length - 1 - back;
    return length;
}

/* Whether `second` may follow `lead`: refuses long forms, surrogates and what is too high. */
static bool second_allowed(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

/* Bytes of the sequence at the start of `rest`, 0 when it is not valid. */
static size_t sequence_length(struct span rest)
{
    unsigned char lead = (unsigned char)rest.at[0];

    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;

    size_t length = announced_length(lead);
    if (rest.length < length || !second_allowed(lead, (unsigned char)rest.at[1]))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!is_continuation(rest.at[i]))
            return 0;
    return length;
}

struct span span_of(const char *text)
{
    return text ? (struct span){ text, strlen(text) } : (struct span){ "", 0 };
}

bool span_equal(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool text_copy(char *to, size_t size, const char *from)
{
    return text_copy_span(to, size, span_of(from));
}

bool text_copy_span(char *to, size_t size, struct span from)
{
    assert(size > 0);
    bool fits = from.length < size;
    size_t length = fits ? from.length : length_of_whole(from.at, size - 1);

    if (length > 0)
        memmove(to, from.at, length); /* an error's text may be copied onto itself */
    to[length] = '\0';
    return fits;
}

bool text_format(char *to, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    bool fits = text_format_list(to, size, format, arguments);
    va_end(arguments);
    return fits;
}

bool text_format_list(char *to, size_t size, const char *format, va_list arguments)
{
    assert(size > 0);
    int length = vsnprintf(to, size, format, arguments);

    assert(length >= 0);
    if ((size_t)length < size)
        return true;
    to[length_of_whole(to, size - 1)] = '\0';
    return false;
}

bool text_is_utf8(struct span span)
{
    size_t at = 0;

    while (at < span.length) {
        size_t length = sequence_length((struct span){ span.at + at, span.length - at });
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

size_t text_length(struct span span)
{
    size_t count = 0;

    for (size_t i = 0; i < span.length; i++)
        count += !is_continuation(span.at[i]);
    return count;
}

bool text_has_control(struct span span)
{
    for (size_t i = 0; i < span.length; i++) {
        unsigned char byte = (unsigned char)span.at[i];

        if (byte < 0x20 || byte == 0x7f)
            return true;
        /* C1 is U+0080 to U+009F: 0xc2 and a second byte below 0xa0 */
        if (byte == 0xc2 && i + 1 < span.length && (unsigned char)span.at[i + 1] < 0xa0)
            return true;
    }
    return false;
}

bool text_equal_constant_time(struct span a, struct span b)
{
    volatile unsigned char difference = 0; /* volatile: or the compiler may leave the loop early */

    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++)
        difference = (unsigned char)(difference | (a.at[i] ^ b.at[i]));
    return difference == 0;
}

bool number_parse(struct span span, int64_t *out)
{
    size_t first = span.length > 0 && span.at[0] == '-';
    size_t digits = span.length - first;
    int64_t sign = first ? -1 : 1;
    int64_t number = 0;

    if (digits == 0 || digits > DIGITS_MAX)
        return false;
    for (size_t i = first; i < span.length; i++) {
        if (span.at[i] < '0' || span.at[i] > '9')
            return false;
        /* grows away from zero, because INT64_MIN has no positive counterpart */
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, sign * (span.at[i] - '0'), &number))
            return false;
    }
    *out = number;
    return true;
}
