#include "shared/base/text.h"
#include "tests/unit/table.h"

/* Bytes that may hold a NUL. */
#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct utf8_row {
    const char *label;
    struct span bytes;
    bool valid;
    size_t length;
} utf8_rows[] = {
    { "the empty text is UTF-8", BYTES(""), true, 0 },
    { "ASCII is UTF-8", BYTES("Ab~\x7f"), true, 4 },
    { "a NUL is a code point", BYTES("a\0b"), true, 3 },
    { "U+0080 is the first of two bytes", BYTES("\xc2\x80"), true, 1 },
    { "U+07FF is the last of two bytes", BYTES("\xdf\xbf"), true, 1 },
    { "U+0800 is the first of three bytes", BYTES("\xe0\xa0\x80"), true, 1 },
    { "U+D7FF is the last before the surrogates", BYTES("\xed\x9f\xbf"), true, 1 },
    { "U+E000 is the first behind the surrogates", BYTES("\xee\x80\x80"), true, 1 },
    { "U+FFFF is the last of three bytes", BYTES("\xef\xbf\xbf"), true, 1 },
    { "U+10000 is the first of four bytes", BYTES("\xf0\x90\x80\x80"), true, 1 },
    { "U+10FFFF is the last there is", BYTES("\xf4\x8f\xbf\xbf"), true, 1 },
    { "umlauts, kanji and a flag count as code points",
      BYTES("\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"), true, 4 },
    { "a lone continuation byte is refused", BYTES("\x80"), false, 0 },
    { "a long form of NUL is refused", BYTES("\xc0\x80"), false, 0 },
    { "a long form of a slash is refused", BYTES("\xc1\xaf"), false, 0 },
    { "a long form in three bytes is refused", BYTES("\xe0\x9f\xbf"), false, 0 },
    { "a long form in four bytes is refused", BYTES("\xf0\x8f\xbf\xbf"), false, 0 },
    { "the first surrogate is refused", BYTES("\xed\xa0\x80"), false, 0 },
    { "the last surrogate is refused", BYTES("\xed\xbf\xbf"), false, 0 },
    { "U+110000 is refused", BYTES("\xf4\x90\x80\x80"), false, 0 },
    { "a lead byte above F4 is refused", BYTES("\xf5\x80\x80\x80"), false, 0 },
    { "FF is refused", BYTES("\xff"), false, 0 },
    { "two bytes cut after one are refused", BYTES("a\xc3"), false, 0 },
    { "three bytes cut after two are refused", BYTES("a\xe6\xbc"), false, 0 },
    { "four bytes cut after three are refused", BYTES("a\xf0\x9f\x87"), false, 0 },
    { "a sequence broken by ASCII is refused",
      BYTES("\xe6\xbc"
            "a"),
      false, 0 },
    { "a wrong byte behind good ones is refused", BYTES("good\xfe"), false, 0 },
};

static void check_utf8(void **state)
{
    const struct utf8_row *row = *state;

    assert_int_equal(text_is_utf8(row->bytes), row->valid);
    if (row->valid)
        assert_int_equal(text_length(row->bytes), row->length);
}

static const struct control_row {
    const char *label;
    struct span bytes;
    bool control;
} control_rows[] = {
    { "the empty text has no control character", BYTES(""), false },
    { "a blank and a tilde are none", BYTES(" ~"), false },
    { "NUL is one", BYTES("a\0"), true },
    { "a tab is one", BYTES("a\tb"), true },
    { "a newline is one", BYTES("a\n"), true },
    { "1F is one", BYTES("\x1f"), true },
    { "DEL is one", BYTES("\x7f"), true },
    { "U+0080 is one", BYTES("\xc2\x80"), true },
    { "U+009F is one", BYTES("\xc2\x9f"), true },
    { "U+00A0 is none", BYTES("\xc2\xa0"), false },
    { "an umlaut whose second byte is low is none", BYTES("\xc3\x84"), false },
};

static void check_control(void **state)
{
    const struct control_row *row = *state;

    assert_int_equal(text_has_control(row->bytes), row->control);
}

