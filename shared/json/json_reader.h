/*
 * JSON reader: from untrusted text to values, with every wrong field named.
 *
 * A document is parsed once, strictly (RFC 8259, UTF-8, no duplicate keys, no NUL, nothing behind
 * it, at most JSON_DEPTH_MAX levels). Then a reader walks an object. Each read checks type and
 * bounds; a field that is wrong is recorded with its JSON pointer, and reading goes on so that the
 * client learns everything at once. json_reader_end() also records the members nobody asked for.
 *
 *     AUTO(json_document_release) struct json_document document;
 *     if (!json_document_parse(body, &document, err))
 *         return false;
 *
 *     struct json_reader reader;
 *     json_reader_begin(&reader, &document, err);
 *     json_read_integer(&reader, "quantity", JSON_REQUIRED, 1, 10000, &quantity);
 *     json_reader_end(&reader);
 *     return json_reader_ok(&reader);
 *
 * Pointers handed out live as long as the document. A document belongs to one thread at a time.
 */
#ifndef CHECKOUT_JSON_JSON_READER_H
#define CHECKOUT_JSON_JSON_READER_H

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"
#include "shared/base/text.h"

/* Levels of nesting: our deepest object has 4. */
enum { JSON_DEPTH_MAX = 16 };

/* Members that one object may have at most, and that a reader remembers as asked for. */
enum { JSON_MEMBERS_MAX = 64 };

enum json_presence {
    JSON_REQUIRED, /* absent or null is an error ("required") */
    JSON_OPTIONAL, /* absent or null leaves the value as it is */
};

struct json_value; /* one value of the document; the library's own type behind it */

struct json_document {
    struct json_value *root;
};

/* One object (or array element) being read; readers of members point at their parent. */
struct json_reader {
    struct json_value *object;
    struct error *err;
    char pointer[96];
    size_t asked_count;
    const char *asked[JSON_MEMBERS_MAX];
};

/* ERROR_MALFORMED "json_malformed" with line and column, or "body_empty". */
MUST_CHECK bool json_document_parse(struct span text, struct json_document *out, struct error *err);

/* Takes NULL roots. */
void json_document_release(struct json_document *document);

/*
 * Starts at the root. `err` becomes an ERROR_VALIDATION without fields and collects the rest;
 * a root that is no object is recorded with pointer "".
 */
void json_reader_begin(struct json_reader *reader, const struct json_document *document,
                       struct error *err);

/* Starts at a value that is not the root, recording into the same error under `pointer`. */
void json_reader_at(struct json_reader *reader, struct json_value *value, const char *pointer,
                    struct error *err);

/* Records members that were never asked for as "unknown_field". */
void json_reader_end(struct json_reader *reader);

/* True while nothing wrong was recorded in the whole error. */
bool json_reader_ok(const struct json_reader *reader);

/* Records a wrong member by hand: a rule that needs more than one field. `name` may be NULL. */
void json_reader_refuse(struct json_reader *reader, const char *name, const char *code,
                        const char *format, ...) PRINTF_LIKE(4, 5);

/* True if the member is there and not null. Does not count as asking for it. */
bool json_has(const struct json_reader *reader, const char *name);

/*
 * Each json_read_ function returns true when `out` was written; false when the member is absent
 * (and optional) or wrong (and recorded).
 */

/* An integer without fraction or exponent, within [min, max]. */
bool json_read_integer(struct json_reader *reader, const char *name, enum json_presence presence,
                       int64_t min, int64_t max, int64_t *out);

bool json_read_boolean(struct json_reader *reader, const char *name, enum json_presence presence,
                       bool *out);

/*
 * Text of min to max code points, copied with a NUL into `out` of `size` bytes (at least
 * 4 * max + 1). Control characters are kept: what was accepted comes back byte for byte.
 */
bool json_read_text(struct json_reader *reader, const char *name, enum json_presence presence,
                    size_t min, size_t max, char *out, size_t size);

/* One of `count` words: writes its index. The error lists what is allowed. */
bool json_read_choice(struct json_reader *reader, const char *name, enum json_presence presence,
                      const char *const *words, size_t count, size_t *out);

bool json_read_id(struct json_reader *reader, const char *name, enum json_presence presence,
                  struct id *out);

/* RFC 3339. */
bool json_read_instant(struct json_reader *reader, const char *name, enum json_presence presence,
                       struct instant *out);

/* A member object: starts `out` at it. */
bool json_read_object(struct json_reader *reader, const char *name, enum json_presence presence,
                      struct json_reader *out);

/* A member array of min to max elements: its value and how many. */
bool json_read_array(struct json_reader *reader, const char *name, enum json_presence presence,
                     size_t min, size_t max, struct json_value **out, size_t *count);

/* Starts `out` at element `index` of an array from json_read_array() (which must be an object). */
bool json_read_element(struct json_reader *reader, const char *name, struct json_value *array,
                       size_t index, struct json_reader *out);

/* Any member as it is, NULL when absent. Counts as asking for it. */
struct json_value *json_read_value(struct json_reader *reader, const char *name);

/* Element `index` of an array value as it is; NULL beyond its end. */
struct json_value *json_array_at(const struct json_value *array, size_t index);

/* How many members an object value has. */
size_t json_member_count(const struct json_value *object);

/* The value's own text when it is a string (borrowed), else NULL. */
const char *json_value_text(const struct json_value *value);

/* Whether the value is an object / a null. */
bool json_value_is_object(const struct json_value *value);
bool json_value_is_null(const struct json_value *value);

/* Calls `visit` for each member; stops when it returns false, and returns what it returned. */
bool json_each_member(const struct json_value *object,
                      bool (*visit)(void *ctx, const char *name, const struct json_value *value),
                      void *ctx);

/* Appends the value as compact JSON, members in their order. */
void json_value_write(const struct json_value *value, struct buffer *out);

#endif
