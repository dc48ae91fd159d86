#include "payment-service/refund.h"
#include "tests/unit/table.h"

static const struct instant now = { 1700000005000 };

static const struct move_row {
    const char *label;
    enum refund_status from, to;
    const char *event; /* NULL: it does not move */
} move_rows[] = {
    { "a pending refund succeeds", REFUND_PENDING, REFUND_SUCCEEDED, "refund.succeeded" },
    { "a pending refund fails", REFUND_PENDING, REFUND_FAILED, "refund.failed" },
    { "a pending refund stays", REFUND_PENDING, REFUND_PENDING, NULL },
    { "a refund that succeeded comes back", REFUND_SUCCEEDED, REFUND_FAILED, "refund.failed" },
    { "a refund succeeds once", REFUND_SUCCEEDED, REFUND_SUCCEEDED, NULL },
    { "a refund that succeeded is not pending again", REFUND_SUCCEEDED, REFUND_PENDING, NULL },
    { "a failed refund stays, whatever comes late", REFUND_FAILED, REFUND_SUCCEEDED, NULL },
    { "a failed refund fails once", REFUND_FAILED, REFUND_FAILED, NULL },
    { "a failed refund is not pending again", REFUND_FAILED, REFUND_PENDING, NULL },
};

static void check_move(void **state)
{
    const struct move_row *row = *state;
    struct refund refund = { .status = row->from, .version = 3 };
    const char *event = refund_move(&refund, row->to, "refund_returned", now);

    if (!row->event) {
        assert_null(event);
        assert_int_equal(refund.status, row->from);
        assert_int_equal(refund.version, 3);
        return;
    }
    assert_string_equal(event, row->event);
    assert_int_equal(refund.status, row->to);
    assert_int_equal(refund.version, 4);
    assert_string_equal(refund.failure_code, "refund_returned");
}

static void a_new_refund_is_of_its_payment(void **state)
{
    const struct payment payment = { .stream = 3,
                                     .merchant = "demo",
                                     .has_order = true,
                                     .id = { { 7 } },
                                     .order_id = { { 8 } },
                                     .money = { 10000, JPY } };
    struct refund refund = { .money = { .amount = 1 } };

    (void)state;
    refund_begin(&refund, &payment, payment.order_id, now);
    assert_int_equal(refund.stream, 3);
    assert_string_equal(refund.merchant, "demo");
    assert_true(id_equal(refund.payment_id, payment.id));
    assert_true(refund.has_order && id_equal(refund.order_id, payment.order_id));
    assert_string_equal(refund.money.currency.code, "JPY");
    assert_int_equal(refund.version, 1);
    assert_string_equal(refund_status_event(refund.status), "refund.created");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, move_rows, check_move);
    TABLE_ADD(&table, a_new_refund_is_of_its_payment);
    return table_run(&table);
}
