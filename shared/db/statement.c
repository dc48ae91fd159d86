#include "shared/db/statement.h"

#include "shared/json/json_writer.h"

/* The bounds of the section that STATEMENT() fills; weak, for programs without statements. */
extern const struct statement *const __start_statements[] __attribute__((weak));
extern const struct statement *const __stop_statements[] __attribute__((weak));

void statements_print(FILE *to)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct json_writer json = { .out = &text };

    json_begin_array(&json);
    for (const struct statement *const *at = __start_statements; at < __stop_statements; at++) {
        json_begin_object(&json);
        json_member_text(&json, "name", (*at)->name);
        json_member_text(&json, "database", (*at)->database);
        json_member_text(&json, "sql", (*at)->sql);
        json_end_object(&json);
    }
    json_end_array(&json);
    fprintf(to, "%s\n", text.at);
}
