#include "order-service/order.h"
#include "tests/unit/table.h"

static const struct instant then = { 1700000000000 };
static const struct instant now = { 1700000005000 };

/*
 * The design's table once more, written the other way round and without looking at the code: one
 * line per status an order is in, one column per status asked for, both in the enum's order.
 * P prepaid may, I invoice may, b both may, = it is there already, . nobody may.
 */
static const char *const design[ORDER_STATUS_COUNT] = {
    "=bI..bP", /* pending */
    ".=b..b.", /* paid */
    "..=bb..", /* sent */
    "...=b..", /* delivered */
    "....=..", /* returned */
    ".....=.", /* canceled */
    "......=", /* expired */
};

static bool is_designed(enum order_status from, enum order_status to, enum order_terms terms)
{
    char cell = design[from][to];

    return cell == 'b' || cell == (terms == ORDER_PREPAID ? 'P' : 'I');
}

static struct order order_at(enum order_status status, enum order_terms terms)
{
    return (struct order){ .status = status,
                           .terms = terms,
                           .version = 7,
                           .payment_status = ORDER_PAYMENT_UNPAID,
                           .total_amount = 13700,
                           .amount_due = 13700,
                           .currency = EUR,
                           .updated_at = then,
                           .expires_at = { 1700000009000 } };
}

static void check_pair(enum order_status from, enum order_status to, enum order_terms terms)
{
    struct order before = order_at(from, terms), order = before;
    struct error err;
    bool moved = false;
    bool allowed = order_move(&order, to, now, &moved, &err);

    if (from == to) {
        assert_true(allowed && !moved);
        assert_memory_equal(&order, &before, sizeof(order));
    } else if (is_designed(from, to, terms)) {
        assert_true(allowed && moved);
        assert_int_equal(order.status, to);
        assert_int_equal(order.version, 8);
        assert_int_equal(order.updated_at.ms, now.ms);
    } else {
        assert_false(allowed);
        assert_int_equal(err.kind, ERROR_CONFLICT);
        assert_string_equal(err.code, "illegal_transition");
        assert_memory_equal(&order, &before, sizeof(order));
    }
}

static void every_pair_of_states_moves_as_the_design_says(void **state)
{
    (void)state;
    for (enum order_terms terms = 0; terms < ORDER_TERMS_COUNT; terms++)
        for (enum order_status from = 0; from < ORDER_STATUS_COUNT; from++)
            for (enum order_status to = 0; to < ORDER_STATUS_COUNT; to++)
                check_pair(from, to, terms);
}

static const struct refusal_row {
    const char *label;
    enum order_status from, to;
    enum order_terms terms;
    const char *extra;
} refusal_rows[] = {
    { "a prepaid order is not sent before it is paid", ORDER_PENDING, ORDER_SENT, ORDER_PREPAID,
      "\"from\":\"pending\",\"to\":\"sent\",\"allowed\":[\"canceled\"]" },
    { "an invoice order is not delivered before it is sent", ORDER_PENDING, ORDER_DELIVERED,
      ORDER_INVOICE,
      "\"from\":\"pending\",\"to\":\"delivered\",\"allowed\":[\"sent\",\"canceled\"]" },
    { "a sent order is not canceled", ORDER_SENT, ORDER_CANCELED, ORDER_PREPAID,
      "\"from\":\"sent\",\"to\":\"canceled\",\"allowed\":[\"delivered\",\"returned\"]" },
    { "a returned order stays", ORDER_RETURNED, ORDER_SENT, ORDER_PREPAID,
      "\"from\":\"returned\",\"to\":\"sent\",\"allowed\":[]" },
};

static void check_refusal(void **state)
{
    const struct refusal_row *row = *state;
    struct order order = order_at(row->from, row->terms);
    struct error err;
    bool moved;

    assert_false(order_move(&order, row->to, now, &moved, &err));
    assert_string_equal(err.extra, row->extra);
}

static const struct expiry_row {
    const char *label;
    enum order_status to;
    int64_t expires_at_ms;
} expiry_rows[] = {
    { "a paid order does not expire any more", ORDER_PAID, 0 },
    { "a canceled order does not expire any more", ORDER_CANCELED, 0 },
    { "an expired order tells when its time was over", ORDER_EXPIRED, 1700000009000 },
};

static void check_expiry(void **state)
{
    const struct expiry_row *row = *state;
    struct order order = order_at(ORDER_PENDING, ORDER_PREPAID);
    struct error err;
    bool moved;

    assert_true(order_move(&order, row->to, now, &moved, &err));
    assert_int_equal(order.expires_at.ms, row->expires_at_ms);
}

static void an_invoice_order_that_is_sent_stays_unpaid(void **state)
{
    struct order order = order_at(ORDER_PENDING, ORDER_INVOICE);
    struct error err;
    bool moved;

    (void)state;
    assert_true(order_move(&order, ORDER_SENT, now, &moved, &err));
    assert_int_equal(order.payment_status, ORDER_PAYMENT_UNPAID);
}

