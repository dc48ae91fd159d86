/*
 * Voucher: money off, earned by an order, good for one use until its time is over.
 *
 * Which state may follow which is here and nowhere else. Pure: no I/O, no clock.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/base/text.h"
#include "voucher-service/voucher_code.h"
#include "voucher-service/voucher_rule.h"

/* A customer's id is the order's: 1 to 200 code points. */
enum { VOUCHER_TEXT_MAX = 200, VOUCHER_TEXT_SIZE = 4 * VOUCHER_TEXT_MAX + 1 };

/* A merchant's slug has at most 40 characters. */
enum { VOUCHER_MERCHANT_SIZE = 41 };

enum voucher_status {
    VOUCHER_ACTIVE,
    VOUCHER_RESERVED,
    VOUCHER_REDEEMED,
    VOUCHER_EXPIRED,
    VOUCHER_VOIDED,
    VOUCHER_STATUS_COUNT
};

/* Their words in JSON and SQL, indexed by the enum. */
extern const char *const voucher_status_words[VOUCHER_STATUS_COUNT];

/* A voucher that comes into being. */
#define VOUCHER_ISSUED "voucher.issued"

struct voucher {
    int stream;
    struct id id;
    char merchant[VOUCHER_MERCHANT_SIZE];
    int64_t version;
    enum voucher_status status;
    struct voucher_code code;
    struct money value;
    struct id order_id; /* the order that earned it */
    struct id rule_id;  /* the rule it was earned by */
    char customer_id[VOUCHER_TEXT_SIZE];
    struct instant created_at;
    struct instant updated_at;
    struct instant expires_at;
};

/*
 * Makes a new voucher by a rule, for an order (owner, order and customer are filled in already):
 * active, version 1, issued `now`.
 */
void voucher_begin(struct voucher *voucher, const struct voucher_rule *rule,
                   struct voucher_code code, struct instant now);

/*
 * Moves a voucher to another status: version + 1, updated `now`. `event` is the type of the event
 * that announces it, NULL (and nothing changes) when it is there already. ERROR_CONFLICT
 * "illegal_transition" with the members `from`, `to` and `allowed`.
 */
MUST_CHECK bool voucher_move(struct voucher *voucher, enum voucher_status to, struct instant now,
                             const char **event, struct error *err);

#endif
