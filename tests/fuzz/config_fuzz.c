/*
 * Settings: the input is the value of one of each type, in a variable and in a file. (Environment
 * and files are played by the target: the linker sends getenv() and fopen() here.)
 */
#include "shared/runtime/config.h"

#include "tests/fuzz/fuzz.h"

static const char NAME[] = "FUZZ_SETTING";
static const char FILE_NAME[] = "FUZZ_SETTING_FILE";

struct settings {
    char text[100], document[5000];
    int64_t number;
    bool flag;
};

static const struct setting settings[] = {
    { NAME, SETTING_TEXT, offsetof(struct settings, text), 100, NULL, 0, 0, "" },
    { NAME, SETTING_SECRET, offsetof(struct settings, text), 100, "", 0, 0, "" },
    { NAME, SETTING_DOCUMENT, offsetof(struct settings, document), 5000, NULL, 0, 0, "" },
    { NAME, SETTING_INTEGER, offsetof(struct settings, number), 0, NULL, -1, 65535, "" },
    { NAME, SETTING_BOOLEAN, offsetof(struct settings, flag), 0, NULL, 0, 0, "" },
};

static const char *variable; /* NULL: the value is in a file */
static struct span content;

char *__real_getenv(const char *name);
char *__wrap_getenv(const char *name);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

char *__wrap_getenv(const char *name)
{
    if (strcmp(name, NAME) == 0)
        return (char *)(uintptr_t)variable;
    if (strcmp(name, FILE_NAME) == 0)
        return variable ? NULL : (char *)(uintptr_t)FILE_NAME;
    return __real_getenv(name);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (strcmp(path, FILE_NAME) != 0)
        return __real_fopen(path, mode);
    return fmemopen((char *)(uintptr_t)content.at, content.length, "r");
}

/* Whatever it was given, what it loads is within what was declared. */
static void load_all(void)
{
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        struct settings loaded = { .number = 0 };
        struct error err;

        if (!config_load(&settings[i], 1, &loaded, &err)) {
            fuzz_check_texts(&err);
            assert(err.kind == ERROR_CONFIGURATION);
            continue;
        }
        assert(text_is_utf8(span_of(loaded.text)) && !text_has_control(span_of(loaded.text)));
        assert(text_is_utf8(span_of(loaded.document)));
        assert(loaded.number >= -1 && loaded.number <= 65535);
    }
}

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *text = fuzz_text(input);

    variable = text;
    load_all();
    variable = NULL;
    content = input;
    if (input.length > 0)
        load_all();
}
