/*
 * Voucher code: twelve random symbols and one that checks them.
 *
 * The symbols are Crockford's base32 (digits and capitals without I, L, O and U): 60 bits, so a
 * code cannot be guessed. The last symbol is the number they make modulo 37, for which there are
 * five more symbols (* ~ $ = U): it detects every mistyped symbol and every two that changed
 * places.
 *
 * A code is shown as XXXX-XXXX-XXXX-X and stored without dashes. It is read in either case, with
 * dashes anywhere or none, O as 0, I and L as 1.
 *
 * Where a code must be recognised but not used it is masked: ****-****-**XX-*. What is left hidden,
 * 50 bits, is still far from guessable; the check symbol would give away 5 more.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_CODE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_CODE_H

#include "shared/base/compiler.h"

enum { VOUCHER_CODE_SYMBOLS = 12 };

/* As stored: the symbols, the check symbol and a NUL. */
struct voucher_code {
    char symbols[VOUCHER_CODE_SYMBOLS + 2];
};

/* "XXXX-XXXX-XXXX-X" and a NUL. */
struct voucher_code_text {
    char text[17];
};

enum voucher_code_reading {
    VOUCHER_CODE_READ,
    VOUCHER_CODE_MISTYPED, /* thirteen symbols, but the last does not check the others */
    VOUCHER_CODE_NONE,     /* nothing like a code */
};

/* The code of twelve random bytes, of each of which 5 bits are used. */
struct voucher_code voucher_code_make(const uint8_t random[VOUCHER_CODE_SYMBOLS]);

/* `out` is written only for VOUCHER_CODE_READ. */
MUST_CHECK enum voucher_code_reading voucher_code_parse(const char *text, struct voucher_code *out);

/* As it is shown, whole. */
struct voucher_code_text voucher_code_text(const struct voucher_code *code);

/* As it is shown to those who may not use it. */
struct voucher_code_text voucher_code_mask(const struct voucher_code *code);

#endif
