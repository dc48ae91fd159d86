#include "shared/soap/envelope.h"

#include <stdarg.h>

#include "shared/soap/soap_library.h"

enum { POINTER_SIZE = sizeof(((struct soap_reader *)NULL)->pointer) };

/* XML's names hold neither '/' nor '~': nothing is to be escaped (RFC 6901). */
void soap_reader_refuse(struct soap_reader *reader, const char *name, const char *code,
                        const char *format, ...)
{
    char pointer[POINTER_SIZE];
    char detail[sizeof(reader->err->fields[0].detail)];
    va_list arguments;

    va_start(arguments, format);
    text_format_list(detail, sizeof(detail), format, arguments);
    va_end(arguments);

    text_format(pointer, sizeof(pointer), "%s%s%s", reader->pointer, name ? "/" : "",
                name ? name : "");
    error_add_field(reader->err, pointer, code, "%s", detail);
}

/* Starts at an element that must hold fields. */
static void start(struct soap_reader *reader, xmlNode *element, const char *pointer,
                  struct error *err)
{
    reader->element = soap_library_wrap_element(element);
    reader->err = err;
    reader->asked_count = 0;
    text_copy(reader->pointer, sizeof(reader->pointer), pointer);
    if (soap_library_has_text(element)) {
        reader->element = NULL;
        soap_reader_refuse(reader, NULL, "type_invalid",
                           "must hold elements, and no text between them");
    }
}

void soap_reader_begin(struct soap_reader *reader, const struct envelope *envelope,
                       struct error *err)
{
    char pointer[POINTER_SIZE];

    error_begin_validation(err);
    text_format(pointer, sizeof(pointer), "/%s", envelope_message(envelope));
    start(reader, soap_library_element(envelope->message), pointer, err);
}

static bool was_asked(const struct soap_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->asked_count; i++)
        if (strcmp(reader->asked[i], name) == 0)
            return true;
    return false;
}

static xmlNode *first_field(const struct soap_reader *reader)
{
    xmlNode *element = soap_library_element(reader->element);

    return element ? soap_library_next(element->children) : NULL;
}

/* A field has its parent's namespace, or none: what is elsewhere is somebody else's. */
static bool is_ours(const xmlNode *field)
{
    const char *name_space = soap_library_namespace(field);

    return *name_space == '\0' || strcmp(name_space, soap_library_namespace(field->parent)) == 0;
}

void soap_reader_end(struct soap_reader *reader)
{
    for (xmlNode *field = first_field(reader); field; field = soap_library_next(field->next))
        if (!is_ours(field) || !was_asked(reader, soap_library_text(field->name)))
            soap_reader_refuse(reader, soap_library_text(field->name), "unknown_field",
                               "is not a field of this element");
}

bool soap_reader_ok(const struct soap_reader *reader)
{
    return reader->err->field_count == 0 && reader->err->fields_omitted == 0;
}

/* From `field` on, the first of that name. */
static xmlNode *find(xmlNode *field, const char *name)
{
    while (field && (!is_ours(field) || strcmp(soap_library_text(field->name), name) != 0))
        field = soap_library_next(field->next);
    return field;
}

/* xsi:nil is how XML says null. */
static bool is_nil(xmlNode *field)
{
    xmlChar *word = xmlGetNsProp(field, BAD_CAST "nil", BAD_CAST SOAP_INSTANCE_NAMESPACE);
    const char *text = soap_library_text(word);
    bool nil = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

    xmlFree(word);
    return nil;
}

static void remember_asked(struct soap_reader *reader, const char *name)
{
    if (was_asked(reader, name))
        return;
    assert(reader->asked_count < SOAP_FIELDS_MAX);
    reader->asked[reader->asked_count++] = name;
}

/* The field to read; NULL when there is none, which is recorded if it had to be there. */
static xmlNode *ask(struct soap_reader *reader, const char *name, enum soap_presence presence)
{
    xmlNode *field = find(first_field(reader), name);

    remember_asked(reader, name);
    if (field && find(soap_library_next(field->next), name)) {
        soap_reader_refuse(reader, name, "repeated", "is there more than once");
        return NULL;
    }
    if (field && !is_nil(field))
        return field;
    /* where no fields can be, that was recorded, and saying it of each helps nobody */
    if (presence == SOAP_REQUIRED && reader->element)
        soap_reader_refuse(reader, name, "required", "is required");
    return NULL;
}

