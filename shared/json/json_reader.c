#include "shared/json/json_reader.h"

#include <stdarg.h>

#include "shared/json/json_library.h"
#include "shared/json/json_numbers.h"

/* The size of a pointer, and of one of its parts: a part alone may already be too long. */
enum { POINTER_SIZE = sizeof(((struct json_reader *)NULL)->pointer) };
enum { TOKEN_SIZE = POINTER_SIZE + 2 };

/* Writes `name` as a part of a JSON pointer (RFC 6901), as much of it as could matter. */
static void escape_token(const char *name, char token[TOKEN_SIZE])
{
    size_t length = 0;

    for (; *name != '\0' && length < TOKEN_SIZE - 2; name++) {
        if (*name == '~' || *name == '/') {
            token[length++] = '~';
            token[length++] = *name == '~' ? '0' : '1';
        } else {
            token[length++] = *name;
        }
    }
    token[length] = '\0';
}

/* The pointer of a member; cut where it is too long, but not inside a character or an escape. */
static void extend_pointer(const char *parent, const char *name, char out[POINTER_SIZE])
{
    char token[TOKEN_SIZE];

    escape_token(name, token);
    if (!text_format(out, POINTER_SIZE, "%s/%s", parent, token)) {
        size_t length = strlen(out);
        if (out[length - 1] == '~')
            out[length - 1] = '\0';
    }
}

void json_reader_begin(struct json_reader *reader, const struct json_document *document,
                       struct error *err)
{
    error_begin_validation(err);
    json_reader_at(reader, document->root, "", err);
}

void json_reader_at(struct json_reader *reader, struct json_value *value, const char *pointer,
                    struct error *err)
{
    reader->object = json_value_is_object(value) ? value : NULL;
    reader->err = err;
    reader->asked_count = 0;
    text_copy(reader->pointer, sizeof(reader->pointer), pointer);

    if (!reader->object)
        json_reader_refuse(reader, NULL, "type_invalid", "must be an object");
    else if (json_member_count(value) > JSON_MEMBERS_MAX)
        json_reader_refuse(reader, NULL, "too_many", "must have at most %d members",
                           JSON_MEMBERS_MAX);
}

static bool was_asked(const struct json_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->asked_count; i++)
        if (reader->asked[i] == name || strcmp(reader->asked[i], name) == 0)
            return true;
    return false;
}

void json_reader_end(struct json_reader *reader)
{
    json_t *object = json_library_value(reader->object);

    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
        if (!was_asked(reader, json_object_iter_key(at)))
            json_reader_refuse(reader, json_object_iter_key(at), "unknown_field",
                               "is not a field of this object");
}

bool json_reader_ok(const struct json_reader *reader)
{
    return reader->err->field_count == 0 && reader->err->fields_omitted == 0;
}

void json_reader_refuse(struct json_reader *reader, const char *name, const char *code,
                        const char *format, ...)
{
    char pointer[POINTER_SIZE];
    char detail[sizeof(reader->err->fields[0].detail)];
    va_list arguments;

    if (name)
        extend_pointer(reader->pointer, name, pointer);
    else
        text_copy(pointer, sizeof(pointer), reader->pointer);
    va_start(arguments, format);
    text_format_list(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    error_add_field(reader->err, pointer, code, "%s", detail);
}

/* The member, NULL when there is none or no object to have one. */
static json_t *find(const struct json_reader *reader, const char *name)
{
    return json_object_get(json_library_value(reader->object), name);
}

bool json_has(const struct json_reader *reader, const char *name)
{
    json_t *value = find(reader, name);

    return value && !json_is_null(value);
}

static void remember_asked(struct json_reader *reader, const char *name)
{
    if (was_asked(reader, name))
        return;
    assert(reader->asked_count < JSON_MEMBERS_MAX);
    reader->asked[reader->asked_count++] = name;
}

/* The member to read; NULL when there is none, which is recorded if it had to be there. */
static json_t *ask(struct json_reader *reader, const char *name, enum json_presence presence)
{
    json_t *value = find(reader, name);

    remember_asked(reader, name);
    if (value && !json_is_null(value))
        return value;
    /* where no object is, that was recorded, and saying it of each member helps nobody */
    if (presence == JSON_REQUIRED && reader->object)
        json_reader_refuse(reader, name, "required", "is required");
    return NULL;
}

/* As ask(), for a member that must be text; its code points are for the caller to judge. */
static const char *ask_text(struct json_reader *reader, const char *name,
                            enum json_presence presence)
{
    json_t *value = ask(reader, name, presence);

    if (value && !json_is_string(value))
        json_reader_refuse(reader, name, "type_invalid", "must be a string");
    return json_string_value(value);
}

bool json_read_integer(struct json_reader *reader, const char *name, enum json_presence presence,
                       int64_t min, int64_t max, int64_t *out)
{
    json_t *value = ask(reader, name, presence);

    if (!value)
        return false;
    bool is_beyond = json_is_real(value) && json_real_value(value) >= JSON_NUMBER_BEYOND_VALUE;
    if (!json_is_integer(value) && !is_beyond) {
        json_reader_refuse(reader, name, "type_invalid",
                           "must be a whole number without fraction or exponent");
        return false;
    }
    int64_t number = json_integer_value(value);
    if (is_beyond || number < min || number > max) {
        json_reader_refuse(reader, name, "out_of_range", "must be from %lld to %lld",
                           (long long)min, (long long)max);
        return false;
    }
    *out = number;
    return true;
}

bool json_read_boolean(struct json_reader *reader, const char *name, enum json_presence presence,
                       bool *out)
{
    json_t *value = ask(reader, name, presence);

    if (!value)
        return false;
    if (!json_is_boolean(value)) {
        json_reader_refuse(reader, name, "type_invalid", "must be true or false");
        return false;
    }
    *out = json_is_true(value);
    return true;
}

bool json_read_text(struct json_reader *reader, const char *name, enum json_presence presence,
                    size_t min, size_t max, char *out, size_t size)
{
    assert(size >= 4 * max + 1);
    const char *text = ask_text(reader, name, presence);

    if (!text)
        return false;
    size_t length = text_length(span_of(text));
    if (length < min) {
        json_reader_refuse(reader, name, "too_short", "must have at least %zu characters", min);
        return false;
    }
    if (length > max) {
        json_reader_refuse(reader, name, "too_long", "must have at most %zu characters", max);
        return false;
    }
    return text_copy(out, size, text);
}

/* Records a word that is none of the choices, and lists them. */
static void refuse_choice(struct json_reader *reader, const char *name, const char *const *words,
                          size_t count)
{
    AUTO(buffer_release) struct buffer list = BUFFER_EMPTY;

    buffer_append(&list, "must be one of:");
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&list, "%s %s", i == 0 ? "" : ",", words[i]);
    json_reader_refuse(reader, name, "not_allowed", "%s", list.at);
}

