#include "payment-service/payment.h"

const char *const payment_status_words[PAYMENT_STATUS_COUNT] = {
    [PAYMENT_PROCESSING] = "processing", [PAYMENT_REQUIRES_ACTION] = "requires_action",
    [PAYMENT_AUTHORIZED] = "authorized", [PAYMENT_SUCCEEDED] = "succeeded",
    [PAYMENT_FAILED] = "failed",         [PAYMENT_CANCELED] = "canceled",
    [PAYMENT_EXPIRED] = "expired",
};

const char *const payment_capture_words[PAYMENT_CAPTURE_COUNT] = {
    [PAYMENT_CAPTURE_AUTOMATIC] = "automatic",
    [PAYMENT_CAPTURE_MANUAL] = "manual",
};

const char *const payment_method_words[PAYMENT_METHOD_COUNT] = {
    [PAYMENT_CARD] = "card",
    [PAYMENT_BANK_TRANSFER] = "bank_transfer",
};

const char *const payment_dispute_words[PAYMENT_DISPUTE_COUNT] = {
    [PAYMENT_DISPUTE_NONE] = "none",
    [PAYMENT_DISPUTE_OPEN] = "open",
    [PAYMENT_DISPUTE_WON] = "won",
    [PAYMENT_DISPUTE_LOST] = "lost",
};

const char *const payment_operation_words[PAYMENT_OPERATION_COUNT] = {
    [PAYMENT_IDLE] = "",
    [PAYMENT_CAPTURING] = "capture",
    [PAYMENT_CANCELING] = "cancel",
    [PAYMENT_EXPIRING] = "expire",
};

static const char *const status_events[PAYMENT_STATUS_COUNT] = {
    [PAYMENT_PROCESSING] = "payment.processing",
    [PAYMENT_REQUIRES_ACTION] = "payment.requires_action",
    [PAYMENT_AUTHORIZED] = "payment.authorized",
    [PAYMENT_SUCCEEDED] = "payment.succeeded",
    [PAYMENT_FAILED] = "payment.failed",
    [PAYMENT_CANCELED] = "payment.canceled",
    [PAYMENT_EXPIRED] = "payment.expired",
};

/* Which payments a transition is for. */
enum {
    CARD = 1 << PAYMENT_CARD,
    TRANSFER = 1 << PAYMENT_BANK_TRANSFER,
    BOTH = CARD | TRANSFER,
};

/* Every move a payment may make. What is not here never happens; the exhaustive test tries it. */
static const struct payment_transition {
    enum payment_status from, to;
    unsigned methods;
} transitions[] = {
    { PAYMENT_PROCESSING, PAYMENT_REQUIRES_ACTION, CARD },
    { PAYMENT_PROCESSING, PAYMENT_AUTHORIZED, CARD },
    { PAYMENT_PROCESSING, PAYMENT_SUCCEEDED, BOTH },
    { PAYMENT_PROCESSING, PAYMENT_FAILED, BOTH },
    { PAYMENT_PROCESSING, PAYMENT_CANCELED, TRANSFER },
    { PAYMENT_PROCESSING, PAYMENT_EXPIRED, TRANSFER },
    { PAYMENT_REQUIRES_ACTION, PAYMENT_AUTHORIZED, CARD },
    { PAYMENT_REQUIRES_ACTION, PAYMENT_SUCCEEDED, CARD },
    { PAYMENT_REQUIRES_ACTION, PAYMENT_FAILED, CARD },
    { PAYMENT_REQUIRES_ACTION, PAYMENT_CANCELED, CARD },
    { PAYMENT_REQUIRES_ACTION, PAYMENT_EXPIRED, CARD },
    { PAYMENT_AUTHORIZED, PAYMENT_SUCCEEDED, CARD },
    { PAYMENT_AUTHORIZED, PAYMENT_CANCELED, CARD },
    { PAYMENT_AUTHORIZED, PAYMENT_EXPIRED, CARD },
};

