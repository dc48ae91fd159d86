#include "voucher-service/voucher.h"

const char *const voucher_status_words[VOUCHER_STATUS_COUNT] = {
    [VOUCHER_ACTIVE] = "active",   [VOUCHER_RESERVED] = "reserved", [VOUCHER_REDEEMED] = "redeemed",
    [VOUCHER_EXPIRED] = "expired", [VOUCHER_VOIDED] = "voided",
};

/* Every move a voucher may make, and what it is called. What is not here is refused. */
static const struct voucher_transition {
    enum voucher_status from, to;
    const char *event;
} transitions[] = {
    { VOUCHER_ACTIVE, VOUCHER_RESERVED, "voucher.reserved" },
    { VOUCHER_ACTIVE, VOUCHER_REDEEMED, "voucher.redeemed" },
    { VOUCHER_ACTIVE, VOUCHER_EXPIRED, "voucher.expired" },
    { VOUCHER_ACTIVE, VOUCHER_VOIDED, "voucher.voided" },
    { VOUCHER_RESERVED, VOUCHER_REDEEMED, "voucher.redeemed" },
    { VOUCHER_RESERVED, VOUCHER_ACTIVE, "voucher.released" },
    { VOUCHER_REDEEMED, VOUCHER_ACTIVE, "voucher.rolled_back" },
    { VOUCHER_REDEEMED, VOUCHER_EXPIRED, "voucher.expired" }, /* rolled back when it was over */
};

void voucher_begin(struct voucher *voucher, const struct voucher_rule *rule,
                   struct voucher_code code, struct instant now)
{
    voucher->version = 1;
    voucher->status = VOUCHER_ACTIVE;
    voucher->code = code;
    voucher->value = (struct money){ rule->value_amount, rule->currency };
    voucher->rule_id = rule->id;
    voucher->created_at = now;
    voucher->updated_at = now;
    voucher->expires_at = voucher_rule_expiry(rule, now);
}

static const struct voucher_transition *find(enum voucher_status from, enum voucher_status to)
{
    for (size_t i = 0; i < COUNT_OF(transitions); i++)
        if (transitions[i].from == from && transitions[i].to == to)
            return &transitions[i];
    return NULL;
}

static bool refuse_move(const struct voucher *voucher, enum voucher_status to, struct error *err)
{
    const char *from_word = voucher_status_words[voucher->status];
    char allowed[128] = "";

    for (enum voucher_status each = 0; each < VOUCHER_STATUS_COUNT; each++) {
        size_t length = strlen(allowed);
        if (find(voucher->status, each))
            text_format(allowed + length, sizeof(allowed) - length, "%s\"%s\"",
                        length == 0 ? "" : ",", voucher_status_words[each]);
    }
    error_set(err, ERROR_CONFLICT, "illegal_transition", "A voucher that is %s can not become %s.",
              from_word, voucher_status_words[to]);
    text_format(err->extra, sizeof(err->extra), "\"from\":\"%s\",\"to\":\"%s\",\"allowed\":[%s]",
                from_word, voucher_status_words[to], allowed);
    return false;
}

bool voucher_move(struct voucher *voucher, enum voucher_status to, struct instant now,
                  const char **event, struct error *err)
{
    *event = NULL;
    if (to == voucher->status)
        return true;

    const struct voucher_transition *transition = find(voucher->status, to);
    if (!transition)
        return refuse_move(voucher, to, err);
    voucher->status = to;
    voucher->version++;
    voucher->updated_at = now;
    *event = transition->event;
    return true;
}
