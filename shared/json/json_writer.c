#include "shared/json/json_writer.h"

/* Writes the comma that is due, and knows that one is due behind the value that follows. */
static void begin_value(struct json_writer *json)
{
    if (json->comma)
        buffer_append_bytes(json->out, ",", 1);
    json->comma = true;
}

static void open_bracket(struct json_writer *json, const char *bracket)
{
    begin_value(json);
    buffer_append_bytes(json->out, bracket, 1);
    json->comma = false;
}

static void close_bracket(struct json_writer *json, const char *bracket)
{
    buffer_append_bytes(json->out, bracket, 1);
    json->comma = true;
}

void json_begin_object(struct json_writer *json)
{
    open_bracket(json, "{");
}

void json_end_object(struct json_writer *json)
{
    close_bracket(json, "}");
}

void json_begin_array(struct json_writer *json)
{
    open_bracket(json, "[");
}

void json_end_array(struct json_writer *json)
{
    close_bracket(json, "]");
}

void json_name(struct json_writer *json, const char *name)
{
    begin_value(json);
    buffer_append_bytes(json->out, "\"", 1);
    buffer_append(json->out, name);
    buffer_append_bytes(json->out, "\":", 2);
    json->comma = false;
}

void json_text(struct json_writer *json, const char *text)
{
    json_text_span(json, span_of(text));
}

void json_text_span(struct json_writer *json, struct span text)
{
    begin_value(json);
    buffer_append_bytes(json->out, "\"", 1);
    json_escape(json->out, text);
    buffer_append_bytes(json->out, "\"", 1);
}

void json_number(struct json_writer *json, int64_t number)
{
    begin_value(json);
    buffer_append_integer(json->out, number);
}

void json_boolean(struct json_writer *json, bool value)
{
    begin_value(json);
    buffer_append(json->out, value ? "true" : "false");
}

void json_null_value(struct json_writer *json)
{
    begin_value(json);
    buffer_append_bytes(json->out, "null", 4);
}

void json_raw(struct json_writer *json, struct span json_text)
{
    begin_value(json);
    buffer_append_span(json->out, json_text);
}

void json_member_text(struct json_writer *json, const char *name, const char *text)
{
    json_name(json, name);
    json_text(json, text);
}

void json_member_text_or_null(struct json_writer *json, const char *name, const char *text)
{
    json_name(json, name);
    if (text && text[0] != '\0')
        json_text(json, text);
    else
        json_null_value(json);
}

void json_member_integer(struct json_writer *json, const char *name, int64_t number)
{
    json_name(json, name);
    json_number(json, number);
}

void json_member_boolean(struct json_writer *json, const char *name, bool value)
{
    json_name(json, name);
    json_boolean(json, value);
}

void json_member_id(struct json_writer *json, const char *name, struct id id)
{
    json_member_text(json, name, id_text(id).text);
}

void json_member_instant(struct json_writer *json, const char *name, struct instant instant)
{
    json_member_text(json, name, instant_text(instant).text);
}

void json_member_instant_or_null(struct json_writer *json, const char *name, struct instant instant)
{
    if (instant.ms != 0) {
        json_member_instant(json, name, instant);
        return;
    }
    json_name(json, name);
    json_null_value(json);
}

void json_member_id_or_null(struct json_writer *json, const char *name, bool there, struct id id)
{
    if (there) {
        json_member_id(json, name, id);
        return;
    }
    json_name(json, name);
    json_null_value(json);
}

void json_member_raw(struct json_writer *json, const char *name, struct span json_text)
{
    json_name(json, name);
    json_raw(json, json_text);
}

/* The letter of a two-character escape, NUL for a control character that has none. */
static char short_escape(char character)
{
    switch (character) {
    case '"':
    case '\\':
        return character;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

static void append_escape(struct buffer *out, char character)
{
    char letter = short_escape(character);

    if (letter)
        buffer_append_bytes(out, (char[]){ '\\', letter }, 2);
    else
        buffer_append_format(out, "\\u%04x", (unsigned)(unsigned char)character);
}

void json_escape(struct buffer *out, struct span text)
{
    size_t plain = 0; /* where the run of characters that need no escape began */

    if (text.length == 0)
        return;
    for (size_t i = 0; i < text.length; i++) {
        char character = text.at[i];
        if ((unsigned char)character >= 0x20 && character != '"' && character != '\\')
            continue;
        buffer_append_bytes(out, text.at + plain, i - plain);
        append_escape(out, character);
        plain = i + 1;
    }
    buffer_append_bytes(out, text.at + plain, text.length - plain);
}
