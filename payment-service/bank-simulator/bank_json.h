/*
 * Bank JSON: what callers send and are answered, as README.md describes it.
 */
#ifndef CHECKOUT_BANK_JSON_H
#define CHECKOUT_BANK_JSON_H

#include "payment-service/bank-simulator/bank.h"
#include "payment-service/bank-simulator/bank_outcome.h"
#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"

/*
 * Reads the body of a POST. `card` is written for an authorization, else empty; the caller wipes
 * it. ERROR_MALFORMED, or ERROR_VALIDATION with every wrong field.
 */
MUST_CHECK bool bank_instruction_read(struct span body, enum bank_operation operation,
                                      struct bank_instruction *out, struct bank_card *card,
                                      struct error *err);

/* Where a record belongs, and where its challenge is. */
struct bank_view {
    const struct bank *bank;
    const char *public_url;
};

enum { BANK_URL_SIZE = 512 };

/* The page of a record's challenge; "" when it has none, or not any more. */
void bank_action_url(const struct bank_view *view, const struct bank_record *record,
                     char out[BANK_URL_SIZE]);

void bank_record_write(struct json_writer *json, const struct bank_record *record,
                       const struct bank_view *view);

#endif
