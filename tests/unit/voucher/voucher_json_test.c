#include "tests/unit/table.h"
#include "voucher-service/voucher_json.h"

/* The wrong fields of an error as "pointer code; ...", or its code. */
static void list_problems(const struct error *err, struct buffer *out)
{
    if (err->kind != ERROR_VALIDATION)
        buffer_append(out, err->code);
    for (size_t i = 0; i < err->field_count; i++)
        buffer_append_format(out, "%s%s %s", i == 0 ? "" : "; ", err->fields[i].pointer,
                             err->fields[i].code);
}

/* --- rules ------------------------------------------------------------------------------------ */

#define RULE(currency, threshold, value, more) \
    "{\"currency\":" currency ",\"threshold_amount\":" threshold ",\"value_amount\":" value more "}"

static const struct rule_row {
    const char *label;
    const char *body;
    const char *problems;
    int64_t valid_days;
} rule_rows[] = {
    { "a rule is valid for a year", RULE("\"USD\"", "10000", "500", ""), "", 365 },
    { "a rule may say for how long", RULE("\"USD\"", "0", "1", ",\"valid_days\":3650"), "", 3650 },
    { "the largest amounts are accepted",
      RULE("\"JPY\"", "1000000000000000", "1000000000000000", ",\"valid_days\":1"), "", 1 },
    { "an empty body is refused", "", "body_empty", 0 },
    { "what is required is named", "{}",
      "/currency required; /threshold_amount required; /value_amount required", 0 },
    { "a voucher of nothing is refused", RULE("\"USD\"", "1", "0", ""),
      "/value_amount out_of_range", 0 },
    { "a threshold below nothing is refused", RULE("\"USD\"", "-1", "1", ""),
      "/threshold_amount out_of_range", 0 },
    { "amounts are whole numbers", RULE("\"USD\"", "1.0", "\"5\"", ""),
      "/threshold_amount type_invalid; /value_amount type_invalid", 0 },
    { "amounts have a bound", RULE("\"USD\"", "1000000000000001", "9223372036854775807", ""),
      "/threshold_amount out_of_range; /value_amount out_of_range", 0 },
    { "a currency is an active code", RULE("\"usd\"", "1", "1", ""), "/currency currency_unknown",
      0 },
    { "days are bounded", RULE("\"USD\"", "1", "1", ",\"valid_days\":3651"),
      "/valid_days out_of_range", 0 },
    { "no days are refused", RULE("\"USD\"", "1", "1", ",\"valid_days\":0"),
      "/valid_days out_of_range", 0 },
    { "what only the service may say is unknown",
      RULE("\"USD\"", "1", "1", ",\"id\":\"x\",\"trigger\":\"order.paid\""),
      "/id unknown_field; /trigger unknown_field", 0 },
};

static void check_rule(void **state)
{
    const struct rule_row *row = *state;
    AUTO(buffer_release) struct buffer problems = BUFFER_EMPTY;
    struct voucher_rule rule;
    struct error err;

    if (voucher_rule_read(span_of(row->body), &rule, &err))
        assert_int_equal(rule.valid_days, row->valid_days);
    else
        list_problems(&err, &problems);
    assert_string_equal(problems.at ? problems.at : "", row->problems);
}

static void the_public_rule_has_these_members_in_this_order(void **state)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct voucher_rule rule = { .id = id_floor((struct instant){ 1700000000000 }),
                                 .currency = EUR,
                                 .threshold_amount = 10000,
                                 .value_amount = 500,
                                 .valid_days = 365,
                                 .created_at = { 1700000000000 } };

    (void)state;
    voucher_rule_write(&json, &rule);
    assert_string_equal(
        body.at, "{\"id\":\"018bcfe5-6800-7000-8000-000000000000\",\"trigger\":\"order.sent\","
                 "\"currency\":\"EUR\",\"threshold_amount\":10000,\"value_amount\":500,"
                 "\"valid_days\":365,\"created_at\":\"2023-11-14T22:13:20.000Z\"}");
}

/* --- orders in events ------------------------------------------------------------------------- */

#define ORDER_ID "018bcfe5-6800-7000-8000-000000000001"
#define ORDER(id, merchant, currency, total, customer)                                       \
    "{\"id\":" id ",\"merchant_id\":" merchant ",\"status\":\"sent\",\"currency\":" currency \
    ",\"total_amount\":" total ",\"customer\":" customer ",\"lines\":[{}],\"new\":[1]}"

