#include "shared/json/json_writer.h"

#include "shared/json/json_reader.h"
#include "tests/unit/table.h"

static const struct escape_row {
    const char *label;
    struct span text;
    const char *escaped;
} escape_rows[] = {
    { "nothing stays nothing", { "", 0 }, "" },
    { "what points nowhere is nothing", { NULL, 0 }, "" },
    { "plain text stays", { "plain", 5 }, "plain" },
    { "a quote is escaped", { "\"", 1 }, "\\\"" },
    { "a backslash is escaped", { "\\", 1 }, "\\\\" },
    { "a slash stays", { "/", 1 }, "/" },
    { "the five short escapes are used", { "\b\f\n\r\t", 5 }, "\\b\\f\\n\\r\\t" },
    { "NUL is escaped by number", { "\0", 1 }, "\\u0000" },
    { "1F is escaped by number", { "\x1f", 1 }, "\\u001f" },
    { "DEL stays", { "\x7f", 1 }, "\x7f" },
    { "an umlaut stays", { "\xc3\xa4", 2 }, "\xc3\xa4" },
    { "a line separator stays", { "\xe2\x80\xa8", 3 }, "\xe2\x80\xa8" },
    { "markup stays", { "</script>", 9 }, "</script>" },
    { "runs between escapes stay whole", { "ab\"cd\ne", 7 }, "ab\\\"cd\\ne" },
};

static void check_escape(void **state)
{
    const struct escape_row *row = *state;
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;

    buffer_append(&buffer, "<");
    json_escape(&buffer, row->text);
    assert_string_equal(buffer.at + 1, row->escaped);
}

static void every_character_comes_back_byte_for_byte(UNUSED void **state)
{
    for (int character = 1; character < 128; character++) {
        AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;
        AUTO(json_document_release) struct json_document document;
        struct json_writer json = { .out = &buffer };
        char text[] = { 'a', (char)character, 'z', '\0' };
        struct error err;

        json_text(&json, text);
        assert_true(json_document_parse(buffer_span(&buffer), &document, &err));
        assert_string_equal(json_value_text(document.root), text);
    }
}

static void commas_stand_between_and_nowhere_else(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;
    struct json_writer json = { .out = &buffer };

    json_begin_object(&json);
    json_name(&json, "empty_object");
    json_begin_object(&json);
    json_end_object(&json);
    json_name(&json, "empty_array");
    json_begin_array(&json);
    json_end_array(&json);
    json_name(&json, "array");
    json_begin_array(&json);
    json_number(&json, 1);
    json_begin_array(&json);
    json_text(&json, "a");
    json_end_array(&json);
    json_begin_object(&json);
    json_member_boolean(&json, "b", true);
    json_end_object(&json);
    json_null_value(&json);
    json_boolean(&json, false);
    json_raw(&json, span_of("{}"));
    json_text_span(&json, (struct span){ "cut", 2 });
    json_end_array(&json);
    json_member_integer(&json, "last", INT64_MIN);
    json_end_object(&json);
    assert_string_equal(buffer.at, "{\"empty_object\":{},\"empty_array\":[],"
                                   "\"array\":[1,[\"a\"],{\"b\":true},null,false,{},\"cu\"],"
                                   "\"last\":-9223372036854775808}");
}

static void members_are_written_as_what_they_are(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;
    struct json_writer json = { .out = &buffer };

    json_begin_object(&json);
    json_member_text(&json, "text", "a\"b");
    json_member_text(&json, "empty", "");
    json_member_text_or_null(&json, "no", NULL);
    json_member_text_or_null(&json, "none", "");
    json_member_text_or_null(&json, "some", "x");
    json_member_id(&json, "id", id_floor((struct instant){ 0 }));
    json_member_instant(&json, "time", (struct instant){ 0 });
    json_member_raw(&json, "raw", span_of("[1]"));
    json_end_object(&json);
    assert_string_equal(buffer.at, "{\"text\":\"a\\\"b\",\"empty\":\"\",\"no\":null,\"none\":null,"
                                   "\"some\":\"x\",\"id\":\"00000000-0000-7000-8000-000000000000\","
                                   "\"time\":\"1970-01-01T00:00:00.000Z\",\"raw\":[1]}");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, escape_rows, check_escape);
    TABLE_ADD(&table, every_character_comes_back_byte_for_byte);
    TABLE_ADD(&table, commas_stand_between_and_nowhere_else);
    TABLE_ADD(&table, members_are_written_as_what_they_are);
    return table_run(&table);
}
