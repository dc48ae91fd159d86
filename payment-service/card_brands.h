/*
 * Card brands: whose number it is, by the published ranges of issuers (ISO/IEC 7812).
 *
 * A range is two prefixes of one length. Where several hold a number, the longest prefix is meant,
 * and of two of one length the narrower range: 65 is Discover's, but 650052 Troy's; 6 is Maestro's,
 * but hardly anything that begins with it is.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_CARD_BRANDS_H
#define CHECKOUT_PAYMENT_SERVICE_CARD_BRANDS_H

#include "shared/base/text.h"

struct card_brand {
    const char *name;
    unsigned lengths; /* of its numbers: bit n stands for n digits */
    size_t cvc_digits;
};

/* The brand of a number (digits only), NULL for none. */
const struct card_brand *card_brands_find(struct span number);

#endif
