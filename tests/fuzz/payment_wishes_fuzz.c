/* What may be done with a payment: the bodies of a capture, a cancellation and a refund. */
#include "payment-service/payment_json.h"

#include "tests/fuzz/fuzz.h"

/* {amount, reason}, which has to be read as it is. */
static void check_refund(const struct refund *refund)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct refund again;
    struct error err;

    json_begin_object(&json);
    if (refund->money.amount > 0)
        json_member_integer(&json, "amount", refund->money.amount);
    json_member_text(&json, "reason", refund->reason);
    json_end_object(&json);
    bool read = refund_draft_read(buffer_span(&body), &again, &err);
    assert(read && again.money.amount == refund->money.amount);
    assert(strcmp(again.reason, refund->reason) == 0);
}

void fuzz(struct span input)
{
    struct refund refund;
    struct error err;
    int64_t amount;

    if (payment_capture_read(input, &amount, &err))
        assert(amount >= 0 && amount <= PAYMENT_AMOUNT_MAX);
    else
        fuzz_check_refusal(&err);
    if (!payment_cancel_read(input, &err))
        fuzz_check_refusal(&err);
    if (refund_draft_read(input, &refund, &err))
        check_refund(&refund);
    else
        fuzz_check_refusal(&err);
}
