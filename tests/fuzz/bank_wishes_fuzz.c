/* What a customer of the simulated bank is made to do: pay a transfer, dispute a payment. And the
 * day of a settlement, which is a text. */
#include "payment-service/bank-simulator/bank_control_json.h"
#include "payment-service/bank-simulator/bank_settlement.h"

#include "tests/fuzz/fuzz.h"

static void check_payment(struct span input)
{
    struct error err;
    int64_t amount;

    if (control_payment_read(input, &amount, &err))
        assert(amount >= 0 && amount <= BANK_AMOUNT_MAX);
    else
        fuzz_check_refusal(&err);
}

static void check_dispute(struct span input)
{
    enum bank_event event;
    struct error err;

    if (control_dispute_read(input, &event, &err))
        assert(event == EVENT_DISPUTE_OPENED || event == EVENT_DISPUTE_WON ||
               event == EVENT_DISPUTE_LOST);
    else
        fuzz_check_refusal(&err);
}

/* A day begins at its midnight, and is written as it was read. */
static void check_day(struct span input)
{
    AUTO(fuzz_text_release) char *text = fuzz_text(input);
    struct instant midnight;
    struct error err;

    if (!settlement_day(text, &midnight, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(midnight.ms % (24 * INT64_C(3600000)) == 0);
    assert(strncmp(instant_text(midnight).text, text, strlen(text)) == 0);
}

void fuzz(struct span input)
{
    check_payment(input);
    check_dispute(input);
    check_day(input);
}
