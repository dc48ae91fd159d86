#include "order-service/order_payment.h"
#include "tests/unit/table.h"

static const struct instant then = { 1700000000000 };
static const struct instant now = { 1700000005000 };

static struct order order_of(int64_t due)
{
    return (struct order){ .status = ORDER_PENDING,
                           .terms = ORDER_PREPAID,
                           .version = 3,
                           .payment_status = due == 0 ? ORDER_PAYMENT_PAID : ORDER_PAYMENT_UNPAID,
                           .merchant = "demo",
                           .currency = EUR,
                           .total_amount = due,
                           .amount_due = due,
                           .updated_at = then,
                           .expires_at = { 1700000009000 } };
}

/* --- what a payment counts for ---------------------------------------------------------------- */

static const struct sum_row {
    const char *label;
    struct order_payment payment;
    struct order_payments sums;
} sum_rows[] = {
    { "a payment under way counts for nothing", { .status = PAYMENT_PROCESSING }, { false, 0, 0 } },
    { "one that waits for the customer counts for nothing",
      { .status = PAYMENT_REQUIRES_ACTION },
      { false, 0, 0 } },
    { "an authorized one is a promise", { .status = PAYMENT_AUTHORIZED }, { true, 0, 0 } },
    { "of a succeeded one the captured part counts",
      { .status = PAYMENT_SUCCEEDED, .amount = 100, .amount_captured = 60 },
      { false, 60, 0 } },
    { "what was given back counts too",
      { .status = PAYMENT_SUCCEEDED, .amount = 100, .amount_captured = 60, .amount_refunded = 20 },
      { false, 60, 20 } },
    { "a failed one counts for nothing",
      { .status = PAYMENT_FAILED, .amount = 100 },
      { false, 0, 0 } },
    { "a canceled one counts for nothing",
      { .status = PAYMENT_CANCELED, .amount = 100 },
      { false, 0, 0 } },
    { "an expired one counts for nothing",
      { .status = PAYMENT_EXPIRED, .amount = 100 },
      { false, 0, 0 } },
    { "only what succeeded counts as captured",
      { .status = PAYMENT_EXPIRED, .amount = 100, .amount_captured = 100 },
      { false, 0, 0 } },
    { "an orphan that succeeded counts for nothing",
      { .status = PAYMENT_SUCCEEDED, .amount_captured = 100, .orphaned = true },
      { false, 0, 0 } },
    { "an orphan that was given back counts for nothing",
      { .status = PAYMENT_SUCCEEDED,
        .amount_captured = 100,
        .amount_refunded = 100,
        .orphaned = true },
      { false, 0, 0 } },
    { "an orphan that is authorized is no promise",
      { .status = PAYMENT_AUTHORIZED, .orphaned = true },
      { false, 0, 0 } },
};

static void check_sum(void **state)
{
    const struct sum_row *row = *state;
    struct order_payments sums = { .authorized = false };

    order_payments_add(&sums, &row->payment);
    assert_int_equal(sums.authorized, row->sums.authorized);
    assert_int_equal(sums.captured, row->sums.captured);
    assert_int_equal(sums.refunded, row->sums.refunded);
}

static void payments_add_up(void **state)
{
    const struct order_payment some[] = {
        { .status = PAYMENT_SUCCEEDED, .amount_captured = 30 },
        { .status = PAYMENT_AUTHORIZED },
        { .status = PAYMENT_SUCCEEDED, .amount_captured = 70, .amount_refunded = 5 },
        { .status = PAYMENT_FAILED },
        { .status = PAYMENT_SUCCEEDED, .amount_captured = 7, .amount_refunded = 7 },
    };
    struct order_payments sums = { .authorized = false };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(some); i++)
        order_payments_add(&sums, &some[i]);
    assert_true(sums.authorized);
    assert_int_equal(sums.captured, 107);
    assert_int_equal(sums.refunded, 12);
}

static void sums_end_where_numbers_do(void **state)
{
    const struct order_payment much = { .status = PAYMENT_SUCCEEDED,
                                        .amount_captured = INT64_MAX - 1,
                                        .amount_refunded = INT64_MAX };
    struct order_payments sums = { .authorized = false };
    struct order order = order_of(ORDER_TOTAL_MAX);

    (void)state;
    for (int i = 0; i < 3; i++)
        order_payments_add(&sums, &much);
    assert_int_equal(sums.captured, INT64_MAX);
    assert_int_equal(sums.refunded, INT64_MAX);
    assert_int_equal(order_payment_status(&order, &sums), ORDER_PAYMENT_REFUNDED);
}

/* --- what an order's payment status is -------------------------------------------------------- */

