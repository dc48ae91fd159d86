#include "voucher-service/voucher_use.h"

/* Every change that a voucher may undergo, and what it is called. What is not here is refused. */
static const struct transition {
    enum voucher_way way;
    enum voucher_status from, to;
    const char *event;
} transitions[] = {
    { VOUCHER_RESERVE, VOUCHER_ACTIVE, VOUCHER_RESERVED, "voucher.reserved" },
    { VOUCHER_RESERVE, VOUCHER_RESERVED, VOUCHER_RESERVED, "voucher.reserved" }, /* for longer */
    { VOUCHER_RELEASE, VOUCHER_RESERVED, VOUCHER_ACTIVE, "voucher.released" },
    { VOUCHER_RELEASE, VOUCHER_RESERVED, VOUCHER_EXPIRED, "voucher.expired" },
    { VOUCHER_RELEASE, VOUCHER_RESERVED, VOUCHER_VOIDED, "voucher.voided" },
    { VOUCHER_LAPSE, VOUCHER_RESERVED, VOUCHER_ACTIVE, "voucher.released" },
    { VOUCHER_LAPSE, VOUCHER_RESERVED, VOUCHER_EXPIRED, "voucher.expired" },
    { VOUCHER_LAPSE, VOUCHER_RESERVED, VOUCHER_VOIDED, "voucher.voided" },
    { VOUCHER_REDEEM, VOUCHER_ACTIVE, VOUCHER_REDEEMED, "voucher.redeemed" },
    { VOUCHER_REDEEM, VOUCHER_RESERVED, VOUCHER_REDEEMED, "voucher.redeemed" },
    { VOUCHER_ROLL_BACK, VOUCHER_REDEEMED, VOUCHER_ACTIVE, "voucher.rolled_back" },
    { VOUCHER_ROLL_BACK, VOUCHER_REDEEMED, VOUCHER_EXPIRED, "voucher.expired" },
    { VOUCHER_ROLL_BACK, VOUCHER_REDEEMED, VOUCHER_VOIDED, "voucher.voided" },
    { VOUCHER_EXPIRE, VOUCHER_ACTIVE, VOUCHER_EXPIRED, "voucher.expired" },
    { VOUCHER_VOID, VOUCHER_ACTIVE, VOUCHER_VOIDED, "voucher.voided" },
    { VOUCHER_UNDO, VOUCHER_ACTIVE, VOUCHER_VOIDED, "voucher.voided" },
};

static const struct transition *find(enum voucher_way way, enum voucher_status from,
                                     enum voucher_status to)
{
    for (size_t i = 0; i < COUNT_OF(transitions); i++)
        if (transitions[i].way == way && transitions[i].from == from && transitions[i].to == to)
            return &transitions[i];
    return NULL;
}

/* --- refusals --------------------------------------------------------------------------------- */

static bool refuse_status(const struct voucher *voucher, struct error *err)
{
    switch (voucher->status) {
    case VOUCHER_RESERVED:
        return error_set(err, ERROR_CONFLICT, "voucher_reserved",
                         "The voucher is reserved by somebody else. It may be free again later.");
    case VOUCHER_REDEEMED:
        return error_set(err, ERROR_CONFLICT, "voucher_redeemed",
                         "The voucher was redeemed already.");
    case VOUCHER_VOIDED:
        return error_set(err, ERROR_CONFLICT, "voucher_voided",
                         "The voucher is void: its order was undone, or an operator ended it.");
    case VOUCHER_ACTIVE:
    case VOUCHER_EXPIRED:
    default:
        return error_set(err, ERROR_CONFLICT, "voucher_expired", "The voucher's time is over.");
    }
}

/* What could become of it, whoever did it. */
static void list_allowed(enum voucher_status from, char *out, size_t size)
{
    size_t length = 0;

    out[0] = '\0';
    for (enum voucher_status to = 0; to < VOUCHER_STATUS_COUNT; to++) {
        bool found = false;

        for (enum voucher_way way = 0; way < VOUCHER_WAY_COUNT && to != from; way++)
            found = found || find(way, from, to);
        if (found)
            text_format(out + length, size - length, "%s\"%s\"", length == 0 ? "" : ",",
                        voucher_status_words[to]);
        length = strlen(out);
    }
}

static bool refuse_move(const struct voucher *voucher, enum voucher_status to, struct error *err)
{
    const char *from_word = voucher_status_words[voucher->status];
    char allowed[128];

    list_allowed(voucher->status, allowed, sizeof(allowed));
    error_set(err, ERROR_CONFLICT, "illegal_transition",
              "A voucher that is %s can not be made %s by hand.", from_word,
              voucher_status_words[to]);
    text_format(err->extra, sizeof(err->extra), "\"from\":\"%s\",\"to\":\"%s\",\"allowed\":[%s]",
                from_word, voucher_status_words[to], allowed);
    return false;
}

