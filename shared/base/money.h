/*
 * Money: an amount in integer minor units, and its currency.
 *
 * Arithmetic is checked: what does not fit into 64 bits is refused, never wrapped. There is no
 * floating point.
 */
#ifndef CHECKOUT_BASE_MONEY_H
#define CHECKOUT_BASE_MONEY_H

#include "shared/base/currency.h"

struct money {
    int64_t amount;
    struct currency currency;
};

/* False when the sum or product overflows; `out` is then untouched. */
MUST_CHECK bool amount_add(int64_t a, int64_t b, int64_t *out);
MUST_CHECK bool amount_multiply(int64_t a, int64_t b, int64_t *out);

/* "-92233720368547758.0800 XXX" is the longest: sign, 19 digits, point, blank, code, NUL. */
enum { MONEY_TEXT_SIZE = 32 };

struct money_text {
    char text[MONEY_TEXT_SIZE];
};

/* For people: "137.00 EUR", "500 JPY". */
struct money_text money_text(struct money money);

#endif