static const struct number_row {
    const char *label;
    struct span text;
    bool valid;
    int64_t number;
} number_rows[] = {
    { "zero is a number", BYTES("0"), true, 0 },
    { "minus zero is zero", BYTES("-0"), true, 0 },
    { "leading zeros are read", BYTES("007"), true, 7 },
    { "the largest number is read", BYTES("9223372036854775807"), true, INT64_MAX },
    { "one more is refused", BYTES("9223372036854775808"), false, 0 },
    { "the smallest number is read", BYTES("-9223372036854775808"), true, INT64_MIN },
    { "one less is refused", BYTES("-9223372036854775809"), false, 0 },
    { "19 digits are read", BYTES("0000000000000000001"), true, 1 },
    { "20 digits are refused", BYTES("00000000000000000001"), false, 0 },
    { "nothing is refused", BYTES(""), false, 0 },
    { "a lone minus is refused", BYTES("-"), false, 0 },
    { "two minuses are refused", BYTES("--1"), false, 0 },
    { "a plus is refused", BYTES("+1"), false, 0 },
    { "a leading blank is refused", BYTES(" 1"), false, 0 },
    { "a trailing blank is refused", BYTES("1 "), false, 0 },
    { "a fraction is refused", BYTES("1.0"), false, 0 },
    { "an exponent is refused", BYTES("1e2"), false, 0 },
    { "hexadecimal is refused", BYTES("0x1"), false, 0 },
    { "a NUL inside is refused", BYTES("1\0002"), false, 0 },
};

static void check_number(void **state)
{
    const struct number_row *row = *state;
    int64_t number = 42;

    assert_int_equal(number_parse(row->text, &number), row->valid);
    assert_int_equal(number, row->valid ? row->number : 42);
}

static const struct copy_row {
    const char *label;
    const char *from;
    size_t size;
    const char *copied;
    bool whole;
} copy_rows[] = {
    { "a text that fits is copied whole", "abc", 4, "abc", true },
    { "a text that is one too long is cut", "abcd", 4, "abc", false },
    { "the empty text fits into one byte", "", 1, "", true },
    { "anything else into one byte is cut to nothing", "a", 1, "", false },
    { "a cut behind a character keeps it", "a\xc3\xa4z", 4, "a\xc3\xa4", false },
    { "a cut inside two bytes drops both", "ab\xc3\xa4", 4, "ab", false },
    { "a cut inside three bytes drops all", "a\xe6\xbc\xa2", 4, "a", false },
    { "a cut inside four bytes drops all", "\xf0\x9f\x87\xa9", 4, "", false },
    { "a cut behind four bytes keeps them", "\xf0\x9f\x87\xa9z", 5, "\xf0\x9f\x87\xa9", false },
};

static void check_copy(void **state)
{
    const struct copy_row *row = *state;
    char copied[16], formatted[16];

    memset(copied, 'x', sizeof(copied));
    memset(formatted, 'x', sizeof(formatted));
    assert_int_equal(text_copy(copied, row->size, row->from), row->whole);
    assert_int_equal(text_format(formatted, row->size, "%s", row->from), row->whole);
    assert_string_equal(copied, row->copied);
    assert_string_equal(formatted, row->copied);
    assert_int_equal(copied[row->size], 'x');
    assert_int_equal(formatted[row->size], 'x');
}

static const struct equal_row {
    const char *label;
    struct span a, b;
    bool equal;
} equal_rows[] = {
    { "two empty texts are equal", BYTES(""), BYTES(""), true },
    { "an empty text equals one that points nowhere", BYTES(""), { NULL, 0 }, true },
    { "the same bytes are equal", BYTES("a\0b"), BYTES("a\0b"), true },
    { "a difference behind a NUL counts", BYTES("a\0b"), BYTES("a\0c"), false },
    { "a difference in the first byte counts", BYTES("abc"), BYTES("xbc"), false },
    { "a prefix is not equal", BYTES("ab"), BYTES("abc"), false },
    { "a difference in the highest bit counts", BYTES("\x80"), BYTES("\0"), false },
};

static void check_equal(void **state)
{
    const struct equal_row *row = *state;

    assert_int_equal(span_equal(row->a, row->b), row->equal);
    assert_int_equal(text_equal_constant_time(row->a, row->b), row->equal);
}

static void the_span_of_nothing_is_empty(UNUSED void **state)
{
    assert_int_equal(span_of(NULL).length, 0);
    assert_int_equal(span_of("four").length, 4);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, utf8_rows, check_utf8);
    TABLE_ADD_ROWS(&table, control_rows, check_control);
    TABLE_ADD_ROWS(&table, number_rows, check_number);
    TABLE_ADD_ROWS(&table, copy_rows, check_copy);
    TABLE_ADD_ROWS(&table, equal_rows, check_equal);
    TABLE_ADD(&table, the_span_of_nothing_is_empty);
    return table_run(&table);
}