/* --- decisions -------------------------------------------------------------------------------- */

static bool is_over(const struct voucher *voucher, struct instant now)
{
    return voucher->expires_at.ms <= now.ms;
}

static bool is_held_by(const struct voucher *voucher, const char *holder)
{
    return voucher->status == VOUCHER_RESERVED && strcmp(voucher->reservation.holder, holder) == 0;
}

static bool is_for_order(const struct voucher *voucher)
{
    return voucher->status == VOUCHER_RESERVED &&
           strncmp(voucher->reservation.holder, VOUCHER_ORDER_HOLDER,
                   strlen(VOUCHER_ORDER_HOLDER)) == 0;
}

/* What a voucher becomes that is in use no longer. */
static enum voucher_status back_from_use(const struct voucher *voucher, struct instant now)
{
    if (voucher->source_undone)
        return VOUCHER_VOIDED;
    return is_over(voucher, now) ? VOUCHER_EXPIRED : VOUCHER_ACTIVE;
}

/* Free for this holder. */
static bool require_free(const struct voucher *voucher, const char *holder, struct error *err)
{
    if (voucher->status == VOUCHER_ACTIVE || is_held_by(voucher, holder))
        return true;
    return refuse_status(voucher, err);
}

static bool refuse_same_order(struct error *err)
{
    return error_set(err, ERROR_CONFLICT, "voucher_of_same_order",
                     "An order can not use the voucher that it has earned itself.");
}

/* A decision writes what the voucher is to become, which may be what it is. */
typedef bool decision(const struct voucher *voucher, const struct voucher_wish *wish,
                      struct instant now, enum voucher_status *to, struct error *err);

static bool decide_reserve(const struct voucher *voucher, const struct voucher_wish *wish,
                           struct instant now, enum voucher_status *to, struct error *err)
{
    *to = VOUCHER_RESERVED;
    if (!require_free(voucher, wish->holder, err))
        return false;
    if (is_over(voucher, now))
        return error_set(err, ERROR_CONFLICT, "voucher_expired", "The voucher's time is over.");
    if (wish->currency.code[0] != '\0' && !currency_equal(wish->currency, voucher->value.currency))
        return error_set(err, ERROR_VALIDATION, "voucher_currency_mismatch",
                         "The voucher is worth %s, and good for orders in that currency only.",
                         voucher->value.currency.code);
    return !wish->for_order || !id_equal(wish->order_id, voucher->order_id) ||
           refuse_same_order(err);
}

/*
 * Whoever holds nothing any more has nothing to give back, so that a repeat finds it done. What is
 * reserved for an order is not given back: the order may be on its way, promised the discount.
 */
static bool decide_release(const struct voucher *voucher, const struct voucher_wish *wish,
                           struct instant now, enum voucher_status *to, struct error *err)
{
    bool held = is_held_by(voucher, wish->holder);

    *to = held ? back_from_use(voucher, now) : voucher->status;
    if (!held && (voucher->status == VOUCHER_RESERVED || voucher->status == VOUCHER_REDEEMED))
        return refuse_status(voucher, err);
    if (held && is_for_order(voucher))
        return error_set(err, ERROR_CONFLICT, "voucher_reserved",
                         "The voucher is reserved for an order, which may still be made. Without "
                         "the order the reservation ends by itself.");
    return true;
}

static bool decide_lapse(const struct voucher *voucher, const struct voucher_wish *wish,
                         struct instant now, enum voucher_status *to, struct error *err)
{
    (void)wish, (void)err;
    *to = voucher->status == VOUCHER_RESERVED ? back_from_use(voucher, now) : voucher->status;
    return true;
}

static bool is_redeemed_by(const struct voucher *voucher, struct id order_id)
{
    return voucher->status == VOUCHER_REDEEMED && voucher->redemption.by_order &&
           id_equal(voucher->redemption.order_id, order_id);
}

/* A reservation for an order is the order's alone: it was promised the discount. */
static bool decide_redeem(const struct voucher *voucher, const struct voucher_wish *wish,
                          struct instant now, enum voucher_status *to, struct error *err)
{
    *to = VOUCHER_REDEEMED;
    if (wish->by_order)
        return is_redeemed_by(voucher, wish->order_id) || require_free(voucher, wish->holder, err);
    if (!require_free(voucher, wish->holder, err))
        return false;
    if (is_for_order(voucher))
        return refuse_status(voucher, err);
    if (voucher->status == VOUCHER_ACTIVE && is_over(voucher, now))
        return refuse_status(voucher, err);
    return strcmp(wish->reference, id_text(voucher->order_id).text) != 0 || refuse_same_order(err);
}

/* A redemption that is over already stays so, whoever has the voucher now. */
static bool decide_roll_back(const struct voucher *voucher, const struct voucher_wish *wish,
                             struct instant now, enum voucher_status *to, struct error *err)
{
    bool open = wish->by_order ? is_redeemed_by(voucher, wish->order_id)
                               : voucher->status == VOUCHER_REDEEMED &&
                                     id_equal(voucher->redemption.id, wish->redemption_id);

