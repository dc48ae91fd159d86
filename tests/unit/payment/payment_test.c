#include "payment-service/payment.h"
#include "tests/unit/table.h"

static const struct instant then = { 1700000000000 };
static const struct instant now = { 1700000005000 };

/* What a bank, a client or time can do to a payment. */
enum deed {
    TAKEN,      /* approved, captured at once */
    HELD,       /* approved, to be captured by hand */
    REFUSED,    /* declined */
    CHALLENGED, /* the customer has to come */
    VOIDED,     /* the reference is dead */
    CAPTURED,
    CANCELED,
    EXPIRED,
    DEED_COUNT
};

/*
 * The design's table once more, without looking at the code: one line per status, one column per
 * deed, in the enums' order. p processing, r requires_action, a authorized, s succeeded, f failed,
 * c canceled, e expired; o: it stays, and money came that nobody wants; =: nothing changes; .: it
 * is refused.
 */
static const char *const card_design[PAYMENT_STATUS_COUNT] = {
    "safrf...", /* processing */
    "saf=f.ce", /* requires_action */
    "=====sce", /* authorized */
    "=====...", /* succeeded */
    "oo===...", /* failed */
    "oo===.=.", /* canceled */
    "oo===..=", /* expired */
};
static const char *const transfer_design[PAYMENT_STATUS_COUNT] = {
    "s.f=f.ce", /* processing */
    "........", /* requires_action: a transfer never is */
    "........", /* authorized: neither */
    "=.===...", /* succeeded */
    "o.===...", /* failed */
    "o.===.=.", /* canceled */
    "o.===..=", /* expired */
};

static enum payment_status designed_status(char cell, enum payment_status from)
{
    static const char letters[] = "prasfce";
    const char *at = strchr(letters, cell);

    return at ? (enum payment_status)(at - letters) : from;
}

static struct payment payment_at(enum payment_status status, enum payment_method method,
                                 enum payment_capture capture)
{
    bool captured = status == PAYMENT_SUCCEEDED;

    return (struct payment){ .version = 7,
                             .revision = 9,
                             .status = status,
                             .method = method,
                             .capture = capture,
                             .money = { 10000, EUR },
                             .amount_captured = captured ? 10000 : 0,
                             .updated_at = then,
                             .expires_at = { 1700000009000 } };
}

/* The operation begun and ended; false when it may not begin, or is there already. */
static bool operate(struct payment *payment, enum payment_operation operation, const char **event)
{
    struct id id = { { 1 } };
    struct error err;
    bool already;

    if (!payment_begin_operation(payment, operation, id, &already, &err)) {
        assert_string_equal(err.code, "illegal_transition");
        return false;
    }
    *event = NULL;
    if (!already)
        *event = payment_end_operation(
            payment, operation == PAYMENT_CAPTURING ? payment->money.amount : 0, now);
    return true;
}

static bool do_deed(struct payment *payment, enum deed deed, const char **event)
{
    static const struct payment_failure failure = { "card_declined", "lost_card" };

    switch (deed) {
    case TAKEN:
    case HELD:
        *event = payment_authorize(payment, true, now);
        return true;
    case REFUSED:
        *event = payment_refuse(payment, &failure, now);
        return true;
    case CHALLENGED:
        *event = payment_challenge(payment, "https://bank.example/3ds", now);
        return true;
    case VOIDED:
        *event = payment_void_reference(payment, now);
        return true;
    case CAPTURED:
        return operate(payment, PAYMENT_CAPTURING, event);
    case CANCELED:
        return operate(payment, PAYMENT_CANCELING, event);
    default:
        return operate(payment, PAYMENT_EXPIRING, event);
    }
}

static void check_deed(enum payment_status from, enum payment_method method, enum deed deed)
{
    char cell = (method == PAYMENT_CARD ? card_design : transfer_design)[from][deed];
    struct payment before =
        payment_at(from, method, deed == HELD ? PAYMENT_CAPTURE_MANUAL : PAYMENT_CAPTURE_AUTOMATIC);
    struct payment payment = before;
    const char *event = NULL;
    bool allowed = do_deed(&payment, deed, &event);

    assert_int_equal(payment.status, designed_status(cell, from));
    assert_int_equal(allowed, cell != '.');
    if (cell == '.' || cell == '=') {
        assert_null(event);
        assert_memory_equal(&payment, &before, sizeof(payment));
        return;
    }
    assert_string_equal(event,
                        cell == 'o' ? PAYMENT_ORPHANED : payment_status_event(payment.status));
    assert_int_equal(payment.version, 8);
    assert_true(payment.revision > 9);
    assert_int_equal(payment.updated_at.ms, now.ms);
    assert_int_equal(payment.orphaned, cell == 'o');
}

