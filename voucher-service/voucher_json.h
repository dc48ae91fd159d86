/*
 * Voucher JSON: from a request's body or an order's event to values, and from a voucher or a rule
 * to its public object.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_JSON_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_JSON_H

#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"
#include "voucher-service/voucher_use.h"

/* Who looks at a voucher: whoever sees its code can use it. */
enum voucher_view {
    VOUCHER_WHOLE,  /* its merchant, looking at this one; and voucher.issued */
    VOUCHER_MASKED, /* lists, all other events, keys of other than its merchant */
};

void voucher_write(struct json_writer *json, const struct voucher *voucher, enum voucher_view view);

/*
 * The voucher, masked, with what it would take off a total: `discount_amount`, `forfeited_amount`
 * and `amount_due`, which are null for a total that is not known (NULL).
 */
void voucher_write_discount(struct json_writer *json, const struct voucher *voucher,
                            const int64_t *total_amount);

void voucher_rule_write(struct json_writer *json, const struct voucher_rule *rule);

/* Reads the body of POST /v1/voucher_rules: all but id and time. */
MUST_CHECK bool voucher_rule_read(struct span body, struct voucher_rule *out, struct error *err);

/* Reads the body of a reservation, a release or a redemption. */
MUST_CHECK bool voucher_wish_read(struct span body, enum voucher_way way, struct voucher_wish *out,
                                  struct error *err);

/* Whether a voucher could be reserved, and what it would take off. */
struct voucher_question {
    struct voucher_wish wish;
    bool has_total;
    int64_t total_amount;
};

/* Reads the body of a validation, in which nothing is required. */
MUST_CHECK bool voucher_question_read(struct span body, struct voucher_question *out,
                                      struct error *err);

/* What the rules need to know of an order. */
struct voucher_order {
    struct id id;
    char merchant[VOUCHER_MERCHANT_SIZE];
    char customer_id[VOUCHER_TEXT_SIZE];
    struct money total;
};

/*
 * Reads the public object of an order as its events carry it. Members that are not needed are not
 * looked at: later versions add some. ERROR_MALFORMED or ERROR_VALIDATION.
 */
MUST_CHECK bool voucher_order_read(struct span data, struct voucher_order *out, struct error *err);

/* Which voucher an order uses, and whom it was reserved for. */
struct voucher_order_use {
    struct id order_id;
    char merchant[VOUCHER_MERCHANT_SIZE];
    bool uses; /* false: none, and nothing else here counts */
    struct id voucher_id;
    char holder[VOUCHER_TEXT_SIZE];
};

/* Reads that from the public object of an order, as voucher_order_read() does. */
MUST_CHECK bool voucher_order_use_read(struct span data, struct voucher_order_use *out,
                                       struct error *err);

#endif
