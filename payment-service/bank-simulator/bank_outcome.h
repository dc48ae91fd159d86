/*
 * Outcome: how an authorization ends, known beforehand by card, expiry and amount.
 *
 * The first of these that says something: a published test number, an expiry, the last digits of a
 * large amount. Whatever nobody says anything about is approved. Pure.
 */
#ifndef CHECKOUT_BANK_OUTCOME_H
#define CHECKOUT_BANK_OUTCOME_H

#include "payment-service/bank-simulator/bank.h"

enum { BANK_CARD_MIN = 12, BANK_CARD_MAX = 19, BANK_CARD_SIZE = BANK_CARD_MAX + 1 };

/* Of a card, what an outcome depends on; the number lives as long as its call, and is wiped. */
struct bank_card {
    char number[BANK_CARD_SIZE];
    int64_t exp_month, exp_year;
};

/* What of a card may be kept: last four digits and expiry. */
void bank_card_keep(const struct bank_card *card, struct bank_instruction *out);

/* Overwrites it, so that it can not be read from memory. */
void bank_card_wipe(struct bank_card *card);

/* How the bank behaves about it. */
enum bank_manner {
    MANNER_PLAIN,
    MANNER_SILENT, /* does nothing, and says nothing until the caller gives up */
    MANNER_BROKEN, /* does nothing, and answers 500 */
    MANNER_LOST,   /* does it, and the answer is lost */
};

struct bank_outcome {
    enum bank_manner manner;
    struct bank_verdict verdict;
};

struct bank_outcome bank_outcome_of(const struct bank_card *card, int64_t amount);

#endif