static void every_deed_moves_a_card_payment_as_the_design_says(void **state)
{
    (void)state;
    for (enum payment_status from = 0; from < PAYMENT_STATUS_COUNT; from++)
        for (enum deed deed = 0; deed < DEED_COUNT; deed++)
            check_deed(from, PAYMENT_CARD, deed);
}

static void every_deed_moves_a_transfer_as_the_design_says(void **state)
{
    (void)state;
    for (enum payment_status from = 0; from < PAYMENT_STATUS_COUNT; from++)
        for (enum deed deed = 0; deed < DEED_COUNT; deed++)
            if (from != PAYMENT_REQUIRES_ACTION && from != PAYMENT_AUTHORIZED && deed != HELD)
                check_deed(from, PAYMENT_BANK_TRANSFER, deed);
}

/* --- money ------------------------------------------------------------------------------------ */

static const struct refund_row {
    const char *label;
    int64_t captured, refunded, pending, wanted;
    const char *code; /* NULL: it is begun */
    int64_t amount;
} refund_rows[] = {
    { "all of it", 10000, 0, 0, 0, NULL, 10000 },
    { "a cent", 10000, 0, 0, 1, NULL, 1 },
    { "what is left", 10000, 4000, 0, 0, NULL, 6000 },
    { "exactly what is left", 10000, 4000, 1000, 5000, NULL, 5000 },
    { "a cent more than is left", 10000, 4000, 1000, 5001, "payment_refunded", 0 },
    { "60 of 100 while 60 are pending", 10000, 0, 6000, 6000, "payment_refunded", 0 },
    { "a cent more than was captured", 10000, 0, 0, 10001, "validation_failed", 0 },
    { "nothing is left", 10000, 10000, 0, 0, "payment_refunded", 0 },
    { "all of it is pending", 10000, 0, 10000, 0, "payment_refunded", 0 },
    { "nothing was captured", 0, 0, 0, 0, "payment_not_refundable", 0 },
};

static void check_refund(void **state)
{
    const struct refund_row *row = *state;
    struct payment payment = payment_at(PAYMENT_SUCCEEDED, PAYMENT_CARD, 0);
    int64_t amount = row->wanted;
    struct error err = { .code = "" };

    payment.amount_captured = row->captured;
    payment.amount_refunded = row->refunded;
    payment.amount_refund_pending = row->pending;
    assert_int_equal(payment_begin_refund(&payment, &amount, &err), row->code == NULL);
    if (row->code) {
        assert_string_equal(err.code, row->code);
        assert_int_equal(payment.amount_refund_pending, row->pending);
        return;
    }
    assert_int_equal(amount, row->amount);
    assert_int_equal(payment.amount_refund_pending, row->pending + row->amount);
    assert_int_equal(payment.version, 7);
    assert_int_equal(payment.revision, 10);
}

static void a_refund_that_fails_gives_back_what_it_reserved(void **state)
{
    struct payment payment = payment_at(PAYMENT_SUCCEEDED, PAYMENT_CARD, 0);
    int64_t amount = 6000;
    struct error err;

    (void)state;
    assert_true(payment_begin_refund(&payment, &amount, &err));
    assert_null(payment_end_refund(&payment, amount, false, now));
    assert_int_equal(payment_refundable(&payment), 10000);
    assert_string_equal(payment_refund_status(&payment), "none");
}

static void a_refund_that_comes_back_can_be_made_again(void **state)
{
    struct payment payment = payment_at(PAYMENT_SUCCEEDED, PAYMENT_CARD, 0);
    int64_t amount = 0;
    struct error err;

    (void)state;
    assert_true(payment_begin_refund(&payment, &amount, &err));
    assert_string_equal(payment_end_refund(&payment, amount, true, now), PAYMENT_UPDATED);
    assert_string_equal(payment_refund_status(&payment), "full");
    assert_string_equal(payment_return_refund(&payment, amount, now), PAYMENT_UPDATED);
    assert_string_equal(payment_refund_status(&payment), "none");
    assert_int_equal(payment_refundable(&payment), 10000);
    assert_int_equal(payment.version, 9);
}

