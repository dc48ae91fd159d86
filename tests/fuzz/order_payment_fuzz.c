/* A payment as its events carry it, and what comes of it for an order. */
#include "order-service/order_payment_json.h"

#include "tests/fuzz/fuzz.h"

static struct order pending_order(const struct order_payment *payment)
{
    return (struct order){ .version = 1, .currency = payment->currency, .amount_due = 13700 };
}

/* Brought in line, it is in line. */
static void check_paying(const struct order_payment *payment)
{
    struct order order = pending_order(payment);
    struct order_payments payments = { .captured = 0 };
    bool moved;

    order_payments_add(&payments, payment);
    order_payments_add(&payments, payment);
    assert(payments.captured >= 0 && payments.refunded >= 0);
    order_pay(&order, &payments, (struct instant){ 1 }, &moved);
    bool changed = order_pay(&order, &payments, (struct instant){ 2 }, &moved);
    assert(!changed);
}

void fuzz(struct span input)
{
    struct order_payment payment;
    struct error err;

    if (!order_payment_read(input, &payment, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(payment.merchant[0] != '\0' && payment.version >= 1);
    assert(payment.status < PAYMENT_STATUS_COUNT);
    check_paying(&payment);
}
