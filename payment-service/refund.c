#include "payment-service/refund.h"

const char *const refund_status_words[REFUND_STATUS_COUNT] = {
    [REFUND_PENDING] = "pending",
    [REFUND_SUCCEEDED] = "succeeded",
    [REFUND_FAILED] = "failed",
};

static const char *const status_events[REFUND_STATUS_COUNT] = {
    [REFUND_PENDING] = "refund.created",
    [REFUND_SUCCEEDED] = "refund.succeeded",
    [REFUND_FAILED] = "refund.failed",
};

static const struct refund_transition {
    enum refund_status from, to;
} transitions[] = {
    { REFUND_PENDING, REFUND_SUCCEEDED },
    { REFUND_PENDING, REFUND_FAILED },
    { REFUND_SUCCEEDED, REFUND_FAILED },
};

static bool may_move(enum refund_status from, enum refund_status to)
{
    for (size_t i = 0; i < COUNT_OF(transitions); i++)
        if (transitions[i].from == from && transitions[i].to == to)
            return true;
    return false;
}

void refund_begin(struct refund *refund, const struct payment *payment, struct id id,
                  struct instant now)
{
    refund->stream = payment->stream;
    refund->id = id;
    text_copy(refund->merchant, sizeof(refund->merchant), payment->merchant);
    refund->version = 1;
    refund->payment_id = payment->id;
    refund->has_order = payment->has_order;
    refund->order_id = payment->order_id;
    refund->status = REFUND_PENDING;
    refund->money.currency = payment->money.currency;
    refund->failure_code[0] = '\0';
    refund->created_at = now;
    refund->updated_at = now;
}

const char *refund_move(struct refund *refund, enum refund_status to, const char *failure_code,
                        struct instant now)
{
    if (!may_move(refund->status, to))
        return NULL;
    refund->status = to;
    text_copy(refund->failure_code, sizeof(refund->failure_code), failure_code);
    refund->version++;
    refund->updated_at = now;
    return status_events[to];
}

const char *refund_status_event(enum refund_status status)
{
    return status_events[status];
}