static void a_partial_refund_is_partial(void **state)
{
    struct payment payment = payment_at(PAYMENT_SUCCEEDED, PAYMENT_CARD, 0);
    int64_t amount = 1;
    struct error err;

    (void)state;
    assert_true(payment_begin_refund(&payment, &amount, &err));
    assert_non_null(payment_end_refund(&payment, amount, true, now));
    assert_string_equal(payment_refund_status(&payment), "partial");
}

static const struct capture_row {
    const char *label;
    int64_t wanted;
    bool allowed;
    int64_t amount;
} capture_rows[] = {
    { "all by default", 0, true, 10000 },
    { "a part", 6000, true, 6000 },
    { "all by name", 10000, true, 10000 },
    { "a cent more than was authorized", 10001, false, 10001 },
};

static void check_capture(void **state)
{
    const struct capture_row *row = *state;
    struct payment payment = payment_at(PAYMENT_AUTHORIZED, PAYMENT_CARD, 1);
    int64_t amount = row->wanted;
    struct error err;

    assert_int_equal(payment_capture_amount(&payment, &amount, &err), row->allowed);
    assert_int_equal(amount, row->amount);
}

static void a_partial_capture_releases_the_rest(void **state)
{
    struct payment payment = payment_at(PAYMENT_AUTHORIZED, PAYMENT_CARD, PAYMENT_CAPTURE_MANUAL);
    struct error err;
    bool already;

    (void)state;
    assert_int_equal(payment_reserved(&payment), 10000);
    assert_int_equal(payment_paid(&payment), 0);
    assert_true(payment_begin_operation(&payment, PAYMENT_CAPTURING, payment.id, &already, &err));
    assert_string_equal(payment_end_operation(&payment, 6000, now), "payment.succeeded");
    assert_int_equal(payment_reserved(&payment), 6000);
    assert_int_equal(payment_paid(&payment), 6000);
}

static void one_operation_at_a_time(void **state)
{
    struct payment payment = payment_at(PAYMENT_AUTHORIZED, PAYMENT_CARD, PAYMENT_CAPTURE_MANUAL);
    struct error err;
    bool already;

    (void)state;
    assert_true(payment_begin_operation(&payment, PAYMENT_CAPTURING, payment.id, &already, &err));
    for (enum payment_operation next = PAYMENT_CAPTURING; next < PAYMENT_OPERATION_COUNT; next++) {
        assert_false(payment_begin_operation(&payment, next, payment.id, &already, &err));
        assert_string_equal(err.code, "operation_in_progress");
    }
    assert_string_equal(payment_fail_operation(&payment, &(struct payment_failure){ "x", "" }, now),
                        PAYMENT_UPDATED);
    assert_true(payment_begin_operation(&payment, PAYMENT_CANCELING, payment.id, &already, &err));
}

/* --- what nobody wants ------------------------------------------------------------------------ */

static void money_for_an_order_that_has_ended_is_an_orphan(void **state)
{
    struct payment payment = payment_at(PAYMENT_PROCESSING, PAYMENT_CARD, 0);

    (void)state;
    assert_string_equal(payment_authorize(&payment, false, now), PAYMENT_ORPHANED);
    assert_int_equal(payment.status, PAYMENT_SUCCEEDED);
    assert_true(payment.orphaned && payment.to_undo);
    assert_true(payment_is_undoable(&payment));
    assert_int_equal(payment_refundable(&payment), 10000);
}

static void a_hold_for_nobody_is_released(void **state)
{
    struct payment payment = payment_at(PAYMENT_CANCELED, PAYMENT_CARD, PAYMENT_CAPTURE_MANUAL);
    struct id id = { { 1 } };

    (void)state;
    assert_string_equal(payment_authorize(&payment, true, now), PAYMENT_ORPHANED);
    assert_true(payment_is_held(&payment) && payment_is_undoable(&payment));
    assert_true(payment_begin_release(&payment, id));
    assert_null(payment_end_operation(&payment, 0, now));
    assert_int_equal(payment.status, PAYMENT_CANCELED);
    assert_false(payment.to_undo);
}

/* It is to be undone still, later. */
static void a_hold_that_the_bank_keeps_is_not_forgotten(void **state)
{
    struct payment payment = payment_at(PAYMENT_CANCELED, PAYMENT_CARD, PAYMENT_CAPTURE_MANUAL);
    const struct payment_failure kept = { "not_allowed", "" };
    struct id id = { { 1 } };

    (void)state;
    assert_non_null(payment_authorize(&payment, true, now));
    assert_true(payment_begin_release(&payment, id));
    assert_non_null(payment_fail_operation(&payment, &kept, now));
    assert_true(payment.to_undo);
}

