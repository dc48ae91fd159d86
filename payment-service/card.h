/*
 * Card: what is checked of a card before any bank is asked, and what of it may be kept.
 *
 * The number (PAN) and the security code (CVC) live in a struct card for as long as a request runs,
 * and are wiped with card_wipe(). What is kept in clear is the face: brand, last four digits,
 * expiry, and a fingerprint that a key makes (shared/crypto), by which the same card is known
 * again. The security code is text: "000" and "0123" are codes.
 *
 * Nothing here does I/O or asks what time it is; the brands are those of the published number
 * ranges (card_brands.c).
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_CARD_H
#define CHECKOUT_PAYMENT_SERVICE_CARD_H

#include "shared/base/clock.h"
#include "shared/base/text.h"

/* ISO/IEC 7812: 12 digits of the shortest brand, 19 at most. */
enum { CARD_NUMBER_MIN = 12, CARD_NUMBER_MAX = 19, CARD_CVC_MAX = 4 };

/* Code points of the holder's name, of at most 4 bytes each. */
enum { CARD_NAME_MAX = 200, CARD_NAME_SIZE = 4 * CARD_NAME_MAX + 1 };

enum { CARD_BRAND_SIZE = 24, CARD_FINGERPRINT_SIZE = 65, CARD_MASK_SIZE = CARD_NUMBER_MAX + 1 };

struct card {
    char number[CARD_NUMBER_MAX + 1];
    char cvc[CARD_CVC_MAX + 1]; /* "" when it is not known (any more) */
    int64_t exp_month, exp_year;
    char name[CARD_NAME_SIZE]; /* "" for none */
};

/* What may be kept and shown. */
struct card_face {
    char brand[CARD_BRAND_SIZE];
    char last4[5];
    int64_t digits; /* of the whole number */
    int64_t exp_month, exp_year;
    char fingerprint[CARD_FINGERPRINT_SIZE]; /* hexadecimal */
};

/* What is wrong with a card; the words are problem codes of fields. */
enum card_flaw {
    CARD_FINE,
    CARD_NUMBER_NOT_DIGITS, /* "invalid_number": something else than digits, blanks included */
    CARD_NUMBER_LENGTH,     /* "invalid_number": too short, too long, or not of its brand */
    CARD_NUMBER_CHECK,      /* "invalid_number": Luhn (ISO/IEC 7812-1 annex B) */
    CARD_BRAND_UNKNOWN,     /* "unknown_brand" */
    CARD_EXPIRY_MONTH,      /* "invalid_expiry": no month 1 to 12 */
    CARD_EXPIRED,           /* "expired_card": its last month is over everywhere, or a year that is
                               further away than CARD_YEARS_MAX */
    CARD_CVC,               /* "invalid_cvc": not digits, or not as many as the brand has */
    CARD_FLAW_COUNT
};

/* Cards are not valid for longer. */
enum { CARD_YEARS_MAX = 50 };

/*
 * Each checks one thing, so that all that is wrong is told at once. `now` decides expiry: a card is
 * good until the last moment of its month, in the last time zone (UTC-12).
 */
enum card_flaw card_check_number(struct span number);
enum card_flaw card_check_expiry(int64_t month, int64_t year, struct instant now);
/* "" is a flaw too: CARD_CVC. Of a number without a brand, 3 and 4 digits are fine. */
enum card_flaw card_check_cvc(struct span number, struct span cvc);

/* The code for clients ("invalid_number"), and the sentence to it; CARD_FINE has none. */
const char *card_flaw_code(enum card_flaw flaw);
const char *card_flaw_detail(enum card_flaw flaw);

/* True if the Luhn digit is right; of digits only. */
bool card_luhn(struct span digits);

/* The brand of a number (digits only) by its ranges (card_brands.h); NULL for none. */
const char *card_brand(struct span number);

/* The face of a card that is fine; the fingerprint is the caller's to fill in. */
struct card_face card_face(const struct card *card);

/* "************4242" for a number of `digits` digits. */
void card_mask(const struct card_face *face, char out[CARD_MASK_SIZE]);

/* Overwrites number and code, so that they can not be read from memory. */
void card_wipe(struct card *card);

#endif