bool json_read_choice(struct json_reader *reader, const char *name, enum json_presence presence,
                      const char *const *words, size_t count, size_t *out)
{
    const char *text = ask_text(reader, name, presence);

    if (!text)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    refuse_choice(reader, name, words, count);
    return false;
}

bool json_read_id(struct json_reader *reader, const char *name, enum json_presence presence,
                  struct id *out)
{
    const char *text = ask_text(reader, name, presence);

    if (!text)
        return false;
    if (id_parse(text, out))
        return true;
    json_reader_refuse(reader, name, "id_invalid", "must be a UUID");
    return false;
}

bool json_read_instant(struct json_reader *reader, const char *name, enum json_presence presence,
                       struct instant *out)
{
    const char *text = ask_text(reader, name, presence);

    if (!text)
        return false;
    /* a blank in the middle is the database's spelling, not a client's */
    if (!strchr(text, ' ') && instant_parse(text, out))
        return true;
    json_reader_refuse(reader, name, "time_invalid",
                       "must be an RFC 3339 time such as 2026-01-31T23:59:59Z");
    return false;
}

bool json_read_object(struct json_reader *reader, const char *name, enum json_presence presence,
                      struct json_reader *out)
{
    json_t *value = ask(reader, name, presence);
    char pointer[POINTER_SIZE];

    if (!value)
        return false;
    extend_pointer(reader->pointer, name, pointer);
    json_reader_at(out, json_library_wrap(value), pointer, reader->err);
    return out->object;
}

bool json_read_array(struct json_reader *reader, const char *name, enum json_presence presence,
                     size_t min, size_t max, struct json_value **out, size_t *count)
{
    json_t *value = ask(reader, name, presence);
    size_t length = json_array_size(value);

    if (!value)
        return false;
    if (!json_is_array(value)) {
        json_reader_refuse(reader, name, "type_invalid", "must be an array");
        return false;
    }
    if (length < min) {
        json_reader_refuse(reader, name, "too_few", "must have at least %zu elements", min);
        return false;
    }
    if (length > max) {
        json_reader_refuse(reader, name, "too_many", "must have at most %zu elements", max);
        return false;
    }
    *out = json_library_wrap(value);
    *count = length;
    return true;
}

bool json_read_element(struct json_reader *reader, const char *name, struct json_value *array,
                       size_t index, struct json_reader *out)
{
    json_t *value = json_array_get(json_library_value(array), index);
    char list[POINTER_SIZE], pointer[POINTER_SIZE], number[24];

    extend_pointer(reader->pointer, name, list);
    text_format(number, sizeof(number), "%zu", index);
    extend_pointer(list, number, pointer);
    json_reader_at(out, json_library_wrap(value), pointer, reader->err);
    return out->object;
}

struct json_value *json_read_value(struct json_reader *reader, const char *name)
{
    remember_asked(reader, name);
    return json_library_wrap(find(reader, name));
}
