/*
 * Order payment: what an order's payments mean for it.
 *
 * A payment belongs to payment-service, which tells of every version of it. What counts here is
 * what all payments of an order come to, as their newest versions are: what was paid, what was
 * given back, and whether a bank has promised to pay. A payment that is orphaned came too late and
 * goes back by itself: it counts for nothing.
 *
 * The payment status depends on those sums alone and not on the way that led to them, so events may
 * be repeated and come in any order. Nothing here does I/O or asks what time it is.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_PAYMENT_H
#define CHECKOUT_ORDER_SERVICE_ORDER_PAYMENT_H

#include "order-service/order.h"

enum payment_status {
    PAYMENT_PROCESSING,
    PAYMENT_REQUIRES_ACTION,
    PAYMENT_AUTHORIZED,
    PAYMENT_SUCCEEDED,
    PAYMENT_FAILED,
    PAYMENT_CANCELED,
    PAYMENT_EXPIRED,
    PAYMENT_STATUS_COUNT
};

/* Their words in JSON and SQL, indexed by the enum. */
extern const char *const payment_status_words[PAYMENT_STATUS_COUNT];

/* What an order needs to know of a payment. Amounts are in minor units. */
struct order_payment {
    struct id id;
    bool of_order; /* false: somebody pays without an order, and order_id does not count */
    struct id order_id;
    char merchant[ORDER_MERCHANT_SIZE];
    int64_t version;
    enum payment_status status;
    struct currency currency;
    int64_t amount;
    int64_t amount_captured;
    int64_t amount_refunded;
    bool orphaned; /* it pays for nothing any more, and goes back */
};

/* What the payments of one order come to; begins as zeroes. */
struct order_payments {
    bool authorized; /* one is, at least */
    int64_t captured;
    int64_t refunded;
};

/*
 * Adds one payment, or several at once that are alike in status and orphaned, with the sums of
 * their amounts. Sums end at INT64_MAX, which is more than can be due.
 */
void order_payments_add(struct order_payments *payments, const struct order_payment *payment);

/* What an order's payment status has to be. */
enum order_payment_status order_payment_status(const struct order *order,
                                               const struct order_payments *payments);

/*
 * Whether the payment may be one for this order: ERROR_VALIDATION "payment_of_other_merchant" or
 * "payment_currency_mismatch".
 */
MUST_CHECK bool order_payment_fits(const struct order *order, const struct order_payment *payment,
                                   struct error *err);

/*
 * Brings the order in line with its payments: false, and nothing changed, when it is already. A
 * pending order that is covered moves to ORDER_PAID, which `moved` tells, even if a part of the
 * money has gone back by the time it is seen: events may be late. Any other only gets another
 * payment status. Either is one version.
 */
bool order_pay(struct order *order, const struct order_payments *payments, struct instant now,
               bool *moved);

#endif
