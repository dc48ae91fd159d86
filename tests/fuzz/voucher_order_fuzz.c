/* An order as its events carry it, and as voucher-service reads it. */
#include "voucher-service/voucher_json.h"

#include "tests/fuzz/fuzz.h"

static void check_order(struct span input)
{
    struct voucher_order order;
    struct error err;

    if (!voucher_order_read(input, &order, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(order.total.amount >= 0 && currency_exponent(order.total.currency) >= 0);
    assert(order.merchant[0] != '\0' && text_is_utf8(span_of(order.merchant)));
    assert(order.customer_id[0] != '\0' && text_is_utf8(span_of(order.customer_id)));
}

void fuzz(struct span input)
{
    struct voucher_order_use use;
    struct error err;

    check_order(input);
    if (voucher_order_use_read(input, &use, &err))
        assert(use.merchant[0] != '\0' && (!use.uses || use.holder[0] != '\0'));
    else
        fuzz_check_refusal(&err);
}
