/*
 * JSON writer: compact JSON text, straight into a buffer.
 *
 * Commas are the writer's business. Names are our own literals and written as they are; texts are
 * escaped as RFC 8259 asks and no further, so they come back byte for byte. There are no reals.
 *
 *     struct json_writer json = { .out = &buffer };
 *     json_begin_object(&json);
 *     json_member_text(&json, "status", "sent");
 *     json_end_object(&json);
 *
 * Text handed in must be valid UTF-8 (it came from the reader or from the database).
 */
#ifndef CHECKOUT_JSON_JSON_WRITER_H
#define CHECKOUT_JSON_JSON_WRITER_H

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/base/id.h"

struct json_writer {
    struct buffer *out;
    bool comma; /* a comma is due before the next element */
};

void json_begin_object(struct json_writer *json);
void json_end_object(struct json_writer *json);
void json_begin_array(struct json_writer *json);
void json_end_array(struct json_writer *json);

/* The name of the next value, which may be an object, an array or raw JSON. */
void json_name(struct json_writer *json, const char *name);

/*
 * Elements of an array, or values behind json_name(). (json_integer and json_null are symbols of
 * the parser's library; ours must not be taken for them.)
 */
void json_text(struct json_writer *json, const char *text);
void json_text_span(struct json_writer *json, struct span text);
void json_number(struct json_writer *json, int64_t number);
void json_boolean(struct json_writer *json, bool value);
void json_null_value(struct json_writer *json);
void json_raw(struct json_writer *json, struct span json_text);

/* Name and value in one. A NULL or empty text of json_member_text_or_null() is written as null. */
void json_member_text(struct json_writer *json, const char *name, const char *text);
void json_member_text_or_null(struct json_writer *json, const char *name, const char *text);
void json_member_integer(struct json_writer *json, const char *name, int64_t number);
void json_member_boolean(struct json_writer *json, const char *name, bool value);
void json_member_id(struct json_writer *json, const char *name, struct id id);
void json_member_instant(struct json_writer *json, const char *name, struct instant instant);
/* null for 0 ms, and unless `there`. */
void json_member_instant_or_null(struct json_writer *json, const char *name,
                                 struct instant instant);
void json_member_id_or_null(struct json_writer *json, const char *name, bool there, struct id id);
void json_member_raw(struct json_writer *json, const char *name, struct span json_text);

/* Appends `text` escaped, without quotes. */
void json_escape(struct buffer *out, struct span text);

#endif