static const struct status_row {
    const char *label;
    int64_t due;
    struct order_payments sums;
    enum order_payment_status status;
} status_rows[] = {
    { "nobody has paid", 100, { false, 0, 0 }, ORDER_PAYMENT_UNPAID },
    { "nothing is due and nobody has paid", 0, { false, 0, 0 }, ORDER_PAYMENT_PAID },
    { "nothing is due and a promise is not needed", 0, { true, 0, 0 }, ORDER_PAYMENT_PAID },
    { "nothing is due and somebody pays all the same", 0, { false, 5, 0 }, ORDER_PAYMENT_PAID },
    { "nothing is due and what was paid went back", 0, { false, 5, 5 }, ORDER_PAYMENT_REFUNDED },
    { "nothing is due and some of it went back",
      0,
      { false, 5, 4 },
      ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "a bank has promised it", 100, { true, 0, 0 }, ORDER_PAYMENT_AUTHORIZED },
    { "one cent is paid", 100, { false, 1, 0 }, ORDER_PAYMENT_PARTIALLY_PAID },
    { "a part is paid and the rest is promised",
      100,
      { true, 60, 0 },
      ORDER_PAYMENT_PARTIALLY_PAID },
    { "all but one cent is paid", 100, { false, 99, 0 }, ORDER_PAYMENT_PARTIALLY_PAID },
    { "exactly what is due is paid", 100, { false, 100, 0 }, ORDER_PAYMENT_PAID },
    { "more than is due is paid", 100, { false, 101, 0 }, ORDER_PAYMENT_PAID },
    { "all is paid and another bank promises more", 100, { true, 100, 0 }, ORDER_PAYMENT_PAID },
    { "one cent went back", 100, { false, 100, 1 }, ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "all but one cent went back", 100, { false, 100, 99 }, ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "all went back", 100, { false, 100, 100 }, ORDER_PAYMENT_REFUNDED },
    { "more went back than was paid", 100, { false, 100, 101 }, ORDER_PAYMENT_REFUNDED },
    { "a part was paid, and some of it went back",
      100,
      { false, 60, 10 },
      ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "a part was paid, and all of it went back", 100, { false, 60, 60 }, ORDER_PAYMENT_REFUNDED },
    { "all went back, and a bank promises anew", 100, { true, 100, 100 }, ORDER_PAYMENT_REFUNDED },
    { "something went back that was never paid",
      100,
      { false, 0, 5 },
      ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "the largest order is paid",
      ORDER_TOTAL_MAX,
      { false, ORDER_TOTAL_MAX, 0 },
      ORDER_PAYMENT_PAID },
};

static void check_status(void **state)
{
    const struct status_row *row = *state;
    struct order order = order_of(row->due);

    assert_int_equal(order_payment_status(&order, &row->sums), row->status);
}

/* --- what becomes of the order ---------------------------------------------------------------- */

static const struct pay_row {
    const char *label;
    enum order_status from;
    enum order_terms terms;
    enum order_payment_status before;
    struct order_payments sums;
    enum order_status to;
    enum order_payment_status after;
} pay_rows[] = {
    { "a pending order that is paid in full is paid",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_UNPAID,
      { false, 100, 0 },
      ORDER_PAID,
      ORDER_PAYMENT_PAID },
    { "so is one whose payment was authorized before",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_AUTHORIZED,
      { false, 100, 0 },
      ORDER_PAID,
      ORDER_PAYMENT_PAID },
    { "so is an invoice order that is paid before it is sent",
      ORDER_PENDING,
      ORDER_INVOICE,
      ORDER_PAYMENT_UNPAID,
      { false, 100, 0 },
      ORDER_PAID,
      ORDER_PAYMENT_PAID },
    { "a part is not enough",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_UNPAID,
      { false, 99, 0 },
      ORDER_PENDING,
      ORDER_PAYMENT_PARTIALLY_PAID },
    { "a promise is not enough",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_UNPAID,
      { true, 0, 0 },
      ORDER_PENDING,
      ORDER_PAYMENT_AUTHORIZED },
    { "a promise may be taken back",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_AUTHORIZED,
      { false, 0, 0 },
      ORDER_PENDING,
      ORDER_PAYMENT_UNPAID },
    { "a pending order that was covered is paid, though a part went back by then",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_PARTIALLY_PAID,
      { false, 100, 50 },
      ORDER_PAID,
      ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "so is one of which a part went back before the rest was paid",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_PARTIALLY_REFUNDED,
      { false, 100, 10 },
      ORDER_PAID,
      ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "one that was given back in full is not",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_PARTIALLY_PAID,
      { false, 100, 100 },
      ORDER_PENDING,
      ORDER_PAYMENT_REFUNDED },
    { "nor one of which a part was paid and a part of that went back",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_PARTIALLY_PAID,
      { false, 60, 10 },
      ORDER_PENDING,
      ORDER_PAYMENT_PARTIALLY_REFUNDED },
    { "a sent invoice that is paid stays sent",
      ORDER_SENT,
      ORDER_INVOICE,
      ORDER_PAYMENT_UNPAID,
      { false, 100, 0 },
      ORDER_SENT,
      ORDER_PAYMENT_PAID },
    { "a delivered one stays delivered",
      ORDER_DELIVERED,
      ORDER_INVOICE,
      ORDER_PAYMENT_UNPAID,
      { false, 100, 0 },
      ORDER_DELIVERED,
      ORDER_PAYMENT_PAID },
    { "a paid order stays paid when money goes back",
      ORDER_PAID,
      ORDER_PREPAID,
      ORDER_PAYMENT_PAID,
      { false, 100, 100 },
      ORDER_PAID,
      ORDER_PAYMENT_REFUNDED },
    { "a canceled order is refunded",
      ORDER_CANCELED,
      ORDER_PREPAID,
      ORDER_PAYMENT_PAID,
      { false, 100, 100 },
      ORDER_CANCELED,
      ORDER_PAYMENT_REFUNDED },
    { "a returned order is refunded",
      ORDER_RETURNED,
      ORDER_PREPAID,
      ORDER_PAYMENT_PAID,
      { false, 100, 100 },
      ORDER_RETURNED,
      ORDER_PAYMENT_REFUNDED },
    { "an expired order that is paid after all stays expired",
      ORDER_EXPIRED,
      ORDER_PREPAID,
      ORDER_PAYMENT_UNPAID,
      { false, 100, 0 },
      ORDER_EXPIRED,
      ORDER_PAYMENT_PAID },
    { "a refund that failed is undone",
      ORDER_PAID,
      ORDER_PREPAID,
      ORDER_PAYMENT_REFUNDED,
      { false, 100, 0 },
      ORDER_PAID,
      ORDER_PAYMENT_PAID },
    { "what is so already changes nothing",
      ORDER_PAID,
      ORDER_PREPAID,
      ORDER_PAYMENT_PAID,
      { false, 100, 0 },
      ORDER_PAID,
      ORDER_PAYMENT_PAID },
    { "a payment under way changes nothing",
      ORDER_PENDING,
      ORDER_PREPAID,
      ORDER_PAYMENT_UNPAID,
      { false, 0, 0 },
      ORDER_PENDING,
      ORDER_PAYMENT_UNPAID },
};