/* Where each operation leads. */
static const enum payment_status operation_goals[PAYMENT_OPERATION_COUNT] = {
    [PAYMENT_CAPTURING] = PAYMENT_SUCCEEDED,
    [PAYMENT_CANCELING] = PAYMENT_CANCELED,
    [PAYMENT_EXPIRING] = PAYMENT_EXPIRED,
};

static bool may_move(const struct payment *payment, enum payment_status to)
{
    for (size_t i = 0; i < COUNT_OF(transitions); i++)
        if (transitions[i].from == payment->status && transitions[i].to == to)
            return transitions[i].methods & 1U << payment->method;
    return false;
}

static void touch(struct payment *payment, struct instant now)
{
    payment->version++;
    payment->revision++;
    payment->updated_at = now;
}

/* Moves it; what belonged to the status before is over. */
static const char *move(struct payment *payment, enum payment_status to, struct instant now)
{
    assert(may_move(payment, to));
    payment->status = to;
    payment->expires_at = (struct instant){ 0 };
    payment->action_url[0] = '\0';
    payment->operation = PAYMENT_IDLE;
    touch(payment, now);
    return status_events[to];
}

static const char *update(struct payment *payment, struct instant now)
{
    touch(payment, now);
    return PAYMENT_UPDATED;
}

void payment_begin(struct payment *payment, struct id id, struct instant now)
{
    payment->id = id;
    payment->version = 1;
    payment->revision = 1;
    payment->status = PAYMENT_PROCESSING;
    payment->created_at = now;
    payment->updated_at = now;
    if (payment->method == PAYMENT_BANK_TRANSFER)
        payment->expires_at = instant_add_ms(now, PAYMENT_TRANSFER_MS);
}

const char *payment_status_event(enum payment_status status)
{
    return status_events[status];
}

bool payment_is_open(const struct payment *payment)
{
    return payment->status == PAYMENT_PROCESSING || payment->status == PAYMENT_REQUIRES_ACTION;
}

/* --- What the bank told about the authorization ----------------------------------------------- */

/* Money for a payment that had ended: it has to go back, whatever was decided about the payment. */
static const char *orphan(struct payment *payment, struct instant now)
{
    if (payment->orphaned)
        return NULL;
    payment->orphaned = true;
    payment->to_undo = true;
    if (payment->capture == PAYMENT_CAPTURE_AUTOMATIC)
        payment->amount_captured = payment->money.amount;
    touch(payment, now);
    return PAYMENT_ORPHANED;
}

const char *payment_authorize(struct payment *payment, bool wanted, struct instant now)
{
    bool by_hand = payment->capture == PAYMENT_CAPTURE_MANUAL;
    const char *event;

    if (payment->status == PAYMENT_AUTHORIZED || payment->status == PAYMENT_SUCCEEDED)
        return NULL;
    if (!payment_is_open(payment))
        return orphan(payment, now);
    if (!by_hand)
        payment->amount_captured = payment->money.amount;
    event = move(payment, by_hand ? PAYMENT_AUTHORIZED : PAYMENT_SUCCEEDED, now);
    if (by_hand)
        payment->expires_at = instant_add_ms(now, PAYMENT_AUTHORIZATION_MS);
    payment->orphaned = payment->to_undo = !wanted;
    return wanted ? event : PAYMENT_ORPHANED;
}

const char *payment_refuse(struct payment *payment, const struct payment_failure *failure,
                           struct instant now)
{
    if (!payment_is_open(payment))
        return NULL;
    payment->failure = *failure;
    return move(payment, PAYMENT_FAILED, now);
}

const char *payment_challenge(struct payment *payment, const char *url, struct instant now)
{
    const char *event;

    if (payment->status != PAYMENT_PROCESSING || payment->method != PAYMENT_CARD)
        return NULL;
    event = move(payment, PAYMENT_REQUIRES_ACTION, now);
    text_copy(payment->action_url, sizeof(payment->action_url), url);
    payment->expires_at = instant_add_ms(now, PAYMENT_CHALLENGE_MS);
    return event;
}