/* The customer would have the money twice. */
static void nothing_is_given_back_in_a_dispute(void **state)
{
    struct payment payment = payment_at(PAYMENT_PROCESSING, PAYMENT_CARD, 0);
    int64_t amount = 0;
    struct error err;

    (void)state;
    assert_non_null(payment_authorize(&payment, false, now));
    assert_non_null(payment_set_dispute(&payment, PAYMENT_DISPUTE_OPEN, now));
    assert_false(payment_begin_refund(&payment, &amount, &err));
    assert_string_equal(err.code, "payment_disputed");
    assert_true(payment.to_undo && !payment_is_undoable(&payment));
    assert_non_null(payment_set_dispute(&payment, PAYMENT_DISPUTE_LOST, now));
    assert_false(payment.to_undo || payment_is_undoable(&payment));
    assert_non_null(payment_set_dispute(&payment, PAYMENT_DISPUTE_WON, now));
    assert_true(payment_begin_refund(&payment, &amount, &err));
}

static void an_orphan_is_made_once(void **state)
{
    struct payment payment = payment_at(PAYMENT_EXPIRED, PAYMENT_BANK_TRANSFER, 0);

    (void)state;
    assert_non_null(payment_authorize(&payment, true, now));
    assert_null(payment_authorize(&payment, true, now));
    assert_int_equal(payment.version, 8);
}

static void what_is_being_canceled_ends_canceled_when_its_reference_is_dead(void **state)
{
    struct payment payment = payment_at(PAYMENT_REQUIRES_ACTION, PAYMENT_CARD, 0);
    struct error err;
    bool already;

    (void)state;
    assert_true(payment_begin_operation(&payment, PAYMENT_EXPIRING, payment.id, &already, &err));
    assert_string_equal(payment_void_reference(&payment, now), "payment.expired");
}

static void a_dispute_that_was_decided_is_not_open_again(void **state)
{
    struct payment payment = payment_at(PAYMENT_SUCCEEDED, PAYMENT_CARD, 0);

    (void)state;
    assert_non_null(payment_set_dispute(&payment, PAYMENT_DISPUTE_OPEN, now));
    assert_null(payment_set_dispute(&payment, PAYMENT_DISPUTE_OPEN, now));
    assert_non_null(payment_set_dispute(&payment, PAYMENT_DISPUTE_WON, now));
    assert_null(payment_set_dispute(&payment, PAYMENT_DISPUTE_OPEN, now));
    assert_int_equal(payment.dispute, PAYMENT_DISPUTE_WON);
}

static const struct expiry_row {
    const char *label;
    enum payment_method method;
    int64_t expires_in_ms;
} expiry_rows[] = {
    { "a card payment does not expire while it is processing", PAYMENT_CARD, 0 },
    { "a transfer expires after seven days", PAYMENT_BANK_TRANSFER, PAYMENT_TRANSFER_MS },
};

static void check_expiry(void **state)
{
    const struct expiry_row *row = *state;
    struct payment payment = { .method = row->method };

    payment_begin(&payment, payment.id, now);
    assert_int_equal(payment.expires_at.ms, row->expires_in_ms ? now.ms + row->expires_in_ms : 0);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, every_deed_moves_a_card_payment_as_the_design_says);
    TABLE_ADD(&table, every_deed_moves_a_transfer_as_the_design_says);
    TABLE_ADD_ROWS(&table, refund_rows, check_refund);
    TABLE_ADD(&table, a_refund_that_fails_gives_back_what_it_reserved);
    TABLE_ADD(&table, a_refund_that_comes_back_can_be_made_again);
    TABLE_ADD(&table, a_partial_refund_is_partial);
    TABLE_ADD_ROWS(&table, capture_rows, check_capture);
    TABLE_ADD(&table, a_partial_capture_releases_the_rest);
    TABLE_ADD(&table, one_operation_at_a_time);
    TABLE_ADD(&table, money_for_an_order_that_has_ended_is_an_orphan);
    TABLE_ADD(&table, a_hold_for_nobody_is_released);
    TABLE_ADD(&table, an_orphan_is_made_once);
    TABLE_ADD(&table, what_is_being_canceled_ends_canceled_when_its_reference_is_dead);
    TABLE_ADD(&table, a_hold_that_the_bank_keeps_is_not_forgotten);
    TABLE_ADD(&table, nothing_is_given_back_in_a_dispute);
    TABLE_ADD(&table, a_dispute_that_was_decided_is_not_open_again);
    TABLE_ADD_ROWS(&table, expiry_rows, check_expiry);
    return table_run(&table);
}
