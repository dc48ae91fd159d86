#include "shared/base/error.h"

#include <stdarg.h>

#include "shared/base/text.h"

/* The one table from kinds to HTTP. */
static const struct {
    int status;
    const char *title;
} kinds[] = {
    [ERROR_NONE] = { 500, "No error" }, /* answering with it is our own bug */
    [ERROR_MALFORMED] = { 400, "Malformed request" },
    [ERROR_UNAUTHENTICATED] = { 401, "Not authenticated" },
    [ERROR_FORBIDDEN] = { 403, "Not allowed" },
    [ERROR_NOT_FOUND] = { 404, "Not found" },
    [ERROR_METHOD] = { 405, "Method not allowed" },
    [ERROR_CONFLICT] = { 409, "Conflict" },
    [ERROR_PRECONDITION] = { 412, "Precondition failed" },
    [ERROR_TOO_LARGE] = { 413, "Too large" },
    [ERROR_MEDIA_TYPE] = { 415, "Unsupported media type" },
    [ERROR_VALIDATION] = { 422, "Validation failed" },
    [ERROR_RATE_LIMITED] = { 429, "Too many requests" },
    [ERROR_HEADERS_TOO_LARGE] = { 431, "Header fields too large" },
    [ERROR_NOT_IMPLEMENTED] = { 501, "Not implemented" },
    [ERROR_UNAVAILABLE] = { 503, "Unavailable" },
    [ERROR_OVERLOADED] = { 503, "Overloaded" },
    [ERROR_UNKNOWN_OUTCOME] = { 503, "Outcome unknown" },
    [ERROR_DEADLINE] = { 503, "Out of time" },
    [ERROR_DATA] = { 422, "Data refused" },
    [ERROR_TRANSIENT] = { 503, "Try again" },
    [ERROR_CONFIGURATION] = { 500, "Configuration is wrong" },
    [ERROR_INTERNAL] = { 500, "Internal error" },
};

_Static_assert(COUNT_OF(kinds) == ERROR_KIND_COUNT, "every kind has a row");

/* Everything but the detail; a list of fields is not cleared, only forgotten: it is large. */
static void begin(struct error *err, enum error_kind kind, const char *code)
{
    err->kind = kind;
    text_copy(err->code, sizeof(err->code), code);
    err->retry_after_s = 0;
    err->extra[0] = '\0';
    err->field_count = 0;
    err->fields_omitted = 0;
}

bool error_set(struct error *err, enum error_kind kind, const char *code, const char *format, ...)
{
    char detail[sizeof(err->detail)]; /* the arguments may point into err */
    va_list arguments;

    va_start(arguments, format);
    text_format_list(detail, sizeof(detail), format, arguments);
    va_end(arguments);

    begin(err, kind, code);
    text_copy(err->detail, sizeof(err->detail), detail);
    return false;
}

bool error_set_restless(struct error *err, const char *object)
{
    return error_set(err, ERROR_CONFLICT, "version_conflict",
                     "The %s keeps changing under this request. Try again.", object);
}

void error_begin_validation(struct error *err)
{
    begin(err, ERROR_VALIDATION, "validation_failed");
    text_copy(err->detail, sizeof(err->detail), "Some fields are wrong; errors lists them.");
}

void error_add_field(struct error *err, const char *pointer, const char *code, const char *format,
                     ...)
{
    va_list arguments;

    assert(err->kind == ERROR_VALIDATION);
    if (err->field_count == ERROR_FIELDS_MAX) {
        err->fields_omitted++;
        return;
    }

    struct error_field *field = &err->fields[err->field_count++];
    text_copy(field->pointer, sizeof(field->pointer), pointer);
    text_copy(field->code, sizeof(field->code), code);
    va_start(arguments, format);
    text_format_list(field->detail, sizeof(field->detail), format, arguments);
    va_end(arguments);
}

bool error_prefix(struct error *err, const char *context)
{
    char detail[sizeof(err->detail)];

    text_format(detail, sizeof(detail), "%s: %s", context, err->detail);
    text_copy(err->detail, sizeof(err->detail), detail);
    return false;
}

int error_status(enum error_kind kind)
{
    assert(kind < ERROR_KIND_COUNT);
    return kinds[kind].status;
}

const char *error_title(enum error_kind kind)
{
    assert(kind < ERROR_KIND_COUNT);
    return kinds[kind].title;
}
