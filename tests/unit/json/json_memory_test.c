#include "shared/json/json_memory.h"

#include <jansson.h>

#include "shared/json/json_reader.h"
#include "tests/unit/freed.h"
#include "tests/unit/table.h"

#define NUMBER "4242424242424242"

static const int64_t number = INT64_C(4242424242424242);

static const struct row {
    const char *label;
    const char *text;
    bool valid;
} rows[] = {
    { "a number in a text is gone", "{\"number\":\"" NUMBER "\"}", true },
    { "so is one behind an escape", "{\"number\":\"\\u0020" NUMBER "\"}", true },
    { "so is one in a text of 20 kB", NULL, true },
    { "so is one that is a number", "{\"number\":" NUMBER "}", true },
    { "so is one that is a member's name", "{\"" NUMBER "\":1}", true },
    { "so is one beside a number that is too large",
      "{\"a\":99999999999999999999999,\"number\":\"" NUMBER "\"}", true },
    { "so is one with too many digits for a number", "{\"number\":" NUMBER NUMBER "}", true },
    { "so is one in a document that is refused at its end", "{\"number\":\"" NUMBER "\"", false },
    { "so is one that is refused itself", "{\"number\":\"" NUMBER "\x01\"}", false },
    { "so is one that is there twice", "{\"number\":\"1\",\"number\":\"" NUMBER "\"}", false },
};

/* A text that outgrows the parser's memory again and again. */
static void write_long(struct buffer *out)
{
    buffer_append(out, "{\"number\":\"");
    while (out->length < 20000)
        buffer_append(out, NUMBER " ");
    buffer_append(out, "\"}");
}

static void read_document(const struct row *row)
{
    AUTO(buffer_release) struct buffer text = BUFFER_SECRET;
    AUTO(json_document_release) struct json_document document;
    struct error err;

    if (row->text)
        buffer_append(&text, row->text);
    else
        write_long(&text);
    assert_int_equal(json_document_parse(buffer_span(&text), &document, &err), row->valid);
}

static void check_row(void **state)
{
    freed_watch(span_of(NUMBER));
    read_document(*state);
    assert_int_equal(freed_found(), 0);
    freed_watch((struct span){ (const char *)&number, sizeof(number) });
    read_document(*state);
    assert_int_equal(freed_found(), 0);
}

/* Or the rows above would prove nothing. (The library's own free() is not looked at.) */
static void without_wiping_it_is_found(UNUSED void **state)
{
    json_set_alloc_funcs(malloc, free);
    freed_watch(span_of(NUMBER));
    read_document(&rows[0]);
    assert_true(freed_found() > 0);
}

int main(void)
{
    struct table table = TABLE_EMPTY;
    int failed;

    TABLE_ADD(&table, without_wiping_it_is_found);
    failed = table_run(&table);
    json_memory_wipe_freed();
    table = TABLE_EMPTY;
    TABLE_ADD_ROWS(&table, rows, check_row);
    return failed + table_run(&table);
}
