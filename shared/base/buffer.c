#include "shared/base/buffer.h"

#include <stdarg.h>
#include <unistd.h>

/* The first allocation; most answers fit. */
enum { CAPACITY_FIRST = 256 };

/* "-9223372036854775808" */
enum { INTEGER_LENGTH_MAX = 20 };

/* Unwinding without memory would need memory; whoever supervises the process starts it again. */
static _Noreturn void end_without_memory(void)
{
    static const char line[] = "out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);

    (void)ignored;
    abort();
}

void *memory_allocate(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (!memory)
        end_without_memory();
    return memory;
}

void *memory_allocate_zeroed(size_t count, size_t size)
{
    bool empty = count == 0 || size == 0;
    void *memory = empty ? calloc(1, 1) : calloc(count, size);

    if (!memory)
        end_without_memory();
    return memory;
}

char *memory_copy_text(struct span span)
{
    char *copy = memory_allocate(span.length + 1);

    if (span.length > 0)
        memcpy(copy, span.at, span.length);
    copy[span.length] = '\0';
    return copy;
}

void memory_wipe(void *at, size_t length)
{
    explicit_bzero(at, length);
}

/* All of it: what was cut off is there, too. */
static void wipe(struct buffer *buffer)
{
    if (buffer->secret && buffer->at)
        memory_wipe(buffer->at, buffer->capacity);
}

/* realloc() would leave a copy behind where it moves the memory. */
static void grow_secret(struct buffer *buffer, size_t capacity)
{
    char *grown = memory_allocate(capacity);

    if (buffer->at)
        memcpy(grown, buffer->at, buffer->length);
    wipe(buffer);
    free(buffer->at);
    buffer->at = grown;
}

static void grow(struct buffer *buffer, size_t capacity)
{
    char *grown = realloc(buffer->at, capacity);

    if (!grown)
        end_without_memory();
    buffer->at = grown;
}

void buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t needed, capacity = buffer->capacity ? buffer->capacity : CAPACITY_FIRST;

    if (__builtin_add_overflow(buffer->length, more, &needed) ||
        __builtin_add_overflow(needed, 1, &needed)) /* the NUL */
        end_without_memory();
    if (needed <= buffer->capacity)
        return;
    while (capacity < needed)
        if (__builtin_mul_overflow(capacity, 2, &capacity))
            capacity = needed;

    if (buffer->secret)
        grow_secret(buffer, capacity);
    else
        grow(buffer, capacity);
    buffer->at[buffer->length] = '\0';
    buffer->capacity = capacity;
}

void buffer_append(struct buffer *buffer, const char *text)
{
    buffer_append_bytes(buffer, text, strlen(text));
}

void buffer_append_span(struct buffer *buffer, struct span span)
{
    buffer_append_bytes(buffer, span.at, span.length);
}

void buffer_append_bytes(struct buffer *buffer, const void *bytes, size_t length)
{
    buffer_reserve(buffer, length);
    if (length > 0)
        memcpy(buffer->at + buffer->length, bytes, length);
    buffer->length += length;
    buffer->at[buffer->length] = '\0';
}

/* Formats into what is free; returns the length it takes. */
PRINTF_LIKE(2, 0)
static size_t format_into_free(struct buffer *buffer, const char *format, va_list arguments)
{
    int length = vsnprintf(buffer->at + buffer->length, buffer->capacity - buffer->length, format,
                           arguments);

    assert(length >= 0);
    return (size_t)length;
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;

    buffer_reserve(buffer, 0);
    va_start(arguments, format);
    size_t length = format_into_free(buffer, format, arguments);
    va_end(arguments);

    if (length >= buffer->capacity - buffer->length) { /* was cut: once more, with room */
        buffer_reserve(buffer, length);
        va_start(arguments, format);
        length = format_into_free(buffer, format, arguments);
        va_end(arguments);
    }
    buffer->length += length;
}

void buffer_append_integer(struct buffer *buffer, int64_t number)
{
    char digits[INTEGER_LENGTH_MAX];
    size_t at = sizeof(digits);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    buffer_append_bytes(buffer, digits + at, sizeof(digits) - at);
}

void buffer_clear(struct buffer *buffer)
{
    wipe(buffer);
    buffer->length = 0;
    if (buffer->at)
        buffer->at[0] = '\0';
}

void buffer_release(struct buffer *buffer)
{
    wipe(buffer);
    free(buffer->at);
    *buffer = buffer->secret ? BUFFER_SECRET : BUFFER_EMPTY;
}

struct span buffer_span(const struct buffer *buffer)
{
    return (struct span){ buffer->at ? buffer->at : "", buffer->length };
}
