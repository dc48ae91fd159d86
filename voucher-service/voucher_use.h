/*
 * Voucher use: what may be done with a voucher, and what becomes of it.
 *
 *     way in    from       to
 *     reserve   active     reserved
 *               reserved   reserved, for longer   by its holder
 *     release   reserved   active *               by its holder
 *     lapse     reserved   active *               when no order can come any more
 *     redeem    active     redeemed
 *               reserved   redeemed               by its holder
 *     roll back redeemed   active *
 *     expire    active     expired                when its time is over
 *     void      active     voided
 *     undo      active     voided                 the order that earned it was canceled or returned
 *
 * (*) What comes back is voided if the order that earned it was undone meanwhile, and expired if
 * its time is over.
 *
 * Each change raises the version by one and has one event. Which state may follow which is here and
 * nowhere else. Pure: no I/O, no clock.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_USE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_USE_H

#include "voucher-service/voucher.h"

enum voucher_way {
    VOUCHER_RESERVE,
    VOUCHER_RELEASE,
    VOUCHER_LAPSE,
    VOUCHER_REDEEM,
    VOUCHER_ROLL_BACK,
    VOUCHER_EXPIRE,
    VOUCHER_VOID,
    VOUCHER_UNDO,
    VOUCHER_WAY_COUNT
};

/* Seconds that a reservation holds. */
enum { VOUCHER_TTL_DEFAULT_S = 900, VOUCHER_TTL_MAX_S = 86400 };

/*
 * Reservations of holders that begin with this are made for orders: only orders redeem them, and
 * nobody releases them, so that no order on its way loses its voucher. They are redeemed, or lapse.
 */
#define VOUCHER_ORDER_HOLDER "order:"

/* What somebody wants of a voucher. What a way in does not name is not looked at. */
struct voucher_wish {
    enum voucher_way way;
    char holder[VOUCHER_TEXT_SIZE];    /* reserve, release, redeem; "" for none */
    int64_t ttl_s;                     /* reserve */
    struct currency currency;          /* reserve: of what is bought; "" for any */
    bool for_order;                    /* reserve: meant for order_id */
    bool by_order;                     /* redeem, roll back: the order log says so of order_id */
    struct id order_id;                /* for_order, by_order */
    struct id redemption_id;           /* redeem: the new one; roll back: the one that is meant */
    char reference[VOUCHER_TEXT_SIZE]; /* redeem, unless by_order */
};

/*
 * Does it, or finds it done already. `event` is the type of the event that announces the change,
 * NULL (and nothing public changes) when there is none to make. What refuses is ERROR_CONFLICT
 * "voucher_reserved", "voucher_redeemed", "voucher_expired", "voucher_voided",
 * "voucher_of_same_order", "redemption_of_order" or (void) "illegal_transition" with the members
 * `from`, `to`, `allowed`; or ERROR_VALIDATION "voucher_currency_mismatch".
 *
 * An order that the log tells of has been given its discount, so it may redeem what it once
 * reserved even if that lapsed or is over, as long as nobody else has it.
 */
MUST_CHECK bool voucher_use(struct voucher *voucher, const struct voucher_wish *wish,
                            struct instant now, const char **event, struct error *err);

/* What a voucher takes off a total, of the same currency: at most all of it. */
int64_t voucher_discount(const struct voucher *voucher, int64_t total_amount);

#endif
