#include "order-service/order_payment.h"

const char *const payment_status_words[PAYMENT_STATUS_COUNT] = {
    [PAYMENT_PROCESSING] = "processing", [PAYMENT_REQUIRES_ACTION] = "requires_action",
    [PAYMENT_AUTHORIZED] = "authorized", [PAYMENT_SUCCEEDED] = "succeeded",
    [PAYMENT_FAILED] = "failed",         [PAYMENT_CANCELED] = "canceled",
    [PAYMENT_EXPIRED] = "expired",
};

static void add(int64_t *sum, int64_t amount)
{
    if (!amount_add(*sum, amount, sum))
        *sum = INT64_MAX;
}

void order_payments_add(struct order_payments *payments, const struct order_payment *payment)
{
    if (payment->orphaned)
        return;
    if (payment->status == PAYMENT_AUTHORIZED)
        payments->authorized = true;
    if (payment->status == PAYMENT_SUCCEEDED)
        add(&payments->captured, payment->amount_captured);
    add(&payments->refunded, payment->amount_refunded);
}

enum order_payment_status order_payment_status(const struct order *order,
                                               const struct order_payments *payments)
{
    int64_t captured = payments->captured, refunded = payments->refunded;

    if (order->amount_due == 0 && captured == 0)
        return ORDER_PAYMENT_PAID;
    if (captured > 0 && refunded >= captured)
        return ORDER_PAYMENT_REFUNDED;
    if (refunded > 0)
        return ORDER_PAYMENT_PARTIALLY_REFUNDED;
    if (captured >= order->amount_due)
        return ORDER_PAYMENT_PAID;
    if (captured > 0)
        return ORDER_PAYMENT_PARTIALLY_PAID;
    return payments->authorized ? ORDER_PAYMENT_AUTHORIZED : ORDER_PAYMENT_UNPAID;
}

bool order_payment_fits(const struct order *order, const struct order_payment *payment,
                        struct error *err)
{
    if (strcmp(order->merchant, payment->merchant) != 0)
        return error_set(err, ERROR_VALIDATION, "payment_of_other_merchant",
                         "payment %s pays an order of another merchant", id_text(payment->id).text);
    if (!currency_equal(order->currency, payment->currency))
        return error_set(err, ERROR_VALIDATION, "payment_currency_mismatch",
                         "payment %s is in %s, its order in %s", id_text(payment->id).text,
                         payment->currency.code, order->currency.code);
    return true;
}

/* Paid in full once, and not given back in full: a part of it may have been, for a scratch. */
static bool is_covered(const struct order *order, const struct order_payments *payments)
{
    int64_t captured = payments->captured;

    return captured > 0 && captured >= order->amount_due && payments->refunded < captured;
}

bool order_pay(struct order *order, const struct order_payments *payments, struct instant now,
               bool *moved)
{
    enum order_payment_status status = order_payment_status(order, payments);
    bool pays = order->status == ORDER_PENDING && is_covered(order, payments);
    struct error impossible;

    *moved = false;
    if (status == order->payment_status && !pays)
        return false;

    order->payment_status = status;
    if (pays) {
        bool allowed = order_move(order, ORDER_PAID, now, moved, &impossible);
        assert(allowed && *moved);
    } else {
        order_touch(order, now);
    }
    return true;
}