/* As ask(), for a field that must be text; appends it. A comment may have split it. */
static bool ask_text(struct soap_reader *reader, const char *name, enum soap_presence presence,
                     struct buffer *out)
{
    xmlNode *field = ask(reader, name, presence);

    if (!field)
        return false;
    if (soap_library_next(field->children)) {
        soap_reader_refuse(reader, name, "type_invalid", "must be text");
        return false;
    }
    buffer_append(out, "");
    for (xmlNode *node = field->children; node; node = node->next)
        buffer_append(out, soap_library_text(node->content));
    return true;
}

/* As ask_text(), without the blanks around it, which mean nothing where only words or numbers are
 * (XML Schema calls it "collapse"). */
static bool ask_token(struct soap_reader *reader, const char *name, enum soap_presence presence,
                      struct buffer *out)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    if (!ask_text(reader, name, presence, &text))
        return false;
    struct span token = { text.at + strspn(text.at, " \t\r\n"), 0 };
    token.length = strlen(token.at);
    while (token.length > 0 && strchr(" \t\r\n", token.at[token.length - 1]))
        token.length--;
    buffer_append_span(out, token);
    buffer_append(out, "");
    return true;
}

bool soap_read_text(struct soap_reader *reader, const char *name, enum soap_presence presence,
                    size_t min, size_t max, char *out, size_t size)
{
    assert(size >= 4 * max + 1);
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    if (!ask_text(reader, name, presence, &text))
        return false;
    size_t length = text_length(buffer_span(&text));
    if (length >= min && length <= max)
        return text_copy(out, size, text.at);
    soap_reader_refuse(reader, name, length < min ? "too_short" : "too_long",
                       "must have at %s %zu characters", length < min ? "least" : "most",
                       length < min ? min : max);
    return false;
}

/* An optional minus, and digits: too large it may be. */
static bool is_number(const char *text)
{
    text += *text == '-';
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool soap_read_integer(struct soap_reader *reader, const char *name, enum soap_presence presence,
                       int64_t min, int64_t max, int64_t *out)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    int64_t number;

    if (!ask_token(reader, name, presence, &text))
        return false;
    if (!is_number(text.at)) {
        soap_reader_refuse(reader, name, "type_invalid",
                           "must be a whole number without fraction or exponent");
        return false;
    }
    if (!number_parse(buffer_span(&text), &number) || number < min || number > max) {
        soap_reader_refuse(reader, name, "out_of_range", "must be from %lld to %lld",
                           (long long)min, (long long)max);
        return false;
    }
    *out = number;
    return true;
}

bool soap_read_boolean(struct soap_reader *reader, const char *name, enum soap_presence presence,
                       bool *out)
{
    static const char *const words[] = { "false", "true", "0", "1" };
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    if (!ask_token(reader, name, presence, &text))
        return false;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(words[i], text.at) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    }
    soap_reader_refuse(reader, name, "type_invalid", "must be true or false");
    return false;
}

bool soap_read_id(struct soap_reader *reader, const char *name, enum soap_presence presence,
                  struct id *out)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    if (!ask_token(reader, name, presence, &text))
        return false;
    if (id_parse(text.at, out))
        return true;
    soap_reader_refuse(reader, name, "id_invalid", "must be a UUID");
    return false;
}

bool soap_read_choice(struct soap_reader *reader, const char *name, enum soap_presence presence,
                      const char *const *words, size_t count, size_t *out)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer list = BUFFER_EMPTY;

    if (!ask_token(reader, name, presence, &text))
        return false;
    buffer_append(&list, "must be one of:");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text.at) == 0) {
            *out = i;
            return true;
        }
        buffer_append_format(&list, "%s %s", i == 0 ? "" : ",", words[i]);
    }
    soap_reader_refuse(reader, name, "not_allowed", "%s", list.at);
    return false;
}

bool soap_read_element(struct soap_reader *reader, const char *name, enum soap_presence presence,
                       struct soap_reader *out)
{
    xmlNode *field = ask(reader, name, presence);
    char pointer[POINTER_SIZE];

    if (!field)
        return false;
    text_format(pointer, sizeof(pointer), "%s/%s", reader->pointer, name);
    start(out, field, pointer, reader->err);
    return out->element;
}
