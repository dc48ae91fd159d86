#include "shared/runtime/config.h"

#include <errno.h>

#include "shared/base/text.h"

/* Bytes of the longest value, wherever it comes from. */
enum { VALUE_MAX = 8192 };

/* A value on its way to its target; it may be a secret, so it is wiped behind its last use. */
struct value {
    char text[VALUE_MAX + 2]; /* one more than fits, to notice it, and the NUL */
    size_t length;
};

static void value_wipe(struct value *value)
{
    explicit_bzero(value, sizeof(*value));
}

PRINTF_LIKE(3, 4)
static bool refuse(const struct setting *setting, struct error *err, const char *format, ...)
{
    char reason[sizeof(err->detail)];
    va_list arguments;

    va_start(arguments, format);
    text_format_list(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    return error_set(err, ERROR_CONFIGURATION, "configuration_invalid", "%s: %s", setting->name,
                     reason);
}

static bool take_text(const struct setting *setting, const char *text, struct value *value,
                      struct error *err)
{
    value->length = strlen(text);
    if (!text_copy(value->text, VALUE_MAX + 1, text))
        return refuse(setting, err, "is longer than %d bytes", VALUE_MAX);
    return true;
}

static void close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file); /* it was only read */
}

static bool take_file(const struct setting *setting, const char *path, struct value *value,
                      struct error *err)
{
    AUTO(close_file) FILE *file = fopen(path, "re");

    if (!file)
        return refuse(setting, err, "cannot open the file %s: %s", path, strerror(errno));
    (void)setvbuf(file, NULL, _IONBF, 0); /* no second copy of a secret */
    value->length = fread(value->text, 1, VALUE_MAX + 1, file);
    if (ferror(file))
        return refuse(setting, err, "cannot read the file %s", path);
    if (value->length > VALUE_MAX)
        return refuse(setting, err, "the file %s is longer than %d bytes", path, VALUE_MAX);
    if (value->length > 0 && value->text[value->length - 1] == '\n')
        value->length--;
    value->text[value->length] = '\0';
    if (strlen(value->text) != value->length)
        return refuse(setting, err, "the file %s holds a NUL", path);
    return true;
}

/* From the variable, the file that the other variable names, or the fallback. */
static bool find_value(const struct setting *setting, struct value *value, struct error *err)
{
    char file_name[128];

    if (!text_format(file_name, sizeof(file_name), "%s_FILE", setting->name))
        return refuse(setting, err, "the name is too long");

    const char *text = getenv(setting->name);
    const char *path = getenv(file_name);
    if (text && path)
        return refuse(setting, err, "%s is set too; only one of them may be", file_name);
    if (path)
        return take_file(setting, path, value, err);
    if (!text)
        text = setting->fallback;
    if (!text)
        return refuse(setting, err, "is not set (nor is %s)", file_name);
    return take_text(setting, text, value, err);
}

static bool is_plain(const struct setting *setting, const struct value *value)
{
    return text_is_utf8(span_of(value->text)) &&
           (setting->type == SETTING_DOCUMENT || !text_has_control(span_of(value->text)));
}

/* The beginning of a value that is quoted. */
struct quote {
    char text[41];
};

static struct quote quote_of(const struct value *value)
{
    struct quote quote;

    text_copy(quote.text, sizeof(quote.text), value->text);
    return quote;
}

static bool store_text(const struct setting *setting, const struct value *value, char *target,
                       struct error *err)
{
    if (value->length >= setting->size)
        return refuse(setting, err, "is longer than %zu bytes", setting->size - 1);
    if (value->length == 0 && !setting->fallback)
        return refuse(setting, err, "is empty");
    text_copy(target, setting->size, value->text);
    return true;
}

static bool store_integer(const struct setting *setting, const struct value *value, int64_t *target,
                          struct error *err)
{
    int64_t number;

    if (!number_parse(span_of(value->text), &number) || number < setting->min ||
        number > setting->max)
        return refuse(setting, err, "must be a whole number from %lld to %lld, not \"%s\"",
                      (long long)setting->min, (long long)setting->max, quote_of(value).text);
    *target = number;
    return true;
}

static bool store_boolean(const struct setting *setting, const struct value *value, bool *target,
                          struct error *err)
{
    static const char *const words[] = { "false", "true", "0", "1", "no", "yes", "off", "on" };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(words[i], value->text) == 0) {
            *target = i % 2 == 1;
            return true;
        }
    }
    return refuse(setting, err, "must be true, false, 1, 0, yes, no, on or off, not \"%s\"",
                  quote_of(value).text);
}

static bool store_value(const struct setting *setting, const struct value *value, void *out,
                        struct error *err)
{
    void *target = (char *)out + setting->offset;

    if (!is_plain(setting, value))
        return refuse(setting, err, "is not plain UTF-8 text");
    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_SECRET:
    case SETTING_DOCUMENT:
        return store_text(setting, value, target, err);
    case SETTING_INTEGER:
        return store_integer(setting, value, target, err);
    case SETTING_BOOLEAN:
        return store_boolean(setting, value, target, err);
    }
    return refuse(setting, err, "has no such type");
}

bool config_load(const struct setting *settings, size_t count, void *out, struct error *err)
{
    AUTO(value_wipe) struct value value = { .length = 0 };

    for (size_t i = 0; i < count; i++)
        if (!find_value(&settings[i], &value, err) || !store_value(&settings[i], &value, out, err))
            return false;
    return true;
}

static const char *fallback_shown(const struct setting *setting)
{
    if (!setting->fallback)
        return "(required)";
    if (setting->type == SETTING_SECRET)
        return "(secret)";
    return setting->fallback[0] != '\0' ? setting->fallback : "(empty)";
}

void config_print(const struct setting *settings, size_t count, FILE *to)
{
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s\t%s\t%s\n", settings[i].name, fallback_shown(&settings[i]),
                settings[i].help);
}
