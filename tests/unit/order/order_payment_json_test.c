#include "order-service/order_payment_json.h"
#include "tests/unit/table.h"

#define ID       "\"id\":\"01940000-0000-7000-8000-000000000001\""
#define ORDER_ID "\"order_id\":\"01940000-0000-7000-8000-000000000002\""
#define AMOUNTS  "\"amount\":13700,\"amount_captured\":13700,\"amount_refunded\":200"
#define REST                                                           \
    "\"merchant_id\":\"demo\",\"version\":4,\"status\":\"succeeded\"," \
    "\"currency\":\"EUR\""
#define NOT_LATE "\"orphaned\":false"

static bool read(const char *text, struct order_payment *out, struct error *err)
{
    return order_payment_read(span_of(text), out, err);
}

static void a_payment_is_read_whole(void **state)
{
    struct order_payment payment;
    struct error err;

    (void)state;
    assert_true(read("{" ID "," ORDER_ID "," AMOUNTS "," REST "," NOT_LATE "}", &payment, &err));
    assert_string_equal(id_text(payment.id).text, "01940000-0000-7000-8000-000000000001");
    assert_true(payment.of_order);
    assert_string_equal(id_text(payment.order_id).text, "01940000-0000-7000-8000-000000000002");
    assert_string_equal(payment.merchant, "demo");
    assert_int_equal(payment.version, 4);
    assert_int_equal(payment.status, PAYMENT_SUCCEEDED);
    assert_string_equal(payment.currency.code, "EUR");
    assert_int_equal(payment.amount, 13700);
    assert_int_equal(payment.amount_captured, 13700);
    assert_int_equal(payment.amount_refunded, 200);
    assert_false(payment.orphaned);
}

static const struct good_row {
    const char *label;
    const char *text;
    bool of_order, orphaned;
} good_rows[] = {
    { "a payment without an order", "{" ID "," AMOUNTS "," REST "," NOT_LATE "}", false, false },
    { "a payment whose order is null",
      "{" ID ",\"order_id\":null," AMOUNTS "," REST "," NOT_LATE "}", false, false },
    { "an orphan", "{" ID "," ORDER_ID "," AMOUNTS "," REST ",\"orphaned\":true}", true, true },
    { "members that a later version adds",
      "{" ID "," ORDER_ID "," AMOUNTS "," REST "," NOT_LATE ",\"mood\":[{}],\"failure\":null}",
      true, false },
};

static void check_good(void **state)
{
    const struct good_row *row = *state;
    struct order_payment payment;
    struct error err;

    assert_true(read(row->text, &payment, &err));
    assert_int_equal(payment.of_order, row->of_order);
    assert_int_equal(payment.orphaned, row->orphaned);
}

#define WITH(more) "{" ID "," ORDER_ID "," more "}"

static const struct bad_row {
    const char *label;
    const char *text;
    const char *pointer; /* "" where it is no object, NULL where it is no JSON */
} bad_rows[] = {
    { "no JSON", "{", NULL },
    { "no object", "[]", "" },
    { "no id", "{" ORDER_ID "," AMOUNTS "," REST "," NOT_LATE "}", "/id" },
    { "an order that is no id", "{" ID ",\"order_id\":\"17\"," AMOUNTS "," REST "," NOT_LATE "}",
      "/order_id" },
    { "an unknown status",
      WITH(AMOUNTS ",\"merchant_id\":\"demo\",\"version\":4,\"status\":\"lost\","
                   "\"currency\":\"EUR\"," NOT_LATE),
      "/status" },
    { "an unknown currency",
      WITH(AMOUNTS ",\"merchant_id\":\"demo\",\"version\":4,\"status\":\"failed\","
                   "\"currency\":\"eur\"," NOT_LATE),
      "/currency" },
    { "version 0",
      WITH(AMOUNTS ",\"merchant_id\":\"demo\",\"version\":0,\"status\":\"failed\","
                   "\"currency\":\"EUR\"," NOT_LATE),
      "/version" },
    { "a negative amount",
      WITH("\"amount\":13700,\"amount_captured\":-1,\"amount_refunded\":0," REST "," NOT_LATE),
      "/amount_captured" },
    { "an amount beyond all orders",
      WITH("\"amount\":13700,\"amount_captured\":0,\"amount_refunded\":1000000000000001," REST
           "," NOT_LATE),
      "/amount_refunded" },
    { "an amount with a fraction",
      WITH("\"amount\":137.5,\"amount_captured\":0,\"amount_refunded\":0," REST "," NOT_LATE),
      "/amount" },
    { "a payment of nothing",
      WITH("\"amount\":0,\"amount_captured\":0,\"amount_refunded\":0," REST "," NOT_LATE),
      "/amount" },
    { "orphaned as a word", WITH(AMOUNTS "," REST ",\"orphaned\":\"no\""), "/orphaned" },
};

static void check_bad(void **state)
{
    const struct bad_row *row = *state;
    struct order_payment payment;
    struct error err;

    assert_false(read(row->text, &payment, &err));
    assert_int_equal(err.kind, row->pointer ? ERROR_VALIDATION : ERROR_MALFORMED);
    if (row->pointer)
        assert_string_equal(err.fields[0].pointer, row->pointer);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, a_payment_is_read_whole);
    TABLE_ADD_ROWS(&table, good_rows, check_good);
    TABLE_ADD_ROWS(&table, bad_rows, check_bad);
    return table_run(&table);
}
