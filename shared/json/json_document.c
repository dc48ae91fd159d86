#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"

#include "shared/json/json_library.h"
#include "shared/json/json_numbers.h"

/* The library's word for what is wrong stops where it begins to quote the text. */
static const char QUOTE_MARK[] = " near ";

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!strchr(" \t\r\n", text.at[i]) || text.at[i] == '\0')
            return false;
    return true;
}

/*
 * Counts brackets outside strings before the parser recurses into them. In text that is no JSON the
 * count may be anything; the parser refuses that anyway.
 */
static bool is_too_deep(struct span text)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < text.length; i++) {
        char character = text.at[i];

        if (character == '"')
            in_string = !in_string;
        else if (in_string)
            i += character == '\\'; /* what is escaped ends no string */
        else if (character == '[' || character == '{')
            depth++;
        else if (character == ']' || character == '}')
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

/* Turns the library's error into ours. What it quotes is cut off: it may end inside a character. */
static bool refuse_text(const json_error_t *error, struct error *err)
{
    struct span reason = span_of(error->text);
    char *quote = strstr(error->text, QUOTE_MARK);
    const char *code = "json_malformed";

    if (quote)
        reason.length = (size_t)(quote - error->text);
    switch ((int)json_error_code(error)) {
    case json_error_unknown: /* it fails without a reason only when memory is short */
    case json_error_out_of_memory:
        return error_set(err, ERROR_OVERLOADED, "memory_exhausted", "no memory for the document");
    case json_error_duplicate_key:
        code = "json_duplicate_key";
        break;
    default:
        break;
    }
    return error_set(err, ERROR_MALFORMED, code, "line %d, column %d: %.*s", error->line,
                     error->column, (int)reason.length, reason.at);
}

/* Which field is too large is for the field's reader to say. */
static json_t *load_without_overflows(struct span text, size_t flags, json_error_t *error)
{
    AUTO(buffer_release) struct buffer replaced = BUFFER_SECRET; /* a number may be a card's */

    json_numbers_replace(text, &replaced);
    return json_loadb(replaced.at, replaced.length, flags, error);
}

bool json_document_parse(struct span text, struct json_document *out, struct error *err)
{
    json_error_t error = { .line = -1 };
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;

    out->root = NULL; /* an automatic release follows a refusal too */
    if (is_blank(text))
        return error_set(err, ERROR_MALFORMED, "body_empty", "a JSON document is expected");
    if (is_too_deep(text))
        return error_set(err, ERROR_MALFORMED, "json_too_deep", "nested deeper than %d levels",
                         JSON_DEPTH_MAX);

    json_t *root = json_loadb(text.at, text.length, flags, &error);
    if (!root && json_error_code(&error) == json_error_numeric_overflow)
        root = load_without_overflows(text, flags, &error);
    if (!root)
        return refuse_text(&error, err);
    out->root = json_library_wrap(root);
    return true;
}

void json_document_release(struct json_document *document)
{
    json_decref(json_library_value(document->root));
    document->root = NULL;
}

struct json_value *json_array_at(const struct json_value *array, size_t index)
{
    return json_library_wrap(json_array_get(json_library_value(array), index));
}

size_t json_member_count(const struct json_value *object)
{
    return json_object_size(json_library_value(object));
}

const char *json_value_text(const struct json_value *value)
{
    return json_string_value(json_library_value(value));
}

bool json_value_is_object(const struct json_value *value)
{
    return json_is_object(json_library_value(value));
}

bool json_value_is_null(const struct json_value *value)
{
    return json_is_null(json_library_value(value));
}

bool json_each_member(const struct json_value *object,
                      bool (*visit)(void *ctx, const char *name, const struct json_value *value),
                      void *ctx)
{
    json_t *members = json_library_value(object);

    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at))
        if (!visit(ctx, json_object_iter_key(at), json_library_wrap(json_object_iter_value(at))))
            return false;
    return true;
}

static void write_value(struct json_writer *json, json_t *value);

static void write_object(struct json_writer *json, json_t *object)
{
    json_begin_object(json);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        json_text(json, json_object_iter_key(at)); /* a client's: json_name() would not escape it */
        buffer_append_bytes(json->out, ":", 1);
        json->comma = false;
        write_value(json, json_object_iter_value(at));
    }
    json_end_object(json);
}

static void write_array(struct json_writer *json, json_t *array)
{
    json_begin_array(json);
    for (size_t i = 0; i < json_array_size(array); i++)
        write_value(json, json_array_get(array, i));
    json_end_array(json);
}

/* A real can only be a client's own, in a value that is passed on as it is: 17 digits suffice. */
static void write_real(struct json_writer *json, json_t *value)
{
    char text[32];
    size_t length = json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY | JSON_COMPACT);

    assert(length <= sizeof(text));
    json_raw(json, (struct span){ text, length });
}

/* No deeper than JSON_DEPTH_MAX, because only parsed documents come here. */
static void write_value(struct json_writer *json, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(json, value);
        break;
    case JSON_ARRAY:
        write_array(json, value);
        break;
    case JSON_STRING:
        json_text_span(json, (struct span){ json_string_value(value), json_string_length(value) });
        break;
    case JSON_INTEGER:
        json_number(json, json_integer_value(value));
        break;
    case JSON_REAL:
        write_real(json, value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_raw(json, span_of(json_is_true(value) ? "true" : "false"));
        break;
    case JSON_NULL:
        json_null_value(json);
        break;
    }
}

void json_value_write(const struct json_value *value, struct buffer *out)
{
    struct json_writer json = { .out = out };

    write_value(&json, json_library_value(value));
}
