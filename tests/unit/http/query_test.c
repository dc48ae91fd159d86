#include "shared/http/query.h"

#include "shared/base/text.h"
#include "tests/unit/table.h"

static const char *const words[] = { "pending", "paid" };

/* What reading text a (1-5 characters), integer n (1-100), id i, time t and word w makes of it. */
static const struct row {
    const char *label;
    const char *query;
    const char *wrong; /* pointer and code of the only wrong field, NULL: none */
    const char *text;
    int64_t number;
    int64_t ms;
    int word;
} rows[] = {
    { "nothing is nothing", "", NULL, "", 0, 0, -1 },
    { "a text is read", "a=abc", NULL, "abc", 0, 0, -1 },
    { "it is decoded", "a=%C3%A4+%2B", NULL, "\xc3\xa4 +", 0, 0, -1 },
    { "a name is decoded, too", "%61=abc", NULL, "abc", 0, 0, -1 },
    { "a second equals sign is part of the value", "a=b=c", NULL, "b=c", 0, 0, -1 },
    { "characters are counted, not bytes", "a=%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4", NULL,
      "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 0, 0, -1 },
    { "empty parts are skipped", "&&a=abc&", NULL, "abc", 0, 0, -1 },
    { "an empty value may be too short", "a=", "?a too_short", "", 0, 0, -1 },
    { "a value without an equals sign is empty", "a", "?a too_short", "", 0, 0, -1 },
    { "a text may be too long", "a=abcdef", "?a too_long", "", 0, 0, -1 },
    { "a broken encoding is refused", "a=%2", "?a encoding_invalid", "", 0, 0, -1 },
    { "a NUL is refused", "a=b%00", "?a encoding_invalid", "", 0, 0, -1 },
    { "what is not UTF-8 is refused", "a=%ff", "?a encoding_invalid", "", 0, 0, -1 },
    { "a parameter is there once", "a=b&a=b", "?a repeated", "b", 0, 0, -1 },
    { "a parameter in two spellings is there twice", "a=b&%61=c", "?a repeated", "b", 0, 0, -1 },
    { "an unknown parameter is refused", "b=c", "?b unknown_parameter", "", 0, 0, -1 },
    { "names have a case", "A=c", "?A unknown_parameter", "", 0, 0, -1 },
    { "a parameter without a name is refused", "=c", "? unknown_parameter", "", 0, 0, -1 },
    { "a name too long to be one is refused", "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd=c",
      "? unknown_parameter", "", 0, 0, -1 },
    { "an integer is read", "n=42", NULL, "", 42, 0, -1 },
    { "the smallest is read", "n=1", NULL, "", 1, 0, -1 },
    { "one less is refused", "n=0", "?n out_of_range", "", 0, 0, -1 },
    { "one more than the largest is refused", "n=101", "?n out_of_range", "", 0, 0, -1 },
    { "a fraction is refused", "n=1.0", "?n type_invalid", "", 0, 0, -1 },
    { "an exponent is refused", "n=1e1", "?n type_invalid", "", 0, 0, -1 },
    { "a word is no integer", "n=x", "?n type_invalid", "", 0, 0, -1 },
    { "nothing is no integer", "n=", "?n type_invalid", "", 0, 0, -1 },
    { "what overflows is refused", "n=99999999999999999999", "?n type_invalid", "", 0, 0, -1 },
    { "an id is read", "i=019c2d4e-7b3a-7c1d-8e2f-0123456789ab", NULL, "", 0, 0, -1 },
    { "a word is no id", "i=abc", "?i id_invalid", "", 0, 0, -1 },
    { "a time is read", "t=1970-01-01T00:00:01Z", NULL, "", 0, 1000, -1 },
    { "an offset is read when its plus is encoded", "t=1970-01-01T02:00:01%2B02:00", NULL, "", 0,
      1000, -1 },
    { "a plus that is not encoded is a blank", "t=1970-01-01T02:00:01+02:00", "?t time_invalid", "",
      0, 0, -1 },
    { "the database's spelling is refused", "t=1970-01-01%2000:00:01%2B00", "?t time_invalid", "",
      0, 0, -1 },
    { "a date is no time", "t=1970-01-01", "?t time_invalid", "", 0, 0, -1 },
    { "a word is chosen", "w=paid", NULL, "", 0, 0, 1 },
    { "another word is refused", "w=PAID", "?w not_allowed", "", 0, 0, -1 },
};

static void check_row(void **state)
{
    static struct error err;
    static struct query query;
    const struct row *row = *state;
    char text[40] = "", wrong[200];
    int64_t number = 0;
    struct id id;
    struct instant instant = { 0 };
    size_t word = SIZE_MAX;

    query_begin(&query, row->query, &err);
    query_read_text(&query, "a", 1, 5, text, sizeof(text));
    query_read_integer(&query, "n", 1, 100, &number);
    query_read_id(&query, "i", &id);
    query_read_instant(&query, "t", &instant);
    query_read_choice(&query, "w", words, COUNT_OF(words), &word);
    query_end(&query);
    assert_int_equal(query_ok(&query), row->wrong == NULL);
    assert_int_equal(err.kind, ERROR_VALIDATION);
    assert_string_equal(text, row->text);
    assert_int_equal(number, row->number);
    assert_int_equal(instant.ms, row->ms);
    assert_int_equal((int)word, row->word);
    if (!row->wrong)
        return;
    assert_int_equal(err.field_count, 1);
    text_format(wrong, sizeof(wrong), "%s %s", err.fields[0].pointer, err.fields[0].code);
    assert_string_equal(wrong, row->wrong);
}

static void everything_wrong_is_told_at_once(void **state)
{
    static struct error err;
    static struct query query;
    int64_t number;

    (void)state;
    query_begin(&query, "n=x&b=1&c=2&n=3", &err);
    query_read_integer(&query, "n", 1, 100, &number);
    query_end(&query);
    assert_int_equal(err.field_count, 4);
}

static void seventeen_parameters_are_one_too_many(void **state)
{
    static struct error err;
    static struct query query;

    (void)state;
    query_begin(&query, "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=&l=&m=&n=&o=&p=", &err);
    assert_true(query_ok(&query));
    query_begin(&query, "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=&l=&m=&n=&o=&p=&q=", &err);
    assert_false(query_ok(&query));
    assert_string_equal(err.fields[0].code, "too_many");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD(&table, everything_wrong_is_told_at_once);
    TABLE_ADD(&table, seventeen_parameters_are_one_too_many);
    return table_run(&table);
}
