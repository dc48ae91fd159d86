#include "shared/runtime/config.h"

#include <unistd.h>

#include "shared/base/text.h"
#include "tests/unit/table.h"

struct settings {
    char text[9];
    char secret[9];
    int64_t port;
    bool fast;
};

static const struct setting settings[] = {
    { "UNIT_TEXT", SETTING_TEXT, offsetof(struct settings, text), 9, "fallback", 0, 0, "a text" },
    { "UNIT_SECRET", SETTING_SECRET, offsetof(struct settings, secret), 9, NULL, 0, 0, "a key" },
    { "UNIT_PORT", SETTING_INTEGER, offsetof(struct settings, port), 0, "8081", 1, 65535,
      "a port" },
    { "UNIT_FAST", SETTING_BOOLEAN, offsetof(struct settings, fast), 0, "off", 0, 0, "a switch" },
};

/* One byte less than is quoted of a value. */
#define NINES "999999999999999999999999999999999999999"

/* Variables and files, as "NAME=value" or "NAME_FILE<content". */
static const struct row {
    const char *label;
    const char *given[3];
    const char *shown; /* what was loaded; NULL: refused */
    const char *error; /* what the detail begins with */
} rows[] = {
    { "what is not set falls back", { "UNIT_SECRET=s" }, "fallback s 8081 0", NULL },
    { "what is set counts",
      { "UNIT_SECRET=s", "UNIT_TEXT=abc", "UNIT_PORT=1" },
      "abc s 1 0",
      NULL },
    { "what is required must be there", { NULL }, NULL, "UNIT_SECRET: is not set" },
    { "what is required may not be empty", { "UNIT_SECRET=" }, NULL, "UNIT_SECRET: is empty" },
    { "what has a fallback may be empty", { "UNIT_SECRET=s", "UNIT_TEXT=" }, " s 8081 0", NULL },
    { "a text that just fits is taken",
      { "UNIT_SECRET=12345678" },
      "fallback 12345678 8081 0",
      NULL },
    { "a text that does not fit is refused",
      { "UNIT_SECRET=123456789" },
      NULL,
      "UNIT_SECRET: is longer than 8 bytes" },
    { "a newline in a text is refused", { "UNIT_SECRET=a\nb" }, NULL, "UNIT_SECRET: is not plain" },
    { "a text that is not UTF-8 is refused",
      { "UNIT_SECRET=\xff" },
      NULL,
      "UNIT_SECRET: is not plain" },
    { "a file is read", { "UNIT_SECRET_FILE<from" }, "fallback from 8081 0", NULL },
    { "one newline at the end of a file is cut",
      { "UNIT_SECRET_FILE<from\n" },
      "fallback from 8081 0",
      NULL },
    { "only one newline is cut", { "UNIT_SECRET_FILE<from\n\n" }, NULL, "UNIT_SECRET: is not" },
    { "an empty file is empty", { "UNIT_SECRET_FILE<" }, NULL, "UNIT_SECRET: is empty" },
    { "a file of a newline is empty", { "UNIT_SECRET_FILE<\n" }, NULL, "UNIT_SECRET: is empty" },
    { "a number may be in a file",
      { "UNIT_SECRET=s", "UNIT_PORT_FILE<99\n" },
      "fallback s 99 0",
      NULL },
    { "a file that is not there is refused",
      { "UNIT_SECRET_FILE=/nonexistent/secret" },
      NULL,
      "UNIT_SECRET: cannot open the file /nonexistent/secret" },
    { "a directory is no file", { "UNIT_SECRET_FILE=/" }, NULL, "UNIT_SECRET: cannot read" },
    { "both at once are refused",
      { "UNIT_SECRET=s", "UNIT_SECRET_FILE<s" },
      NULL,
      "UNIT_SECRET: UNIT_SECRET_FILE is set too" },
    { "the smallest number is taken", { "UNIT_SECRET=s", "UNIT_PORT=1" }, "fallback s 1 0", NULL },
    { "the largest number is taken",
      { "UNIT_SECRET=s", "UNIT_PORT=65535" },
      "fallback s 65535 0",
      NULL },
    { "a number below is refused",
      { "UNIT_SECRET=s", "UNIT_PORT=0" },
      NULL,
      "UNIT_PORT: must be a whole number from 1 to 65535, not \"0\"" },
    { "a number above is refused",
      { "UNIT_SECRET=s", "UNIT_PORT=65536" },
      NULL,
      "UNIT_PORT: must be a whole number" },
    { "a word is no number",
      { "UNIT_SECRET=s", "UNIT_PORT=http" },
      NULL,
      "UNIT_PORT: must be a whole number from 1 to 65535, not \"http\"" },
    { "nothing is no number", { "UNIT_SECRET=s", "UNIT_PORT=" }, NULL, "UNIT_PORT: must be" },
    { "a number with a unit is refused",
      { "UNIT_SECRET=s", "UNIT_PORT=80s" },
      NULL,
      "UNIT_PORT: must be" },
    { "a number that is not UTF-8 is not quoted",
      { "UNIT_SECRET=s", "UNIT_PORT=\xff" },
      NULL,
      "UNIT_PORT: is not plain" },
    { "a quotation ends before a character that would be cut",
      { "UNIT_SECRET=s", "UNIT_PORT=" NINES "\xc3\xa4" },
      NULL,
      "UNIT_PORT: must be a whole number from 1 to 65535, not \"" NINES "\"" },
    { "a switch that is not UTF-8 is not quoted",
      { "UNIT_SECRET=s", "UNIT_FAST=\xff" },
      NULL,
      "UNIT_FAST: is not plain" },
    { "true is true", { "UNIT_SECRET=s", "UNIT_FAST=true" }, "fallback s 8081 1", NULL },
    { "1 is true", { "UNIT_SECRET=s", "UNIT_FAST=1" }, "fallback s 8081 1", NULL },
    { "yes is true", { "UNIT_SECRET=s", "UNIT_FAST=yes" }, "fallback s 8081 1", NULL },
    { "on is true", { "UNIT_SECRET=s", "UNIT_FAST=on" }, "fallback s 8081 1", NULL },
    { "false is false", { "UNIT_SECRET=s", "UNIT_FAST=false" }, "fallback s 8081 0", NULL },
    { "0 is false", { "UNIT_SECRET=s", "UNIT_FAST=0" }, "fallback s 8081 0", NULL },
    { "no is false", { "UNIT_SECRET=s", "UNIT_FAST=no" }, "fallback s 8081 0", NULL },
    { "anything else is no boolean",
      { "UNIT_SECRET=s", "UNIT_FAST=TRUE" },
      NULL,
      "UNIT_FAST: must be true, false" },
};

