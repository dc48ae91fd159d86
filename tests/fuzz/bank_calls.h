/*
 * Bank calls: what holds of a call to the simulated bank, in whatever language it came.
 */
#ifndef CHECKOUT_TESTS_FUZZ_BANK_CALLS_H
#define CHECKOUT_TESTS_FUZZ_BANK_CALLS_H

#include "payment-service/bank-simulator/bank.h"
#include "payment-service/bank-simulator/bank_outcome.h"

bool fuzz_call_has_amount(enum bank_operation operation);
bool fuzz_call_has_currency(enum bank_operation operation);

/* Its bounds are kept, and its outcome is one that the bank knows. */
void fuzz_check_call(const struct bank_instruction *instruction, const struct bank_card *card);

void fuzz_check_same_call(const struct bank_instruction *a, const struct bank_card *card_a,
                          const struct bank_instruction *b, const struct bank_card *card_b);

/* The record that the call opens a payment with, as if it opened one. */
struct bank_record fuzz_record(const struct bank_instruction *instruction,
                               const struct bank_card *card);

#endif
