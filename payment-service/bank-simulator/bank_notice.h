/*
 * Notice: the body of a webhook, in the language of its bank.
 */
#ifndef CHECKOUT_BANK_NOTICE_H
#define CHECKOUT_BANK_NOTICE_H

#include "payment-service/bank-simulator/bank_json.h"

struct bank_notice {
    struct id id;
    const char *type; /* "refund.approved" */
    const char *account;
    struct instant created_at;
};

void bank_notice_write(struct buffer *out, const struct bank_notice *notice,
                       const struct bank_record *record, const struct bank_view *view);

/* Whether the bank's language has a way to write such an object: in SOAP, names are limited. */
bool bank_notice_can_write_any(const struct json_value *record, const struct bank *bank);

/* The same, of a record that somebody made up: an object of JSON that can be written. */
void bank_notice_write_any(struct buffer *out, const struct bank_notice *notice,
                           const struct json_value *record, const struct bank *bank);

/* "application/json", or the type of SOAP. */
const char *bank_notice_content_type(const struct bank *bank);

#endif
