/*
 * Voucher: money off, earned by an order, good for one use until its time is over.
 *
 * What it is; what may be done with it is in voucher_use.h. Pure: no I/O, no clock.
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

/* A customer's id is the order's: 1 to 200 code points; so are holders and references. */
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

/* Who holds a reserved voucher. */
struct voucher_reservation {
    char holder[VOUCHER_TEXT_SIZE]; /* "" unless it is reserved */
    struct instant until;           /* what the holder was told */
    int64_t ttl_s; /* how long from now, when it was just made; 0 when it was read */
};

/* Who redeemed a voucher: an order of ours, or somebody else under a reference of their own. */
struct voucher_redemption {
    struct id id;
    bool by_order;
    struct id order_id;                /* by_order */
    char reference[VOUCHER_TEXT_SIZE]; /* else */
    struct instant at;
};

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
    struct voucher_reservation reservation; /* while it is reserved */
    struct voucher_redemption redemption;   /* while it is redeemed */
    bool source_undone; /* the order that earned it was canceled or returned while it was in use */
};

/*
 * Makes a new voucher by a rule, for an order (owner, order and customer are filled in already):
 * active, version 1, issued `now`.
 */
void voucher_begin(struct voucher *voucher, const struct voucher_rule *rule,
                   struct voucher_code code, struct instant now);

#endif