    *to = open ? back_from_use(voucher, now) : voucher->status;
    if (!open || wish->by_order || !voucher->redemption.by_order)
        return true;
    return error_set(err, ERROR_CONFLICT, "redemption_of_order",
                     "An order redeemed the voucher: cancel the order to roll it back.");
}

static bool decide_expire(const struct voucher *voucher, const struct voucher_wish *wish,
                          struct instant now, enum voucher_status *to, struct error *err)
{
    (void)wish, (void)err;
    *to = voucher->status == VOUCHER_ACTIVE && is_over(voucher, now) ? VOUCHER_EXPIRED
                                                                     : voucher->status;
    return true;
}

static bool decide_void(const struct voucher *voucher, const struct voucher_wish *wish,
                        struct instant now, enum voucher_status *to, struct error *err)
{
    (void)voucher, (void)wish, (void)now, (void)err;
    *to = VOUCHER_VOIDED;
    return true;
}

static bool decide_undo(const struct voucher *voucher, const struct voucher_wish *wish,
                        struct instant now, enum voucher_status *to, struct error *err)
{
    (void)wish, (void)now, (void)err;
    *to = voucher->status == VOUCHER_ACTIVE ? VOUCHER_VOIDED : voucher->status;
    return true;
}

static decision *const decisions[VOUCHER_WAY_COUNT] = {
    [VOUCHER_RESERVE] = decide_reserve,     [VOUCHER_RELEASE] = decide_release,
    [VOUCHER_LAPSE] = decide_lapse,         [VOUCHER_REDEEM] = decide_redeem,
    [VOUCHER_ROLL_BACK] = decide_roll_back, [VOUCHER_EXPIRE] = decide_expire,
    [VOUCHER_VOID] = decide_void,           [VOUCHER_UNDO] = decide_undo,
};

/* --- changing --------------------------------------------------------------------------------- */

/*
 * A reservation never becomes shorter: somebody may rely on it. True if it changed. What was
 * reserved by a clock that is ahead of ours lasts less long than it says, so it is reserved anew.
 */
static bool reserve(struct voucher *voucher, const struct voucher_wish *wish, struct instant now)
{
    struct voucher_reservation *reservation = &voucher->reservation;
    struct instant until = instant_add_ms(now, wish->ttl_s * 1000);
    bool shorter = voucher->status == VOUCHER_RESERVED && until.ms <= reservation->until.ms;

    if (shorter && voucher->updated_at.ms <= now.ms)
        return false;
    if (shorter)
        until = reservation->until;
    text_copy(reservation->holder, sizeof(reservation->holder), wish->holder);
    reservation->until = until;
    reservation->ttl_s = wish->ttl_s;
    return true;
}

static void redeem(struct voucher *voucher, const struct voucher_wish *wish, struct instant now)
{
    struct voucher_redemption *redemption = &voucher->redemption;

    redemption->id = wish->redemption_id;
    redemption->by_order = wish->by_order;
    redemption->order_id = wish->order_id;
    text_copy(redemption->reference, sizeof(redemption->reference),
              wish->by_order ? "" : wish->reference);
    redemption->at = now;
}

/* Writes what goes with the new status, and forgets what went with the old one. */
static bool change(struct voucher *voucher, enum voucher_status to, const struct voucher_wish *wish,
                   struct instant now)
{
    if (to == VOUCHER_RESERVED && !reserve(voucher, wish, now))
        return false;
    if (to == VOUCHER_REDEEMED)
        redeem(voucher, wish, now);
    else
        voucher->redemption = (struct voucher_redemption){ .by_order = false };
    if (to != VOUCHER_RESERVED)
        voucher->reservation = (struct voucher_reservation){ .holder = "" };
    voucher->status = to;
    voucher->version++;
    voucher->updated_at = now;
    return true;
}

bool voucher_use(struct voucher *voucher, const struct voucher_wish *wish, struct instant now,
                 const char **event, struct error *err)
{
    enum voucher_status to;

    *event = NULL;
    if (!decisions[wish->way](voucher, wish, now, &to, err))
        return false;
    if (wish->way == VOUCHER_UNDO &&
        (voucher->status == VOUCHER_RESERVED || voucher->status == VOUCHER_REDEEMED))
        voucher->source_undone = true;

    const struct transition *transition = find(wish->way, voucher->status, to);
    if (transition && change(voucher, to, wish, now))
        *event = transition->event;
    return transition || to == voucher->status || refuse_move(voucher, to, err);
}

int64_t voucher_discount(const struct voucher *voucher, int64_t total_amount)
{
    return voucher->value.amount < total_amount ? voucher->value.amount : total_amount;
}
