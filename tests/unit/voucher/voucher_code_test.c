#include "tests/unit/table.h"
#include "voucher-service/voucher_code.h"

/* Every symbol that may stand in a code, and those that may only check it. */
static const char plain[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char checks[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

/* Codes to try things on: random enough, and the same in every run. */
static struct voucher_code sample(unsigned seed)
{
    uint8_t random[VOUCHER_CODE_SYMBOLS];

    for (size_t i = 0; i < sizeof(random); i++) {
        seed = seed * 1103515245 + 12345;
        random[i] = (uint8_t)(seed >> 16);
    }
    return voucher_code_make(random);
}

enum { SAMPLES = 200 };

/* Worked out by hand, digit by digit: the remainder of the base-32 number divided by 37. */
static const struct known_row {
    const char *label;
    uint8_t random[VOUCHER_CODE_SYMBOLS];
    const char *text;
} known_rows[] = {
    { "nothing but zeros checks to 0", { 0 }, "0000-0000-0000-0" },
    { "the number 1 checks to 1", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, "0000-0000-0001-1" },
    { "the number 32 checks to *", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, "0000-0000-0010-*" },
    { "the number 33 checks to ~", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1 }, "0000-0000-0011-~" },
    { "the number 34 checks to $", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2 }, "0000-0000-0012-$" },
    { "the number 35 checks to =", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3 }, "0000-0000-0013-=" },
    { "the number 36 checks to U", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4 }, "0000-0000-0014-U" },
    { "the number 37 checks to 0", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5 }, "0000-0000-0015-0" },
    /* 2^60 - 1: 2^36 = 1 mod 37 (Fermat), so 2^60 = 2^24 = 10, and 10 - 1 = 9 */
    { "the largest number checks to 9",
      { 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31 },
      "ZZZZ-ZZZZ-ZZZZ-9" },
    { "only 5 bits of each byte count",
      { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 },
      "ZZZZ-ZZZZ-ZZZZ-9" },
};

static void check_known(void **state)
{
    const struct known_row *row = *state;
    struct voucher_code code = voucher_code_make(row->random);

    assert_string_equal(voucher_code_text(&code).text, row->text);
}

static const struct reading_row {
    const char *label;
    const char *text;
    enum voucher_code_reading reading;
    const char *symbols;
} reading_rows[] = {
    { "a code is read as it is shown", "0000-0000-0014-U", VOUCHER_CODE_READ, "000000000014U" },
    { "dashes may be missing", "000000000014U", VOUCHER_CODE_READ, "000000000014U" },
    { "dashes may be anywhere", "-0-00000-000-01-4--U-", VOUCHER_CODE_READ, "000000000014U" },
    { "lower case is read", "zzzz-zzzz-zzzz-9", VOUCHER_CODE_READ, "ZZZZZZZZZZZZ9" },
    { "a lower-case u checks too", "0000-0000-0014-u", VOUCHER_CODE_READ, "000000000014U" },
    { "O and o are zeros", "OooO-OOOO-OO15-O", VOUCHER_CODE_READ, "0000000000150" },
    { "I, i, L and l are ones", "0000-0000-001L-~", VOUCHER_CODE_READ, "000000000011~" },
    { "I and i are ones", "0000-0000-00Ii-~", VOUCHER_CODE_READ, "000000000011~" },
    { "a check symbol may be spelt l", "0000-0000-0001-l", VOUCHER_CODE_READ, "0000000000011" },
    { "another check symbol is a mistake", "0000-0000-0014-0", VOUCHER_CODE_MISTYPED, NULL },
    { "an empty text is no code", "", VOUCHER_CODE_NONE, NULL },
    { "dashes alone are no code", "------", VOUCHER_CODE_NONE, NULL },
    { "a code without check symbol is none", "0000-0000-0014", VOUCHER_CODE_NONE, NULL },
    { "a symbol too many is no code", "0000-0000-0014-U0", VOUCHER_CODE_NONE, NULL },
    { "U stands nowhere but at the end", "U000-0000-0014-U", VOUCHER_CODE_NONE, NULL },
    { "a star stands nowhere but at the end", "0000-0000-00*4-U", VOUCHER_CODE_NONE, NULL },
    { "a masked code is none", "****-****-**14-*", VOUCHER_CODE_NONE, NULL },
    { "a blank is no symbol", "0000 0000 0014 U", VOUCHER_CODE_NONE, NULL },
    { "an umlaut is no symbol", "0000-0000-00\xc3\xa4", VOUCHER_CODE_NONE, NULL },
};

static void check_reading(void **state)
{
    const struct reading_row *row = *state;
    struct voucher_code code;

    assert_int_equal(voucher_code_parse(row->text, &code), row->reading);
    if (row->symbols)
        assert_string_equal(code.symbols, row->symbols);
}

static void what_is_made_is_read_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++) {
        struct voucher_code code = sample(i), read;

        assert_int_equal(strlen(code.symbols), 13);
        assert_int_equal(voucher_code_parse(voucher_code_text(&code).text, &read),
                         VOUCHER_CODE_READ);
        assert_string_equal(read.symbols, code.symbols);
    }
}

/* Puts every other symbol in one place of a code; none of them may check. */
static void substitute(struct voucher_code code, size_t at)
{
    const char *alphabet = at == VOUCHER_CODE_SYMBOLS ? checks : plain;
    char original = code.symbols[at];
    struct voucher_code read;

    for (const char *symbol = alphabet; *symbol != '\0'; symbol++) {
        code.symbols[at] = *symbol;
        assert_int_equal(voucher_code_parse(code.symbols, &read),
                         *symbol == original ? VOUCHER_CODE_READ : VOUCHER_CODE_MISTYPED);
    }
}

static void every_mistyped_symbol_is_detected(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++)
        for (size_t at = 0; at <= VOUCHER_CODE_SYMBOLS; at++)
            substitute(sample(i), at);
}

/* Of the twelve: a check symbol that changes places may be a symbol that stands nowhere else. */
static void every_two_neighbours_that_changed_places_are_detected(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++) {
        for (size_t at = 0; at + 1 < VOUCHER_CODE_SYMBOLS; at++) {
            struct voucher_code code = sample(i), read;
            char first = code.symbols[at];

            code.symbols[at] = code.symbols[at + 1];
            code.symbols[at + 1] = first;
            assert_int_equal(voucher_code_parse(code.symbols, &read),
                             code.symbols[at] == first ? VOUCHER_CODE_READ : VOUCHER_CODE_MISTYPED);
        }
    }
}

static void a_mask_shows_two_symbols_and_not_the_check(void **state)
{
    struct voucher_code code = { "0123456789AB$" };

    (void)state;
    assert_string_equal(voucher_code_text(&code).text, "0123-4567-89AB-$");
    assert_string_equal(voucher_code_mask(&code).text, "****-****-**AB-*");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, known_rows, check_known);
    TABLE_ADD_ROWS(&table, reading_rows, check_reading);
    TABLE_ADD(&table, what_is_made_is_read_back);
    TABLE_ADD(&table, every_mistyped_symbol_is_detected);
    TABLE_ADD(&table, every_two_neighbours_that_changed_places_are_detected);
    TABLE_ADD(&table, a_mask_shows_two_symbols_and_not_the_check);
    return table_run(&table);
}