static const struct begin_row {
    const char *label;
    enum order_terms terms;
    int64_t due;
    enum order_payment_status payment_status;
    int64_t expires_at_ms;
    bool settled;
} begin_rows[] = {
    { "a prepaid order is unpaid and expires", ORDER_PREPAID, 1, ORDER_PAYMENT_UNPAID,
      1700000065000, false },
    { "an invoice order is unpaid and does not expire", ORDER_INVOICE, 1, ORDER_PAYMENT_UNPAID, 0,
      false },
    { "a prepaid order of nothing is settled at once", ORDER_PREPAID, 0, ORDER_PAYMENT_PAID,
      1700000065000, true },
    { "an invoice order of nothing is paid, and waits to be sent", ORDER_INVOICE, 0,
      ORDER_PAYMENT_PAID, 0, false },
};

static void check_begin(void **state)
{
    const struct begin_row *row = *state;
    struct order order = { .terms = row->terms, .total_amount = 1, .amount_due = row->due };

    order_begin(&order, id_floor(now), now, 60000);
    assert_true(id_equal(order.id, id_floor(now)));
    assert_int_equal(order.version, 1);
    assert_int_equal(order.status, ORDER_PENDING);
    assert_int_equal(order.payment_status, row->payment_status);
    assert_int_equal(order.created_at.ms, now.ms);
    assert_int_equal(order.updated_at.ms, now.ms);
    assert_int_equal(order.expires_at.ms, row->expires_at_ms);
    assert_int_equal(order_is_settled(&order), row->settled);
}

static const struct total_row {
    const char *label;
    int64_t total, quantity, unit_amount;
    bool fits;
    int64_t sum;
} total_rows[] = {
    { "a free line adds nothing", 5, 10000, 0, true, 5 },
    { "one line adds quantity times unit amount", 0, 3, 4567, true, 13701 },
    { "the dearest line alone is too much", 0, ORDER_QUANTITY_MAX, ORDER_UNIT_AMOUNT_MAX, false,
      0 },
    { "a total may reach its bound", ORDER_TOTAL_MAX - 1, 1, 1, true, ORDER_TOTAL_MAX },
    { "a total may not pass its bound", ORDER_TOTAL_MAX, 1, 1, false, 0 },
    { "a product beyond 64 bits is refused", 0, INT64_MAX, 2, false, 0 },
    { "a sum beyond 64 bits is refused", INT64_MAX, 1, 1, false, 0 },
};

static void check_total(void **state)
{
    const struct total_row *row = *state;
    int64_t total = row->total;

    assert_int_equal(order_total_add(&total, row->quantity, row->unit_amount), row->fits);
    assert_int_equal(total, row->fits ? row->sum : row->total);
}

static const struct voucher_row {
    const char *label;
    int64_t total, value, due, discount, forfeited;
} voucher_rows[] = {
    { "a voucher is deducted", 13700, 500, 13200, 500, 0 },
    { "a voucher of the whole total leaves nothing due", 500, 500, 0, 500, 0 },
    { "what a voucher is worth beyond the total is forfeited", 499, 500, 0, 499, 1 },
    { "of an order of nothing a voucher is forfeited whole", 0, 500, 0, 0, 500 },
    { "the greatest amounts are deducted", ORDER_TOTAL_MAX, ORDER_TOTAL_MAX, 0, ORDER_TOTAL_MAX,
      0 },
};

static void check_voucher(void **state)
{
    const struct voucher_row *row = *state;
    struct order order = { .total_amount = row->total, .amount_due = row->total };

    order_deduct(&order, &(struct order_voucher){ .value_amount = row->value });
    assert_true(order.voucher.used);
    assert_int_equal(order.total_amount, row->total);
    assert_int_equal(order.amount_due, row->due);
    assert_int_equal(order.voucher.discount_amount, row->discount);
    assert_int_equal(order.voucher.forfeited_amount, row->forfeited);
}

static void a_touch_is_one_version_and_nothing_else(void **state)
{
    struct order order = order_at(ORDER_PAID, ORDER_PREPAID);

    (void)state;
    order_touch(&order, now);
    assert_int_equal(order.version, 8);
    assert_int_equal(order.status, ORDER_PAID);
    assert_int_equal(order.updated_at.ms, now.ms);
    assert_int_equal(order.expires_at.ms, 1700000009000);
}

static void each_status_has_a_word_and_an_event_of_its_own(void **state)
{
    (void)state;
    for (enum order_status status = 0; status < ORDER_STATUS_COUNT; status++) {
        char expected[32];

        text_format(expected, sizeof(expected), "order.%s",
                    status == ORDER_PENDING ? "created" : order_status_words[status]);
        assert_string_equal(order_status_event(status), expected);
    }
}

static void clients_may_ask_for_four_states(void **state)
{
    (void)state;
    for (enum order_status status = 0; status < ORDER_STATUS_COUNT; status++)
        assert_int_equal(order_status_is_requestable(status),
                         status == ORDER_SENT || status == ORDER_DELIVERED ||
                             status == ORDER_RETURNED || status == ORDER_CANCELED);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, every_pair_of_states_moves_as_the_design_says);
    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD_ROWS(&table, expiry_rows, check_expiry);
    TABLE_ADD(&table, an_invoice_order_that_is_sent_stays_unpaid);
    TABLE_ADD_ROWS(&table, begin_rows, check_begin);
    TABLE_ADD_ROWS(&table, total_rows, check_total);
    TABLE_ADD_ROWS(&table, voucher_rows, check_voucher);
    TABLE_ADD(&table, a_touch_is_one_version_and_nothing_else);
    TABLE_ADD(&table, each_status_has_a_word_and_an_event_of_its_own);
    TABLE_ADD(&table, clients_may_ask_for_four_states);
    return table_run(&table);
}
