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
    const struct bank_record *record;
};

void bank_notice_write(struct buffer *out, const struct bank_notice *notice,
                       const struct bank_view *view);

/* "application/json", or the type of SOAP. */
const char *bank_notice_content_type(const struct bank *bank);

#endif
