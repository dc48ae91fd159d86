#include "voucher-service/voucher_code.h"

/* The first 32 are the symbols of a code; the check symbol may be any of them. */
static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

enum { BASE = 32, CHECK_BASE = 37 };

_Static_assert(sizeof(symbols) == CHECK_BASE + 1, "a symbol for every remainder");

/* Crockford: the number that the symbols make in base 32, modulo 37. */
static char check_symbol(const int values[VOUCHER_CODE_SYMBOLS])
{
    int remainder = 0;

    for (size_t i = 0; i < VOUCHER_CODE_SYMBOLS; i++)
        remainder = (remainder * BASE + values[i]) % CHECK_BASE;
    return symbols[remainder];
}

/* What a character stands for: an index into the symbols, -1 for none. */
static int symbol_value(char character)
{
    if (character >= 'a' && character <= 'z')
        character = (char)(character - 'a' + 'A');
    if (character == 'O')
        return 0;
    if (character == 'I' || character == 'L')
        return 1;

    const char *at = character == '\0' ? NULL : strchr(symbols, character);
    return at ? (int)(at - symbols) : -1;
}

struct voucher_code voucher_code_make(const uint8_t random[VOUCHER_CODE_SYMBOLS])
{
    struct voucher_code code = { { 0 } };
    int values[VOUCHER_CODE_SYMBOLS];

    for (size_t i = 0; i < VOUCHER_CODE_SYMBOLS; i++) {
        values[i] = random[i] % BASE;
        code.symbols[i] = symbols[values[i]];
    }
    code.symbols[VOUCHER_CODE_SYMBOLS] = check_symbol(values);
    return code;
}

/* Reads the symbols between the dashes; returns how many there are, 0 if something else is. */
static size_t read_values(const char *text, int values[VOUCHER_CODE_SYMBOLS + 1])
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        if (*text == '-')
            continue;
        int value = symbol_value(*text);
        if (value < 0 || count > VOUCHER_CODE_SYMBOLS ||
            (value >= BASE && count < VOUCHER_CODE_SYMBOLS))
            return 0;
        values[count++] = value;
    }
    return count;
}

enum voucher_code_reading voucher_code_parse(const char *text, struct voucher_code *out)
{
    int values[VOUCHER_CODE_SYMBOLS + 1] = { 0 };

    if (read_values(text, values) != VOUCHER_CODE_SYMBOLS + 1)
        return VOUCHER_CODE_NONE;
    if (symbols[values[VOUCHER_CODE_SYMBOLS]] != check_symbol(values))
        return VOUCHER_CODE_MISTYPED;
    for (size_t i = 0; i <= VOUCHER_CODE_SYMBOLS; i++)
        out->symbols[i] = symbols[values[i]];
    out->symbols[VOUCHER_CODE_SYMBOLS + 1] = '\0';
    return VOUCHER_CODE_READ;
}

struct voucher_code_text voucher_code_text(const struct voucher_code *code)
{
    struct voucher_code_text shown;
    char *to = shown.text;

    for (size_t i = 0; i <= VOUCHER_CODE_SYMBOLS; i++) {
        if (i > 0 && i % 4 == 0)
            *to++ = '-';
        *to++ = code->symbols[i];
    }
    *to = '\0';
    return shown;
}

struct voucher_code_text voucher_code_mask(const struct voucher_code *code)
{
    struct voucher_code masked = { "*************" };

    masked.symbols[VOUCHER_CODE_SYMBOLS - 2] = code->symbols[VOUCHER_CODE_SYMBOLS - 2];
    masked.symbols[VOUCHER_CODE_SYMBOLS - 1] = code->symbols[VOUCHER_CODE_SYMBOLS - 1];
    return voucher_code_text(&masked);
}
