/*
 * Control JSON: what tests and demonstrations order the bank to do.
 */
#ifndef CHECKOUT_BANK_CONTROL_JSON_H
#define CHECKOUT_BANK_CONTROL_JSON_H

#include "payment-service/bank-simulator/bank_calls.h"
#include "payment-service/bank-simulator/bank_faults.h"
#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"

/* ERROR_MALFORMED, or ERROR_VALIDATION with every wrong field. */
MUST_CHECK bool control_fault_read(struct span body, struct fault *out, struct error *err);

/* The card of the fault is masked already. */
void control_fault_write(struct json_writer *json, const struct fault *fault);

void control_call_write(struct json_writer *json, const struct call *call);

/* {amount?}: 0 when it is not said; the body may be empty. */
MUST_CHECK bool control_payment_read(struct span body, int64_t *amount, struct error *err);

/* {outcome: "opened", "won" or "lost"} */
MUST_CHECK bool control_dispute_read(struct span body, enum bank_event *out, struct error *err);

enum { CONTROL_TYPE_MAX = 40, CONTROL_TYPE_SIZE = 4 * CONTROL_TYPE_MAX + 1 };
enum {
    CONTROL_CONTENT_TYPE_MAX = 60,
    CONTROL_CONTENT_TYPE_SIZE = 4 * CONTROL_CONTENT_TYPE_MAX + 1
};

/* A webhook that is made up. The buffer is the caller's to release. */
struct control_webhook {
    const struct bank *bank;
    char account[BANK_ACCOUNT_SIZE];
    char type[CONTROL_TYPE_SIZE];
    struct id id;
    bool forged;
    int64_t age_s, repeat;
    char content_type[CONTROL_CONTENT_TYPE_SIZE]; /* "" for the bank's own */
    struct buffer body; /* as it was given, or made of `operation` in the bank's language */
};

MUST_CHECK bool control_webhook_read(struct span body, struct instant now,
                                     struct control_webhook *out, struct error *err);

#endif
