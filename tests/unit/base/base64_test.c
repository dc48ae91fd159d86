#include "shared/base/base64.h"

#include "tests/unit/table.h"

/* Bytes that may hold a NUL. */
#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

enum { ROOM = 64 };

static const struct row {
    const char *label;
    struct span bytes;
    const char *standard;
    const char *url;
} rows[] = {
    { "nothing is the empty text", BYTES(""), "", "" },
    { "one byte (RFC 4648, section 10)", BYTES("f"), "Zg==", "Zg" },
    { "two bytes", BYTES("fo"), "Zm8=", "Zm8" },
    { "three bytes", BYTES("foo"), "Zm9v", "Zm9v" },
    { "four bytes", BYTES("foob"), "Zm9vYg==", "Zm9vYg" },
    { "five bytes", BYTES("fooba"), "Zm9vYmE=", "Zm9vYmE" },
    { "six bytes", BYTES("foobar"), "Zm9vYmFy", "Zm9vYmFy" },
    { "the two digits in which the alphabets differ", BYTES("\xfb\xff\xbf"), "+/+/", "-_-_" },
    { "zeros", BYTES("\0\0\0\0"), "AAAAAA==", "AAAAAA" },
    { "ones", BYTES("\xff\xff"), "//8=", "__8" },
};

static void check_row(void **state)
{
    const struct row *row = *state;
    char text[ROOM];
    uint8_t bytes[ROOM];
    size_t length = 42;

    base64_encode(row->bytes, text, sizeof(text));
    assert_string_equal(text, row->standard);
    assert_true(base64_decode(span_of(text), bytes, row->bytes.length, &length));
    assert_true(span_equal((struct span){ (char *)bytes, length }, row->bytes));

    base64url_encode(row->bytes, text, sizeof(text));
    assert_string_equal(text, row->url);
    assert_true(base64url_decode(span_of(text), bytes, row->bytes.length, &length));
    assert_true(span_equal((struct span){ (char *)bytes, length }, row->bytes));
}

static const struct refused_row {
    const char *label;
    struct span text;
    bool standard, url; /* read as which one */
} refused_rows[] = {
    { "padding belongs to the standard alphabet", BYTES("Zg=="), true, false },
    { "the standard alphabet needs it", BYTES("Zg"), false, true },
    { "half of it is not enough", BYTES("Zg="), false, false },
    { "three of it are too many", BYTES("Z==="), false, false },
    { "nothing but padding is refused", BYTES("===="), false, false },
    { "padding in the middle is refused", BYTES("Zg==Zg=="), false, false },
    { "one digit is no byte", BYTES("Z"), false, false },
    { "five digits are refused", BYTES("Zm9vY"), false, false },
    { "+ and / are not of URLs", BYTES("+/+/"), true, false },
    { "- and _ are of URLs only", BYTES("-_-_"), false, true },
    { "bits behind the end are refused", BYTES("Zh=="), false, false },
    { "so are they without padding", BYTES("Zh"), false, false },
    { "bits behind two bytes are refused", BYTES("Zm9="), false, false },
    { "a blank is refused", BYTES("Zm 9"), false, false },
    { "a line break is refused", BYTES("Zm9v\n"), false, false },
    { "a NUL is refused", BYTES("Zm\0v"), false, false },
    { "a byte beyond ASCII is refused", BYTES("Zm\xc3\xa4"), false, false },
};

static void check_refused(void **state)
{
    const struct refused_row *row = *state;
    uint8_t bytes[ROOM];
    size_t length = 42;

    assert_int_equal(base64_decode(row->text, bytes, sizeof(bytes), &length), row->standard);
    assert_int_equal(base64url_decode(row->text, bytes, sizeof(bytes), &length), row->url);
    if (!row->standard && !row->url)
        assert_int_equal(length, 42);
}

static void nothing_is_written_beyond_the_room(UNUSED void **state)
{
    uint8_t bytes[4] = { 0, 0, 0, 42 };
    size_t length;

    assert_false(base64_decode(span_of("Zm9vYg=="), bytes, 3, &length));
    assert_true(base64_decode(span_of("Zm9v"), bytes, 3, &length));
    assert_int_equal(length, 3);
    assert_int_equal(bytes[3], 42);
}

static void every_byte_comes_back_at_every_place(UNUSED void **state)
{
    for (unsigned value = 0; value < 256; value++)
        for (size_t place = 0; place < 3; place++) {
            char bytes[3] = { 0 }, text[BASE64_SIZE(3)];
            uint8_t back[3];
            size_t length;

            bytes[place] = (char)value;
            base64_encode((struct span){ bytes, 3 }, text, sizeof(text));
            assert_true(base64_decode(span_of(text), back, sizeof(back), &length));
            assert_memory_equal(back, bytes, 3);
        }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD_ROWS(&table, refused_rows, check_refused);
    TABLE_ADD(&table, nothing_is_written_beyond_the_room);
    TABLE_ADD(&table, every_byte_comes_back_at_every_place);
    return table_run(&table);
}
