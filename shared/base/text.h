/*
 * Text: characters in a place of fixed size, and questions about UTF-8 (RFC 3629).
 */
#ifndef CHECKOUT_BASE_TEXT_H
#define CHECKOUT_BASE_TEXT_H

#include <stdarg.h>

#include "shared/base/compiler.h"

/* A borrowed run of bytes, not NUL-terminated. */
struct span {
    const char *at;
    size_t length;
};

/* The span of a NUL-terminated string; NULL gives an empty one. */
struct span span_of(const char *text);

bool span_equal(struct span a, struct span b);

/* Copies into `to` of `size` bytes, always terminated; false when it had to be cut. */
bool text_copy(char *to, size_t size, const char *from);
bool text_copy_span(char *to, size_t size, struct span from);

/* snprintf that says whether it all fitted; `to` is always terminated. */
bool text_format(char *to, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
bool text_format_list(char *to, size_t size, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);

/* Shortest form of UTF-8, no surrogates, nothing above U+10FFFF. */
bool text_is_utf8(struct span span);

/* Code points in valid UTF-8. */
size_t text_length(struct span span);

/* True if it holds a control character (C0, DEL or C1). */
bool text_has_control(struct span span);

/* Compares in a time that depends on the lengths only. */
bool text_equal_constant_time(struct span a, struct span b);

/* Reads a whole decimal number of at most 19 digits, with an optional '-'; nothing else. */
MUST_CHECK bool number_parse(struct span span, int64_t *out);

#endif
