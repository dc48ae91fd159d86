#include "payment-service/card.h"

#include "payment-service/card_brands.h"
#include "shared/base/buffer.h"

enum { CVC_MIN = 3, LAST_DIGITS = 4, MONTHS = 12 };

/* The time of day is that of the last place on earth where the month ends: UTC-12. */
enum { LAST_ZONE_S = 12 * 3600 };

static const struct {
    const char *code, *detail;
} flaws[CARD_FLAW_COUNT] = {
    [CARD_NUMBER_NOT_DIGITS] = { "invalid_number", "must be digits without blanks" },
    [CARD_NUMBER_LENGTH] = { "invalid_number", "does not have as many digits as its brand has" },
    [CARD_NUMBER_CHECK] = { "invalid_number", "is mistyped: its check digit does not fit" },
    [CARD_BRAND_UNKNOWN] = { "unknown_brand", "is of no known brand" },
    [CARD_EXPIRY_MONTH] = { "invalid_expiry", "must be a month, 1 to 12" },
    [CARD_EXPIRED] = { "expired_card", "has passed, or is too far away" },
    [CARD_CVC] = { "invalid_cvc", "must be digits, as many as the brand has" },
};

const char *card_flaw_code(enum card_flaw flaw)
{
    return flaws[flaw].code;
}

const char *card_flaw_detail(enum card_flaw flaw)
{
    return flaws[flaw].detail;
}

static bool are_digits(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return true;
}

bool card_luhn(struct span digits)
{
    unsigned sum = 0;

    for (size_t i = 0; i < digits.length; i++) {
        unsigned digit = (unsigned)(digits.at[digits.length - 1 - i] - '0');
        if (i % 2 == 1)
            digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
        sum += digit;
    }
    return sum % 10 == 0;
}

enum card_flaw card_check_number(struct span number)
{
    if (!are_digits(number))
        return CARD_NUMBER_NOT_DIGITS;
    if (number.length < CARD_NUMBER_MIN || number.length > CARD_NUMBER_MAX)
        return CARD_NUMBER_LENGTH;
    if (!card_luhn(number))
        return CARD_NUMBER_CHECK;

    const struct card_brand *brand = card_brands_find(number);
    if (!brand)
        return CARD_BRAND_UNKNOWN;
    return brand->lengths & 1U << number.length ? CARD_FINE : CARD_NUMBER_LENGTH;
}

enum card_flaw card_check_expiry(int64_t month, int64_t year, struct instant now)
{
    time_t there_s = (time_t)(now.ms / 1000 - LAST_ZONE_S);
    struct tm there;

    if (month < 1 || month > MONTHS)
        return CARD_EXPIRY_MONTH;
    if (!gmtime_r(&there_s, &there))
        return CARD_EXPIRED; /* of a year that no number holds */

    int64_t this_year = 1900 + (int64_t)there.tm_year, this_month = 1 + (int64_t)there.tm_mon;
    if (year < this_year || year > this_year + CARD_YEARS_MAX)
        return CARD_EXPIRED;
    return year == this_year && month < this_month ? CARD_EXPIRED : CARD_FINE;
}

enum card_flaw card_check_cvc(struct span number, struct span cvc)
{
    const struct card_brand *brand = card_brands_find(number);

    if (!are_digits(cvc))
        return CARD_CVC;
    if (!brand) /* then it is the number that is wrong */
        return cvc.length >= CVC_MIN && cvc.length <= CARD_CVC_MAX ? CARD_FINE : CARD_CVC;
    return cvc.length == brand->cvc_digits ? CARD_FINE : CARD_CVC;
}

const char *card_brand(struct span number)
{
    const struct card_brand *brand = card_brands_find(number);

    return brand ? brand->name : NULL;
}

struct card_face card_face(const struct card *card)
{
    struct card_face face = { .exp_month = card->exp_month, .exp_year = card->exp_year };
    struct span number = span_of(card->number);
    const char *brand = card_brand(number);

    assert(brand && number.length >= CARD_NUMBER_MIN);
    text_copy(face.brand, sizeof(face.brand), brand);
    text_copy(face.last4, sizeof(face.last4), card->number + number.length - LAST_DIGITS);
    face.digits = (int64_t)number.length;
    return face;
}

void card_mask(const struct card_face *face, char out[CARD_MASK_SIZE])
{
    size_t hidden = (size_t)face->digits - LAST_DIGITS;

    assert(face->digits >= CARD_NUMBER_MIN && face->digits <= CARD_NUMBER_MAX);
    memset(out, '*', hidden);
    text_copy(out + hidden, CARD_MASK_SIZE - hidden, face->last4);
}

void card_wipe(struct card *card)
{
    memory_wipe(card->number, sizeof(card->number));
    memory_wipe(card->cvc, sizeof(card->cvc));
}