/* Files of the running test. */
static char folder[] = "/tmp/config_test.XXXXXX";

static void put_file(const char *variable, const char *content)
{
    char path[128];

    text_format(path, sizeof(path), "%s/%s", folder, variable);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv(variable, path, 1), 0);
}

static void put(const char *given)
{
    char name[64];
    size_t length = strcspn(given, "=<");

    text_copy_span(name, sizeof(name), (struct span){ given, length });
    if (given[length] == '<')
        put_file(name, given + length + 1);
    else
        assert_int_equal(setenv(name, given + length + 1, 1), 0);
}

static void forget_all(void)
{
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        char file_name[64], path[128];
        text_format(file_name, sizeof(file_name), "%s_FILE", settings[i].name);
        text_format(path, sizeof(path), "%s/%s", folder, file_name);
        unsetenv(settings[i].name);
        unsetenv(file_name);
        unlink(path);
    }
}

static void check_load(void **state)
{
    const struct row *row = *state;
    struct settings loaded = { .port = 0 };
    struct error err;
    char shown[64];

    forget_all();
    for (size_t i = 0; i < COUNT_OF(row->given) && row->given[i]; i++)
        put(row->given[i]);
    bool done = config_load(settings, COUNT_OF(settings), &loaded, &err);
    if (!row->shown) {
        assert_false(done);
        assert_int_equal(err.kind, ERROR_CONFIGURATION);
        assert_memory_equal(err.detail, row->error, strlen(row->error));
        return;
    }
    assert_true(done);
    text_format(shown, sizeof(shown), "%s %s %lld %d", loaded.text, loaded.secret,
                (long long)loaded.port, loaded.fast);
    assert_string_equal(shown, row->shown);
}