static const struct order_row {
    const char *label;
    const char *data;
    const char *problems;
} order_rows[] = {
    { "an order is read, whatever else it has",
      ORDER("\"" ORDER_ID "\"", "\"demo\"", "\"EUR\"", "13700", "{\"id\":\"c\",\"email\":null}"),
      "" },
    { "what is no JSON is no order", "not JSON", "json_malformed" },
    { "null is no order", "null", " type_invalid" },
    { "an order without members is none", "{}",
      "/id required; /merchant_id required; /currency required; /total_amount required; "
      "/customer required" },
    { "members of other types are refused", ORDER("1", "2", "3", "\"4\"", "5"),
      "/id type_invalid; /merchant_id type_invalid; /currency type_invalid; "
      "/total_amount type_invalid; /customer type_invalid" },
    { "a total with a fraction is refused",
      ORDER("\"" ORDER_ID "\"", "\"demo\"", "\"EUR\"", "137.5", "{\"id\":\"c\"}"),
      "/total_amount type_invalid" },
    { "a negative total is refused",
      ORDER("\"" ORDER_ID "\"", "\"demo\"", "\"EUR\"", "-1", "{\"id\":\"c\"}"),
      "/total_amount out_of_range" },
    { "a merchant longer than a slug is refused",
      ORDER("\"" ORDER_ID "\"",
            "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
            "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
            "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"",
            "\"EUR\"", "1", "{\"id\":\"c\"}"),
      "/merchant_id merchant_invalid" },
    { "a customer without id is refused",
      ORDER("\"" ORDER_ID "\"", "\"demo\"", "\"EUR\"", "1", "{}"), "/customer/id required" },
};

static void check_order(void **state)
{
    const struct order_row *row = *state;
    AUTO(buffer_release) struct buffer problems = BUFFER_EMPTY;
    struct voucher_order order;
    struct error err;

    if (voucher_order_read(span_of(row->data), &order, &err)) {
        assert_string_equal(id_text(order.id).text, ORDER_ID);
        assert_string_equal(order.merchant, "demo");
        assert_string_equal(order.customer_id, "c");
        assert_int_equal(order.total.amount, 13700);
        assert_string_equal(order.total.currency.code, "EUR");
    } else {
        list_problems(&err, &problems);
    }
    assert_string_equal(problems.at ? problems.at : "", row->problems);
}

/* --- orders that use a voucher ---------------------------------------------------------------- */

#define USE(voucher) \
    "{\"id\":\"" ORDER_ID "\",\"merchant_id\":\"demo\",\"lines\":[],\"voucher\":" voucher "}"

static const struct use_row {
    const char *label;
    const char *data;
    bool uses;
    const char *problems;
} use_rows[] = {
    { "an order may use a voucher",
      USE("{\"id\":\"" ORDER_ID "\",\"holder\":\"order:1\",\"value_amount\":500}"), true, "" },
    { "an order may use none", USE("null"), false, "" },
    { "an order of before there were vouchers uses none",
      "{\"id\":\"" ORDER_ID "\",\"merchant_id\":\"demo\"}", false, "" },
    { "a voucher without members is none", USE("{}"), false,
      "/voucher/id required; /voucher/holder required" },
    { "a voucher that is no object is none", USE("1"), false, "/voucher type_invalid" },
    { "what is no JSON is no order", "{", false, "json_malformed" },
};

static void check_use(void **state)
{
    const struct use_row *row = *state;
    AUTO(buffer_release) struct buffer problems = BUFFER_EMPTY;
    struct voucher_order_use use;
    struct error err;

    if (voucher_order_use_read(span_of(row->data), &use, &err)) {
        assert_int_equal(use.uses, row->uses);
        assert_string_equal(id_text(use.order_id).text, ORDER_ID);
        assert_string_equal(use.merchant, "demo");
        if (use.uses)
            assert_string_equal(use.holder, "order:1");
    } else {
        list_problems(&err, &problems);
    }
    assert_string_equal(problems.at ? problems.at : "", row->problems);
}

/* --- what is wished --------------------------------------------------------------------------- */

static const struct wish_row {
    const char *label;
    enum voucher_way way;
    const char *body;
    const char *problems;
} wish_rows[] = {
    { "a holder is enough to reserve", VOUCHER_RESERVE, "{\"holder\":\"h\"}", "" },
    { "a reservation may say for how long and what for", VOUCHER_RESERVE,
      "{\"holder\":\"h\",\"ttl_s\":86400,\"currency\":\"EUR\",\"order_id\":\"" ORDER_ID "\"}", "" },
    { "a reservation is bounded", VOUCHER_RESERVE, "{\"holder\":\"\",\"ttl_s\":86401}",
      "/holder too_short; /ttl_s out_of_range" },
    { "nothing hides in a holder", VOUCHER_RELEASE, "{\"holder\":\"a\\u0007b\"}",
      "/holder not_printable" },
    { "a redemption has a reference", VOUCHER_REDEEM, "{\"holder\":\"h\"}", "/reference required" },
    { "a redemption takes no time", VOUCHER_REDEEM, "{\"reference\":\"r\",\"ttl_s\":1}",
      "/ttl_s unknown_field" },
    { "a release has a holder", VOUCHER_RELEASE, "{}", "/holder required" },
};

