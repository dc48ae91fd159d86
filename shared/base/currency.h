/*
 * Currency: the active codes of ISO 4217 and their exponents.
 *
 * Money is counted in minor units: 100 for EUR (exponent 2), 1 for JPY (0), 1000 for KWD (3).
 * Codes without a minor unit (metals, test and fund codes such as XAU or XXX) cannot carry a price
 * and are not in the table, nor are withdrawn ones.
 */
#ifndef CHECKOUT_BASE_CURRENCY_H
#define CHECKOUT_BASE_CURRENCY_H

#include "shared/base/compiler.h"

/* Three capital letters and a NUL. Values come from currency_parse() or the names below. */
struct currency {
    char code[4];
};

#define EUR ((struct currency){ "EUR" })
#define GBP ((struct currency){ "GBP" })
#define JPY ((struct currency){ "JPY" })
#define USD ((struct currency){ "USD" })

/* Accepts exactly the active codes with a minor unit, in capitals. */
MUST_CHECK bool currency_parse(const char *text, struct currency *out);

/* Digits after the decimal point: 0, 2, 3 or 4. */
int currency_exponent(struct currency currency);

bool currency_equal(struct currency a, struct currency b);

/* How many currencies there are, and the code at `index`: for tests and documents. */
size_t currency_count(void);
const char *currency_code_at(size_t index);

#endif
