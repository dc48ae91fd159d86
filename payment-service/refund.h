/*
 * Refund: money that goes back from a merchant to a customer, of one payment.
 *
 *     pending -> succeeded    the bank did it
 *     pending -> failed       the bank refused
 *     succeeded -> failed     it came back: the customer's bank did not take it
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_REFUND_H
#define CHECKOUT_PAYMENT_SERVICE_REFUND_H

#include "payment-service/payment.h"

/* Code points, of at most 4 bytes each. */
enum { REFUND_REASON_MAX = 200, REFUND_REASON_SIZE = 4 * REFUND_REASON_MAX + 1 };

enum refund_status { REFUND_PENDING, REFUND_SUCCEEDED, REFUND_FAILED, REFUND_STATUS_COUNT };

extern const char *const refund_status_words[REFUND_STATUS_COUNT];

struct refund {
    int stream;
    struct id id;
    char merchant[PAYMENT_MERCHANT_SIZE];
    int64_t version;
    struct id payment_id;
    bool has_order;
    struct id order_id;   /* the payment's */
    struct id attempt_id; /* what the bank knows it by */
    enum refund_status status;
    struct money money;
    char reason[REFUND_REASON_SIZE];
    char failure_code[PAYMENT_CODE_SIZE]; /* "" for none */
    bool automatic; /* begun by us, because nobody wants the money; once per payment */
    struct instant created_at, updated_at;
};

/* Makes a new refund of the payment: pending, version 1. Amount and reason are filled in. */
void refund_begin(struct refund *refund, const struct payment *payment, struct id id,
                  struct instant now);

/* Moves it; the type of the event, or NULL when it can not (any more): late words of a bank. */
const char *refund_move(struct refund *refund, enum refund_status to, const char *failure_code,
                        struct instant now);

/* "refund.created" and the like: the type of the event of a status. */
const char *refund_status_event(enum refund_status status);

#endif