const char *payment_void_reference(struct payment *payment, struct instant now)
{
    static const struct payment_failure given_up = { .code = "bank_unavailable" };
    enum payment_operation operation = payment->operation;

    if (!payment_is_open(payment))
        return NULL;
    if (operation == PAYMENT_CANCELING || operation == PAYMENT_EXPIRING)
        return move(payment, operation_goals[operation], now);
    return payment_refuse(payment, &given_up, now);
}

/* --- Capturing, canceling, expiring ----------------------------------------------------------- */

static bool may_begin(const struct payment *payment, enum payment_operation operation)
{
    return operation == PAYMENT_CAPTURING ? payment->status == PAYMENT_AUTHORIZED
                                          : may_move(payment, operation_goals[operation]);
}

/* What a merchant may ask for, quoted, with commas. */
static const char *allowed(const struct payment *payment)
{
    if (payment->status == PAYMENT_AUTHORIZED)
        return "\"succeeded\",\"canceled\"";
    return may_begin(payment, PAYMENT_CANCELING) ? "\"canceled\"" : "";
}

static bool refuse_move(const struct payment *payment, enum payment_status to, struct error *err)
{
    const char *from_word = payment_status_words[payment->status];
    const char *to_word = payment_status_words[to];

    error_set(err, ERROR_CONFLICT, "illegal_transition",
              "A payment that is %s can not become %s this way.", from_word, to_word);
    text_format(err->extra, sizeof(err->extra), "\"from\":\"%s\",\"to\":\"%s\",\"allowed\":[%s]",
                from_word, to_word, allowed(payment));
    return false;
}

bool payment_begin_operation(struct payment *payment, enum payment_operation operation,
                             struct id id, bool *already, struct error *err)
{
    enum payment_status goal = operation_goals[operation];

    *already = operation != PAYMENT_CAPTURING && payment->status == goal;
    if (*already)
        return true;
    if (!may_begin(payment, operation))
        return refuse_move(payment, goal, err);
    if (payment->operation != PAYMENT_IDLE) {
        error_set(err, ERROR_CONFLICT, "operation_in_progress",
                  "Something else is being done with this payment. Look at it again in a moment.");
        err->retry_after_s = 1;
        return false;
    }
    payment->operation = operation;
    payment->operation_id = id;
    payment->revision++;
    return true;
}

static bool refuse_amount(struct error *err, const char *what, int64_t most)
{
    error_begin_validation(err);
    error_add_field(err, "/amount", "out_of_range", "is more than %s, which is %lld", what,
                    (long long)most);
    return false;
}

bool payment_capture_amount(const struct payment *payment, int64_t *amount, struct error *err)
{
    if (*amount == 0)
        *amount = payment->money.amount;
    return *amount <= payment->money.amount ||
           refuse_amount(err, "what was authorized", payment->money.amount);
}

bool payment_is_held(const struct payment *payment)
{
    return payment->status == PAYMENT_AUTHORIZED ||
           (payment->orphaned && payment->amount_captured == 0);
}

bool payment_begin_release(struct payment *payment, struct id id)
{
    assert(payment_is_held(payment));
    if (payment->operation != PAYMENT_IDLE)
        return false;
    payment->operation = PAYMENT_CANCELING;
    payment->operation_id = id;
    payment->revision++;
    return true;
}

const char *payment_end_operation(struct payment *payment, int64_t amount, struct instant now)
{
    enum payment_operation operation = payment->operation;

    assert(operation != PAYMENT_IDLE && amount >= 0 && amount <= payment->money.amount);
    payment->failure = (struct payment_failure){ "", "" };
    payment->to_undo = false;
    if (!may_move(payment, operation_goals[operation])) { /* an orphan's hold was released */
        payment->operation = PAYMENT_IDLE;
        payment->revision++;
        return NULL;
    }
    payment->amount_captured = amount;
    return move(payment, operation_goals[operation], now);
}

