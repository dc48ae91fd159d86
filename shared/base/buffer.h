/*
 * Buffer: text that grows.
 *
 * A buffer never fails: memory that the system refuses ends the process (every buffer's content is
 * bounded by its maker, so this is exhaustion, not input; what was answered is in the database).
 *
 *     AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;
 *     buffer_append(&buffer, "a");
 */
#ifndef CHECKOUT_BASE_BUFFER_H
#define CHECKOUT_BASE_BUFFER_H

#include "shared/base/compiler.h"
#include "shared/base/text.h"

/* `at` holds `length` bytes and a NUL behind them; NULL while nothing was appended. */
struct buffer {
    char *at;
    size_t length;
    size_t capacity;
    bool secret; /* memory is overwritten when it is outgrown, cleared or given back */
};

#define BUFFER_EMPTY ((struct buffer){ NULL, 0, 0, false })

/* For what may not be found in memory afterwards, such as the number of a card. */
#define BUFFER_SECRET ((struct buffer){ NULL, 0, 0, true })

/* Makes room for `more` bytes beyond the length. */
void buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, const char *text);
void buffer_append_span(struct buffer *buffer, struct span span);
void buffer_append_bytes(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_append_integer(struct buffer *buffer, int64_t number);

/* Forgets the content and keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Frees the memory; the buffer is empty, as secret as before, and may be used again. */
void buffer_release(struct buffer *buffer);

struct span buffer_span(const struct buffer *buffer);

/* malloc and calloc that end the process instead of returning NULL. The caller frees. */
void *memory_allocate(size_t size);
void *memory_allocate_zeroed(size_t count, size_t size);
char *memory_copy_text(struct span span);

/* Overwrites memory in a way that no compiler removes. */
void memory_wipe(void *at, size_t length);

#endif
