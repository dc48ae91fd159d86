#include "shared/http/query.h"

#include "shared/base/buffer.h"
#include "shared/http/percent.h"

typedef char parameter_value[QUERY_TEXT_MAX];

void query_refuse(struct query *query, const char *name, const char *code, const char *detail)
{
    char pointer[sizeof(query->err->fields[0].pointer)];

    text_format(pointer, sizeof(pointer), "?%s", name);
    error_add_field(query->err, pointer, code, "%s", detail);
}

static int find(const struct query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->parameters[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* One "name=value"; whatever is wrong with it is recorded, and it is then not there. */
static void add(struct query *query, struct span name, struct span value)
{
    char text[sizeof(query->parameters[0].name)];

    if (!percent_decode(name, true, text, sizeof(text)) || text[0] == '\0') {
        query_refuse(query, "", "unknown_parameter", "has a name that no parameter has");
        return;
    }
    if (find(query, text) >= 0) {
        query_refuse(query, text, "repeated", "may be there once");
        return;
    }
    if (query->count == QUERY_PARAMETERS_MAX) {
        query_refuse(query, text, "too_many", "is one parameter too many");
        return;
    }
    if (!percent_decode(value, true, query->parameters[query->count].value,
                        sizeof(parameter_value))) {
        query_refuse(query, text, "encoding_invalid", "must be percent-encoded UTF-8 without NUL");
        return;
    }
    text_copy(query->parameters[query->count].name, sizeof(text), text);
    query->parameters[query->count].asked = false;
    query->count++;
}

void query_begin(struct query *query, const char *text, struct error *err)
{
    query->err = err;
    query->count = 0;
    error_begin_validation(err);
    while (*text != '\0') {
        size_t length = strcspn(text, "&");
        size_t name = strcspn(text, "=&");
        size_t value = name < length ? name + 1 : length;

        if (length > 0)
            add(query, (struct span){ text, name }, (struct span){ text + value, length - value });
        text += length + (text[length] == '&');
    }
}

/* The value, NULL when it is not there. */
static const char *ask(struct query *query, const char *name)
{
    int index = find(query, name);

    if (index < 0)
        return NULL;
    query->parameters[index].asked = true;
    return query->parameters[index].value;
}

bool query_read_text(struct query *query, const char *name, size_t min, size_t max, char *out,
                     size_t size)
{
    const char *text = ask(query, name);
    char detail[60];

    if (!text)
        return false;
    size_t length = text_length(span_of(text));
    if (length >= min && length <= max)
        return text_copy(out, size, text);
    text_format(detail, sizeof(detail), "must have %zu to %zu characters", min, max);
    query_refuse(query, name, length < min ? "too_short" : "too_long", detail);
    return false;
}

bool query_read_integer(struct query *query, const char *name, int64_t min, int64_t max,
                        int64_t *out)
{
    const char *text = ask(query, name);
    int64_t number;
    char detail[60];

    if (!text)
        return false;
    if (!number_parse(span_of(text), &number)) {
        query_refuse(query, name, "type_invalid", "must be an integer");
        return false;
    }
    if (number < min || number > max) {
        text_format(detail, sizeof(detail), "must be from %lld to %lld", (long long)min,
                    (long long)max);
        query_refuse(query, name, "out_of_range", detail);
        return false;
    }
    *out = number;
    return true;
}

bool query_read_id(struct query *query, const char *name, struct id *out)
{
    const char *text = ask(query, name);

    if (!text || id_parse(text, out))
        return text != NULL;
    query_refuse(query, name, "id_invalid", "must be a UUID");
    return false;
}

bool query_read_instant(struct query *query, const char *name, struct instant *out)
{
    const char *text = ask(query, name);

    /* A blank is what is left of a '+' that was not encoded, not what Postgres prints. */
    if (!text || (!strchr(text, ' ') && instant_parse(text, out)))
        return text != NULL;
    query_refuse(query, name, "time_invalid",
                 "must be an RFC 3339 time such as 2026-01-31T23:59:59Z");
    return false;
}

bool query_read_choice(struct query *query, const char *name, const char *const *words,
                       size_t count, size_t *out)
{
    AUTO(buffer_release) struct buffer list = BUFFER_EMPTY;
    const char *text = ask(query, name);

    if (!text)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&list, "%s %s", i == 0 ? "must be one of:" : ",", words[i]);
    query_refuse(query, name, "not_allowed", list.at ? list.at : "");
    return false;
}

void query_end(struct query *query)
{
    for (size_t i = 0; i < query->count; i++)
        if (!query->parameters[i].asked)
            query_refuse(query, query->parameters[i].name, "unknown_parameter",
                         "is not known here");
}

bool query_ok(const struct query *query)
{
    return query->err->field_count == 0 && query->err->fields_omitted == 0;
}
