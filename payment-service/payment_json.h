/*
 * Payment JSON: requests for payments, and what is shown of payments, refunds and attempts.
 *
 * A card's number goes in and never comes out: what is shown is its mask. A draft holds number and
 * code until payment_draft_release() wipes them.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_JSON_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_JSON_H

#include "payment-service/attempt.h"
#include "payment-service/refund.h"
#include "shared/json/json_writer.h"

/* What a client wants to be paid: an order, or an amount alone. */
struct payment_draft {
    bool has_id; /* the client's own */
    struct id id;
    bool has_order;
    struct id order_id;
    int64_t amount;           /* 0: what is due */
    struct currency currency; /* code "": the order's */
    enum payment_capture capture;
    enum payment_method method;
    struct card card; /* of a card */
};

/* Every wrong field is named. `now` decides whether the card is expired. */
MUST_CHECK bool payment_draft_read(struct span body, struct instant now, struct payment_draft *out,
                                   struct error *err);

/* Wipes the card. */
void payment_draft_release(struct payment_draft *draft);

/* {amount?}, or no body at all; 0 stands for all. */
MUST_CHECK bool payment_capture_read(struct span body, int64_t *amount, struct error *err);

/* {}, or no body at all. */
MUST_CHECK bool payment_cancel_read(struct span body, struct error *err);

/* {amount?, reason?}, or no body at all: fills amount (0: all) and reason. */
MUST_CHECK bool refund_draft_read(struct span body, struct refund *out, struct error *err);

/* The public objects. */
void payment_write(struct json_writer *json, const struct payment *payment);
void refund_write(struct json_writer *json, const struct refund *refund);
void attempt_write(struct json_writer *json, const struct attempt *attempt);

#endif