static void check_pay(void **state)
{
    const struct pay_row *row = *state;
    struct order order = order_of(100);
    bool moved = true;

    order.status = row->from;
    order.terms = row->terms;
    order.payment_status = row->before;
    struct order before = order;
    bool changed = order_pay(&order, &row->sums, now, &moved);

    assert_int_equal(changed, row->before != row->after || row->from != row->to);
    assert_int_equal(moved, row->from != row->to);
    assert_int_equal(order.status, row->to);
    assert_int_equal(order.payment_status, row->after);
    assert_int_equal(order.version, changed ? 4 : 3);
    assert_int_equal(order.updated_at.ms, changed ? now.ms : then.ms);
    assert_int_equal(order.expires_at.ms, moved ? 0 : before.expires_at.ms);
    if (!changed)
        assert_memory_equal(&order, &before, sizeof(order));
}

/* An invoice of nothing is paid from the start, and waits to be sent. */
static void an_invoice_of_nothing_stays_pending(void **state)
{
    struct order order = order_of(0);
    struct order_payments sums = { .authorized = false };
    bool moved;

    (void)state;
    order.terms = ORDER_INVOICE;
    assert_false(order_pay(&order, &sums, now, &moved));
    assert_int_equal(order.status, ORDER_PENDING);
    assert_int_equal(order.version, 3);
}

/* --- whether it is a payment of this order ---------------------------------------------------- */

static const struct fit_row {
    const char *label;
    const char *merchant;
    const char *currency;
    const char *code; /* NULL: it fits */
} fit_rows[] = {
    { "the merchant's own, in the order's currency", "demo", "EUR", NULL },
    { "another merchant's", "other", "EUR", "payment_of_other_merchant" },
    { "a merchant's whose name only begins alike", "demo-2", "EUR", "payment_of_other_merchant" },
    { "in another currency", "demo", "USD", "payment_currency_mismatch" },
};

static void check_fit(void **state)
{
    const struct fit_row *row = *state;
    struct order order = order_of(100);
    struct order_payment payment = { .version = 1 };
    struct error err;

    text_copy(payment.merchant, sizeof(payment.merchant), row->merchant);
    assert_true(currency_parse(row->currency, &payment.currency));
    assert_int_equal(order_payment_fits(&order, &payment, &err), row->code == NULL);
    if (row->code) {
        assert_int_equal(err.kind, ERROR_VALIDATION);
        assert_string_equal(err.code, row->code);
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, sum_rows, check_sum);
    TABLE_ADD(&table, payments_add_up);
    TABLE_ADD(&table, sums_end_where_numbers_do);
    TABLE_ADD_ROWS(&table, status_rows, check_status);
    TABLE_ADD_ROWS(&table, pay_rows, check_pay);
    TABLE_ADD(&table, an_invoice_of_nothing_stays_pending);
    TABLE_ADD_ROWS(&table, fit_rows, check_fit);
    return table_run(&table);
}