static void a_wrong_secret_is_not_in_the_error(UNUSED void **state)
{
    struct settings loaded;
    struct error err;

    forget_all();
    put("UNIT_SECRET=hunter2hunter2");
    assert_false(config_load(settings, COUNT_OF(settings), &loaded, &err));
    assert_null(strstr(err.detail, "hunter2"));
}

static void a_file_that_never_ends_is_refused(UNUSED void **state)
{
    struct settings loaded;
    struct error err;

    forget_all();
    put("UNIT_SECRET_FILE=/dev/zero");
    assert_false(config_load(settings, COUNT_OF(settings), &loaded, &err));
    assert_non_null(strstr(err.detail, "is longer than"));
}

static void a_value_beyond_every_size_is_refused(UNUSED void **state)
{
    static char given[10000] = "UNIT_TEXT=";
    struct settings loaded;
    struct error err;

    forget_all();
    put("UNIT_SECRET=s");
    memset(given + strlen(given), 'x', sizeof(given) - strlen(given) - 1);
    put(given);
    assert_false(config_load(settings, COUNT_OF(settings), &loaded, &err));
    assert_string_equal(err.detail, "UNIT_TEXT: is longer than 8192 bytes");
}

static void a_file_with_a_nul_is_refused(UNUSED void **state)
{
    char path[128];
    struct settings loaded;
    struct error err;

    forget_all();
    put("UNIT_SECRET_FILE<");
    text_format(path, sizeof(path), "%s/UNIT_SECRET_FILE", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite("a\0b", 1, 3, file), 3);
    assert_int_equal(fclose(file), 0);
    assert_false(config_load(settings, COUNT_OF(settings), &loaded, &err));
    assert_non_null(strstr(err.detail, "holds a NUL"));
}

static void help_shows_names_and_defaults_but_no_secrets(UNUSED void **state)
{
    static const struct setting shown[] = {
        { "A", SETTING_TEXT, 0, 9, "x", 0, 0, "first" },
        { "LONGER", SETTING_SECRET, 0, 9, "hunter2", 0, 0, "second" },
        { "C", SETTING_INTEGER, 0, 9, NULL, 0, 0, "third" },
        { "D", SETTING_TEXT, 0, 9, "", 0, 0, "fourth" },
    };
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    assert_non_null(to);
    config_print(shown, COUNT_OF(shown), to);
    fclose(to);
    assert_string_equal(text, "A\tx\tfirst\n"
                              "LONGER\t(secret)\tsecond\n"
                              "C\t(required)\tthird\n"
                              "D\t(empty)\tfourth\n");
    free(text);
}

static void a_document_may_have_several_lines(void **state)
{
    static const struct setting document = { "UNIT_DOCUMENT", SETTING_DOCUMENT, 0, 9, NULL, 0, 0,
                                             "JSON" };
    char text[9];
    struct error err;

    (void)state;
    setenv("UNIT_DOCUMENT", "[\n\t1\n]", 1);
    assert_true(config_load(&document, 1, text, &err));
    assert_string_equal(text, "[\n\t1\n]");
    setenv("UNIT_DOCUMENT", "[\xff]", 1);
    assert_false(config_load(&document, 1, text, &err));
    unsetenv("UNIT_DOCUMENT");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!mkdtemp(folder))
        return 1;
    TABLE_ADD_ROWS(&table, rows, check_load);
    TABLE_ADD(&table, a_wrong_secret_is_not_in_the_error);
    TABLE_ADD(&table, a_file_that_never_ends_is_refused);
    TABLE_ADD(&table, a_value_beyond_every_size_is_refused);
    TABLE_ADD(&table, a_file_with_a_nul_is_refused);
    TABLE_ADD(&table, help_shows_names_and_defaults_but_no_secrets);
    TABLE_ADD(&table, a_document_may_have_several_lines);
    int failed = table_run(&table);
    forget_all();
    rmdir(folder);
    return failed;
}
