#include "order-service/order.h"

const char *const order_status_words[ORDER_STATUS_COUNT] = {
    [ORDER_PENDING] = "pending",     [ORDER_PAID] = "paid",         [ORDER_SENT] = "sent",
    [ORDER_DELIVERED] = "delivered", [ORDER_RETURNED] = "returned", [ORDER_CANCELED] = "canceled",
    [ORDER_EXPIRED] = "expired",
};

const char *const order_payment_status_words[ORDER_PAYMENT_STATUS_COUNT] = {
    [ORDER_PAYMENT_UNPAID] = "unpaid",
    [ORDER_PAYMENT_PARTIALLY_PAID] = "partially_paid",
    [ORDER_PAYMENT_AUTHORIZED] = "authorized",
    [ORDER_PAYMENT_PAID] = "paid",
    [ORDER_PAYMENT_PARTIALLY_REFUNDED] = "partially_refunded",
    [ORDER_PAYMENT_REFUNDED] = "refunded",
};

const char *const order_terms_words[ORDER_TERMS_COUNT] = {
    [ORDER_PREPAID] = "prepaid",
    [ORDER_INVOICE] = "invoice",
};

static const char *const status_events[ORDER_STATUS_COUNT] = {
    [ORDER_PENDING] = "order.created",   [ORDER_PAID] = "order.paid",
    [ORDER_SENT] = "order.sent",         [ORDER_DELIVERED] = "order.delivered",
    [ORDER_RETURNED] = "order.returned", [ORDER_CANCELED] = "order.canceled",
    [ORDER_EXPIRED] = "order.expired",
};

/* Which orders a transition is for. */
enum { PREPAID = 1 << ORDER_PREPAID, INVOICE = 1 << ORDER_INVOICE, ALL = PREPAID | INVOICE };

/* Every move an order may make. What is not here is refused; the exhaustive test tries the rest. */
static const struct order_transition {
    enum order_status from, to;
    unsigned terms;
} transitions[] = {
    { ORDER_PENDING, ORDER_PAID, ALL },
    { ORDER_PENDING, ORDER_SENT, INVOICE }, /* sent first, paid by invoice */
    { ORDER_PENDING, ORDER_CANCELED, ALL },
    { ORDER_PENDING, ORDER_EXPIRED, PREPAID },
    { ORDER_PAID, ORDER_SENT, ALL },
    { ORDER_PAID, ORDER_CANCELED, ALL },
    { ORDER_SENT, ORDER_DELIVERED, ALL },
    { ORDER_SENT, ORDER_RETURNED, ALL },
    { ORDER_DELIVERED, ORDER_RETURNED, ALL },
};

bool order_total_add(int64_t *total, int64_t quantity, int64_t unit_amount)
{
    int64_t amount, sum;

    if (!amount_multiply(quantity, unit_amount, &amount) || !amount_add(*total, amount, &sum) ||
        sum > ORDER_TOTAL_MAX)
        return false;
    *total = sum;
    return true;
}

void order_deduct(struct order *order, const struct order_voucher *voucher)
{
    int64_t total = order->total_amount, value = voucher->value_amount;
    int64_t discount = value < total ? value : total;

    assert(value > 0 && order->amount_due == total);
    order->voucher = *voucher;
    order->voucher.used = true;
    order->voucher.discount_amount = discount;
    order->voucher.forfeited_amount = value - discount;
    order->amount_due = total - discount;
}

void order_begin(struct order *order, struct id id, struct instant now, int64_t expiry_ms)
{
    assert(order->amount_due >= 0 && order->amount_due <= order->total_amount);

    order->id = id;
    order->version = 1;
    order->status = ORDER_PENDING;
    order->payment_status = order->amount_due == 0 ? ORDER_PAYMENT_PAID : ORDER_PAYMENT_UNPAID;
    order->created_at = now;
    order->updated_at = now;
    order->expires_at = (struct instant){ 0 };
    if (order->terms == ORDER_PREPAID)
        order->expires_at = instant_add_ms(now, expiry_ms);
}

bool order_is_settled(const struct order *order)
{
    return order->status == ORDER_PENDING && order->terms == ORDER_PREPAID &&
           order->amount_due == 0;
}

static bool may_move(const struct order *order, enum order_status to)
{
    for (size_t i = 0; i < COUNT_OF(transitions); i++)
        if (transitions[i].from == order->status && transitions[i].to == to)
            return transitions[i].terms & 1U << order->terms;
    return false;
}

/* Appends the words of what a client may ask for, quoted, to `out`. */
static void list_allowed(const struct order *order, char *out, size_t size)
{
    size_t length = 0;

    out[0] = '\0';
    for (enum order_status to = 0; to < ORDER_STATUS_COUNT; to++) {
        if (!order_status_is_requestable(to) || !may_move(order, to))
            continue;
        text_format(out + length, size - length, "%s\"%s\"", length == 0 ? "" : ",",
                    order_status_words[to]);
        length = strlen(out);
    }
}

static bool refuse_move(const struct order *order, enum order_status to, struct error *err)
{
    const char *from_word = order_status_words[order->status];
    const char *to_word = order_status_words[to];
    char allowed[128];

    error_set(err, ERROR_CONFLICT, "illegal_transition", "An order that is %s can not become %s%s.",
              from_word, to_word,
              order->status == ORDER_PENDING && to == ORDER_SENT ? " before it is paid" : "");
    list_allowed(order, allowed, sizeof(allowed));
    text_format(err->extra, sizeof(err->extra), "\"from\":\"%s\",\"to\":\"%s\",\"allowed\":[%s]",
                from_word, to_word, allowed);
    return false;
}

bool order_move(struct order *order, enum order_status to, struct instant now, bool *moved,
                struct error *err)
{
    if (to == order->status) {
        *moved = false;
        return true;
    }
    if (!may_move(order, to))
        return refuse_move(order, to, err);

    order->status = to;
    if (to != ORDER_EXPIRED) /* which keeps the moment that ended it */
        order->expires_at = (struct instant){ 0 };
    order_touch(order, now);
    *moved = true;
    return true;
}

void order_touch(struct order *order, struct instant now)
{
    order->version++;
    order->updated_at = now;
}

bool order_status_is_requestable(enum order_status status)
{
    return status != ORDER_PENDING && status != ORDER_PAID && status != ORDER_EXPIRED;
}

const char *order_status_event(enum order_status status)
{
    return status_events[status];
}