static void check_wish(void **state)
{
    const struct wish_row *row = *state;
    AUTO(buffer_release) struct buffer problems = BUFFER_EMPTY;
    struct voucher_wish wish;
    struct error err;

    if (!voucher_wish_read(span_of(row->body), row->way, &wish, &err))
        list_problems(&err, &problems);
    assert_int_equal(wish.way, row->way);
    assert_string_equal(problems.at ? problems.at : "", row->problems);
}

/* --- the public object ------------------------------------------------------------------------ */

#define BEFORE_CODE                                                              \
    "{\"id\":\"018bcfe5-6800-7000-8000-000000000000\",\"merchant_id\":\"demo\"," \
    "\"status\":\"active\",\"version\":1,\"code\":"
#define BEHIND_CODE                                                                            \
    ",\"value_amount\":500,\"currency\":\"EUR\","                                              \
    "\"order_id\":\"018bcfe5-6bea-7000-8000-000000000000\","                                   \
    "\"rule_id\":\"00000000-0000-7000-8000-000000000000\",\"customer_id\":\"c\","              \
    "\"created_at\":\"2023-11-14T22:13:20.000Z\",\"updated_at\":\"2023-11-14T22:13:20.001Z\"," \
    "\"expires_at\":\"2023-11-14T22:13:20.002Z\",\"reservation\":null,\"redemption\":null}"

static const struct view_row {
    const char *label;
    enum voucher_view view;
    const char *body;
} view_rows[] = {
    { "its merchant sees a voucher whole", VOUCHER_WHOLE,
      BEFORE_CODE "\"0123-4567-89AB-$\"" BEHIND_CODE },
    { "others see a masked code", VOUCHER_MASKED, BEFORE_CODE "\"****-****-**AB-*\"" BEHIND_CODE },
};

static void check_view(void **state)
{
    const struct view_row *row = *state;
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct voucher voucher = { .id = id_floor((struct instant){ 1700000000000 }),
                               .merchant = "demo",
                               .version = 1,
                               .code = { "0123456789AB$" },
                               .value = { 500, EUR },
                               .order_id = id_floor((struct instant){ 1700000001002 }),
                               .rule_id = id_floor((struct instant){ 0 }),
                               .customer_id = "c",
                               .created_at = { 1700000000000 },
                               .updated_at = { 1700000000001 },
                               .expires_at = { 1700000000002 } };

    voucher_write(&json, &voucher, row->view);
    assert_string_equal(body.at, row->body);
}

static void a_voucher_in_use_shows_by_whom(void **state)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct voucher voucher = { .status = VOUCHER_RESERVED,
                               .reservation = { .holder = "till 1", .until = { 1700000000000 } },
                               .redemption = { .reference = "r", .at = { 1700000000000 } } };

    (void)state;
    voucher_write(&json, &voucher, VOUCHER_MASKED);
    assert_non_null(strstr(body.at, "\"reservation\":{\"holder\":\"till 1\",\"expires_at\":"
                                    "\"2023-11-14T22:13:20.000Z\"},\"redemption\":null}"));
    buffer_clear(&body);
    json.comma = false;
    voucher.status = VOUCHER_REDEEMED;
    voucher_write(&json, &voucher, VOUCHER_MASKED);
    assert_non_null(strstr(body.at, "\"reservation\":null,\"redemption\":{\"id\":"
                                    "\"00000000-0000-0000-0000-000000000000\",\"reference\":\"r\","
                                    "\"order_id\":null,\"redeemed_at\":"
                                    "\"2023-11-14T22:13:20.000Z\"}}"));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rule_rows, check_rule);
    TABLE_ADD(&table, the_public_rule_has_these_members_in_this_order);
    TABLE_ADD_ROWS(&table, order_rows, check_order);
    TABLE_ADD_ROWS(&table, use_rows, check_use);
    TABLE_ADD_ROWS(&table, wish_rows, check_wish);
    TABLE_ADD_ROWS(&table, view_rows, check_view);
    TABLE_ADD(&table, a_voucher_in_use_shows_by_whom);
    return table_run(&table);
}
