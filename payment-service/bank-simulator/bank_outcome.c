#include "payment-service/bank-simulator/bank_outcome.h"

/* Amounts speak from here on, by what they have below. */
enum { SPEAKING_AMOUNT = 100000, SPEAKING_DIGITS = 1000 };

#define APPROVED(marker)                      \
    {                                         \
        MANNER_PLAIN,                         \
        {                                     \
            BANK_APPROVED, NULL, NULL, marker \
        }                                     \
    }
#define DECLINED(code, closer)                       \
    {                                                \
        MANNER_PLAIN,                                \
        {                                            \
            BANK_DECLINED, code, closer, MARKER_NONE \
        }                                            \
    }
#define CHALLENGED                                \
    {                                             \
        MANNER_PLAIN,                             \
        {                                         \
            BANK_PENDING, NULL, NULL, MARKER_NONE \
        }                                         \
    }
#define BEHAVES(manner)                            \
    {                                              \
        manner,                                    \
        {                                          \
            BANK_APPROVED, NULL, NULL, MARKER_NONE \
        }                                          \
    }

/* Test numbers that Stripe publishes. */
static const struct {
    const char *number;
    struct bank_outcome outcome;
} by_card[] = {
    { "4000000000000002", DECLINED("card_declined", "generic_decline") },
    { "4000000000009995", DECLINED("card_declined", "insufficient_funds") },
    { "4000000000009987", DECLINED("card_declined", "lost_card") },
    { "4000000000009979", DECLINED("card_declined", "stolen_card") },
    { "4000000000000069", DECLINED("expired_card", NULL) },
    { "4000000000000127", DECLINED("incorrect_cvc", NULL) },
    { "4000000000000119", DECLINED("processing_error", NULL) },
    { "4000000000000341", DECLINED("card_declined", "generic_decline") },
    { "4000000000000259", APPROVED(MARKER_DISPUTED) },
    { "4000002760003184", CHALLENGED },
    { "4000000000003220", CHALLENGED },
    { "4000000000005126", APPROVED(MARKER_REFUNDS_RETURN) },
    { "4000000000007726", APPROVED(MARKER_REFUNDS_PENDING) },
};

static const struct {
    int64_t month, year;
    struct bank_outcome outcome;
} by_expiry[] = {
    { 5, 2039, DECLINED("card_declined", "generic_decline") },
    { 4, 2027, DECLINED("expired_card", NULL) },
    { 8, 2028, BEHAVES(MANNER_SILENT) },
    { 1, 2037, BEHAVES(MANNER_BROKEN) },
    { 2, 2037, DECLINED("processing_error", NULL) },
    { 5, 2037, BEHAVES(MANNER_LOST) },
};

static const struct {
    int64_t digits;
    struct bank_outcome outcome;
} by_amount[] = {
    { 121, DECLINED("card_declined", "generic_decline") },
    { 122, DECLINED("card_declined", "fraudulent") },
    { 124, DECLINED("card_declined", "insufficient_funds") },
    { 125, DECLINED("card_declined", "stolen_card") },
    { 126, DECLINED("expired_card", NULL) },
    { 127, DECLINED("invalid_amount", NULL) },
    { 128, DECLINED("card_declined", "invalid_account") },
    { 130, DECLINED("processing_error", NULL) },
};

static const struct bank_outcome approved = APPROVED(MARKER_NONE);

struct bank_outcome bank_outcome_of(const struct bank_card *card, int64_t amount)
{
    for (size_t i = 0; i < COUNT_OF(by_card); i++)
        if (strcmp(by_card[i].number, card->number) == 0)
            return by_card[i].outcome;
    for (size_t i = 0; i < COUNT_OF(by_expiry); i++)
        if (by_expiry[i].month == card->exp_month && by_expiry[i].year == card->exp_year)
            return by_expiry[i].outcome;
    for (size_t i = 0; amount >= SPEAKING_AMOUNT && i < COUNT_OF(by_amount); i++)
        if (by_amount[i].digits == amount % SPEAKING_DIGITS)
            return by_amount[i].outcome;
    return approved;
}

void bank_card_keep(const struct bank_card *card, struct bank_instruction *out)
{
    size_t length = strlen(card->number);

    assert(length >= BANK_CARD_MIN);
    text_copy(out->last4, sizeof(out->last4), card->number + length - 4);
    text_format(out->expiry, sizeof(out->expiry), "%02d/%04d", (int)card->exp_month,
                (int)card->exp_year);
}

/* The compiler must not think that nobody reads it any more. */
void bank_card_wipe(struct bank_card *card)
{
    explicit_bzero(card, sizeof(*card));
}