const char *payment_fail_operation(struct payment *payment, const struct payment_failure *failure,
                                   struct instant now)
{
    if (payment->operation == PAYMENT_EXPIRING) /* tried again, but not at once */
        payment->expires_at = instant_add_ms(now, PAYMENT_CHALLENGE_MS);
    payment->operation = PAYMENT_IDLE;
    payment->failure = *failure;
    return update(payment, now);
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* While the bank decides, or when the customer has the money by that, none is given back here. */
static bool is_disputed(const struct payment *payment)
{
    return payment->dispute == PAYMENT_DISPUTE_OPEN || payment->dispute == PAYMENT_DISPUTE_LOST;
}

int64_t payment_refundable(const struct payment *payment)
{
    return payment->amount_captured - payment->amount_refunded - payment->amount_refund_pending;
}

bool payment_begin_refund(struct payment *payment, int64_t *amount, struct error *err)
{
    int64_t left = payment_refundable(payment);

    if (payment->amount_captured == 0)
        return error_set(err, ERROR_CONFLICT, "payment_not_refundable",
                         "Nothing was captured for a payment that is %s.",
                         payment_status_words[payment->status]);
    if (is_disputed(payment))
        return error_set(err, ERROR_CONFLICT, "payment_disputed",
                         "The customer disputes the payment at the bank, or did with success.");
    if (left == 0)
        return error_set(err, ERROR_CONFLICT, "payment_refunded",
                         "All of the payment was given back, or is about to be.");
    if (*amount == 0)
        *amount = left;
    if (*amount > payment->amount_captured)
        return refuse_amount(err, "what was captured", payment->amount_captured);
    if (*amount > left)
        return error_set(err, ERROR_CONFLICT, "payment_refunded",
                         "Of the payment only %lld are left to give back.", (long long)left);
    payment->amount_refund_pending += *amount;
    payment->to_undo = payment->to_undo && payment_refundable(payment) > 0;
    payment->revision++;
    return true;
}

const char *payment_end_refund(struct payment *payment, int64_t amount, bool succeeded,
                               struct instant now)
{
    assert(amount <= payment->amount_refund_pending);
    payment->amount_refund_pending -= amount;
    if (!succeeded) {
        payment->revision++;
        return NULL;
    }
    payment->amount_refunded += amount;
    return update(payment, now);
}

const char *payment_return_refund(struct payment *payment, int64_t amount, struct instant now)
{
    assert(amount <= payment->amount_refunded);
    payment->amount_refunded -= amount;
    return update(payment, now);
}

const char *payment_refund_status(const struct payment *payment)
{
    if (payment->amount_refunded == 0)
        return "none";
    return payment->amount_refunded == payment->amount_captured ? "full" : "partial";
}

const char *payment_set_dispute(struct payment *payment, enum payment_dispute dispute,
                                struct instant now)
{
    /* Webhooks come late and in any order: what was decided is not open again. */
    if (payment->dispute == dispute || payment->amount_captured == 0 ||
        (dispute == PAYMENT_DISPUTE_OPEN && payment->dispute != PAYMENT_DISPUTE_NONE))
        return NULL;
    payment->dispute = dispute;
    payment->to_undo = payment->to_undo && dispute != PAYMENT_DISPUTE_LOST;
    return update(payment, now);
}

/* --- Its share of the order ------------------------------------------------------------------- */

int64_t payment_reserved(const struct payment *payment)
{
    if (payment_is_open(payment) || payment->status == PAYMENT_AUTHORIZED)
        return payment->money.amount;
    return payment_paid(payment);
}

int64_t payment_paid(const struct payment *payment)
{
    return payment->status == PAYMENT_SUCCEEDED ? payment->amount_captured : 0;
}

bool payment_is_undoable(const struct payment *payment)
{
    if (payment->operation != PAYMENT_IDLE)
        return false;
    return (payment_refundable(payment) > 0 && !is_disputed(payment)) || payment_is_held(payment) ||
           may_begin(payment, PAYMENT_CANCELING);
}
