#include "order-service/order_json.h"
#include "tests/unit/table.h"

#define CUSTOMER "{\"id\":\"c-1\"}"
#define LINE     "{\"sku\":\"s\",\"name\":\"n\",\"quantity\":2,\"unit_amount\":50}"
#define LINES    "[" LINE "]"

/* A body of four parts; `more` begins with a comma. */
#define BODY(customer, currency, lines, more) \
    "{\"customer\":" customer ",\"currency\":" currency ",\"lines\":" lines more "}"

#define WITH_LINE(sku, name, quantity, unit_amount)                   \
    BODY(CUSTOMER, "\"EUR\"",                                         \
         "[{\"sku\":" sku ",\"name\":" name ",\"quantity\":" quantity \
         ",\"unit_amount\":" unit_amount "}]",                        \
         "")
#define WITH_QUANTITY(quantity)  WITH_LINE("\"s\"", "\"n\"", quantity, "50")
#define WITH_AMOUNT(unit_amount) WITH_LINE("\"s\"", "\"n\"", "1", unit_amount)
#define WITH_CURRENCY(currency)  BODY(CUSTOMER, currency, LINES, "")
#define WITH_CUSTOMER(customer)  BODY(customer, "\"EUR\"", LINES, "")
#define WITH(more)               BODY(CUSTOMER, "\"EUR\"", LINES, "," more)

/* The wrong fields of an error as "pointer code" lines. */
static void list_fields(const struct error *err, struct buffer *out)
{
    for (size_t i = 0; i < err->field_count; i++)
        buffer_append_format(out, "%s%s %s", i == 0 ? "" : "; ", err->fields[i].pointer,
                             err->fields[i].code);
}

/* --- what is refused -------------------------------------------------------------------------- */

static const struct refused_row {
    const char *label;
    const char *body;
    const char *fields; /* "pointer code; ..." of a validation error, else the error's code */
} refused_rows[] = {
    { "an empty body is refused", "", "body_empty" },
    { "a truncated body is refused", "{\"customer\":{\"id\"", "json_malformed" },
    { "trailing bytes are refused", WITH_QUANTITY("1") "x", "json_malformed" },
    { "a byte order mark is refused", "\xef\xbb\xbf" WITH_QUANTITY("1"), "json_malformed" },
    { "a lone surrogate is refused", WITH_LINE("\"\\ud800\"", "\"n\"", "1", "1"),
      "json_malformed" },
    { "a NUL in a text is refused", WITH_LINE("\"a\\u0000b\"", "\"n\"", "1", "1"),
      "json_malformed" },
    { "bytes that are no UTF-8 are refused", WITH_LINE("\"\xff\"", "\"n\"", "1", "1"),
      "json_malformed" },
    { "a duplicate key is refused", WITH("\"currency\":\"EUR\""), "json_duplicate_key" },
    { "nesting without end is refused", WITH("\"x\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"),
      "json_too_deep" },
    { "2^63 is refused", WITH_AMOUNT("9223372036854775808"), "/lines/0/unit_amount out_of_range" },
    { "a number at the top is refused", "17", " type_invalid" },
    { "a list at the top is refused", "[]", " type_invalid" },

    { "an empty object misses what is required", "{}",
      "/customer required; /currency required; /lines required" },
    { "null counts as missing", BODY("null", "null", "null", ""),
      "/customer required; /currency required; /lines required" },

    { "a quantity of 0 is refused", WITH_QUANTITY("0"), "/lines/0/quantity out_of_range" },
    { "a quantity of -1 is refused", WITH_QUANTITY("-1"), "/lines/0/quantity out_of_range" },
    { "a quantity of 10001 is refused", WITH_QUANTITY("10001"), "/lines/0/quantity out_of_range" },
    { "a fraction is refused", WITH_QUANTITY("1.0"), "/lines/0/quantity type_invalid" },
    { "an amount of -1 is refused", WITH_AMOUNT("-1"), "/lines/0/unit_amount out_of_range" },
    { "an amount of 1.0 is refused", WITH_AMOUNT("1.0"), "/lines/0/unit_amount type_invalid" },
    { "an amount of 1e2 is refused", WITH_AMOUNT("1e2"), "/lines/0/unit_amount type_invalid" },
    { "an amount in quotes is refused", WITH_AMOUNT("\"100\""),
      "/lines/0/unit_amount type_invalid" },
    { "an amount of 10^12 + 1 is refused", WITH_AMOUNT("1000000000001"),
      "/lines/0/unit_amount out_of_range" },
    { "an amount of 2^53 is refused", WITH_AMOUNT("9007199254740992"),
      "/lines/0/unit_amount out_of_range" },
    { "an amount of 2^63 - 1 is refused", WITH_AMOUNT("9223372036854775807"),
      "/lines/0/unit_amount out_of_range" },
    { "lines that add up to too much are refused",
      WITH_LINE("\"s\"", "\"n\"", "10000", "1000000000000"), "/lines total_too_large" },

    { "a lower-case currency is refused", WITH_CURRENCY("\"eur\""), "/currency currency_unknown" },
    { "an unknown currency is refused", WITH_CURRENCY("\"ABC\""), "/currency currency_unknown" },
    { "a withdrawn currency is refused", WITH_CURRENCY("\"DEM\""), "/currency currency_unknown" },
    { "a currency without minor unit is refused", WITH_CURRENCY("\"XAU\""),
      "/currency currency_unknown" },
    { "an empty currency is refused", WITH_CURRENCY("\"\""), "/currency too_short" },
    { "a currency that is a number is refused", WITH_CURRENCY("978"), "/currency type_invalid" },

    { "an empty text is refused", WITH_LINE("\"\"", "\"\"", "1", "1"),
      "/lines/0/sku too_short; /lines/0/name too_short" },
    { "a text that is a number is refused", WITH_LINE("1", "true", "1", "1"),
      "/lines/0/sku type_invalid; /lines/0/name type_invalid" },
    { "a line that is no object is refused", BODY(CUSTOMER, "\"EUR\"", "[" LINE ",7]", ""),
      "/lines/1 type_invalid" },
    { "an order without lines is refused", BODY(CUSTOMER, "\"EUR\"", "[]", ""), "/lines too_few" },
    { "lines that are no list are refused", BODY(CUSTOMER, "\"EUR\"", "{}", ""),
      "/lines type_invalid" },
    { "a customer without id is refused", WITH_CUSTOMER("{}"), "/customer/id required" },
    { "a customer that is a text is refused", WITH_CUSTOMER("\"c\""), "/customer type_invalid" },
    { "an email without @ is refused", WITH_CUSTOMER("{\"id\":\"c\",\"email\":\"nobody\"}"),
      "/customer/email email_invalid" },

    { "a total that is too low is refused", WITH("\"total_amount\":99"),
      "/total_amount total_mismatch" },
    { "a total that is too high is refused", WITH("\"total_amount\":101"),
      "/total_amount total_mismatch" },
    { "a total is not compared with that of wrong lines",
      BODY(CUSTOMER, "\"EUR\"", "[" LINE ",7]", ",\"total_amount\":101"), "/lines/1 type_invalid" },
    { "a negative total is refused", WITH("\"total_amount\":-100"), "/total_amount out_of_range" },
    { "a total in quotes is refused", WITH("\"total_amount\":\"100\""),
      "/total_amount type_invalid" },
    { "terms that nobody knows are refused", WITH("\"payment_terms\":\"later\""),
      "/payment_terms not_allowed" },
    { "an empty reference is refused", WITH("\"client_reference\":\"\""),
      "/client_reference too_short" },

    { "metadata that is a list is refused", WITH("\"metadata\":[]"), "/metadata type_invalid" },
    { "an empty voucher code is refused", WITH("\"voucher_code\":\"\""),
      "/voucher_code too_short" },
    { "a voucher code that is too long is refused",
      WITH("\"voucher_code\":\"0123456789012345678901234567890123\""), "/voucher_code too_long" },
    { "a voucher code of SQL is refused", WITH("\"voucher_code\":\"' OR '1'='1\""),
      "/voucher_code voucher_code_malformed" },
    { "a voucher code that would leave its path is refused",
      WITH("\"voucher_code\":\"../../events\""), "/voucher_code voucher_code_malformed" },
    { "a voucher code is a text", WITH("\"voucher_code\":12"), "/voucher_code type_invalid" },
    { "a voucher is not asked for by its amount", WITH("\"voucher\":{\"value_amount\":500}"),
      "/voucher unknown_field" },
    { "metadata holds texts only", WITH("\"metadata\":{\"a\":1,\"b\":null,\"c\":{},\"d\":\"\"}"),
      "/metadata/a type_invalid; /metadata/b type_invalid; /metadata/c type_invalid; "
      "/metadata/d too_short" },
    { "metadata without a name is refused", WITH("\"metadata\":{\"\":\"x\"}"),
      "/metadata/ name_invalid" },
    { "a name in metadata is escaped in its pointer", WITH("\"metadata\":{\"a/b~c\":1}"),
      "/metadata/a~1b~0c type_invalid" },

    { "what only the service may say is unknown",
      WITH("\"status\":\"paid\",\"merchant_id\":\"other\",\"amount_due\":0,\"id\":\"x\""),
      "/status unknown_field; /merchant_id unknown_field; /amount_due unknown_field; "
      "/id unknown_field" },
    { "unknown fields are found at every depth",
      BODY("{\"id\":\"c\",\"vip\":true}", "\"EUR\"",
           "[{\"sku\":\"s\",\"name\":\"n\",\"quantity\":1,\"unit_amount\":1,\"tax\":0}]", ""),
      "/customer/vip unknown_field; /lines/0/tax unknown_field" },
    { "every wrong field is named at once",
      BODY("{\"email\":\"x\"}", "\"eur\"", "[{\"sku\":\"\",\"quantity\":0,\"unit_amount\":1.5}]",
           ",\"total_amount\":1e2,\"payment_terms\":1,\"metadata\":{\"k\":7},\"extra\":0"),
      "/customer/id required; /customer/email email_invalid; /currency currency_unknown; "
      "/lines/0/sku too_short; /lines/0/name required; /lines/0/quantity out_of_range; "
      "/lines/0/unit_amount type_invalid; /total_amount type_invalid; "
      "/payment_terms type_invalid; /metadata/k type_invalid; /extra unknown_field" },
};

static void check_refused(void **state)
{
    const struct refused_row *row = *state;
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    AUTO(buffer_release) struct buffer fields = BUFFER_EMPTY;
    struct error err;

    assert_false(order_draft_read(span_of(row->body), &draft, &err));
    if (err.kind == ERROR_VALIDATION)
        list_fields(&err, &fields);
    assert_string_equal(fields.at ? fields.at : err.code, row->fields);
}

static void a_body_in_utf_16_is_refused(void **state)
{
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    static const char body[] = "\xff\xfe{\0}\0";
    struct error err;

    (void)state;
    assert_false(order_draft_read((struct span){ body, sizeof(body) - 1 }, &draft, &err));
    assert_int_equal(err.kind, ERROR_MALFORMED);
}

/* --- what is accepted ------------------------------------------------------------------------- */

static const struct accepted_row {
    const char *label;
    const char *body;
    const char *lines;
    int64_t total;
    const char *metadata;
} accepted_rows[] = {
    { "the least that can be ordered", WITH_AMOUNT("0"),
      "[{\"sku\":\"s\",\"name\":\"n\",\"quantity\":1,\"unit_amount\":0}]", 0, "{}" },
    { "the dearest unit is accepted", WITH_AMOUNT("1000000000000"),
      "[{\"sku\":\"s\",\"name\":\"n\",\"quantity\":1,\"unit_amount\":1000000000000}]",
      INT64_C(1000000000000), "{}" },
    { "a total of exactly the bound is accepted",
      WITH_LINE("\"s\"", "\"n\"", "1000", "1000000000000"),
      "[{\"sku\":\"s\",\"name\":\"n\",\"quantity\":1000,\"unit_amount\":1000000000000}]",
      ORDER_TOTAL_MAX, "{}" },
    { "a total that is right is accepted", WITH("\"total_amount\":100"), LINES, 100, "{}" },
    { "null counts as absent",
      WITH("\"total_amount\":null,\"payment_terms\":null,\"client_reference\":null,"
           "\"metadata\":null"),
      LINES, 100, "{}" },
    { "lines are rewritten in one order",
      BODY(CUSTOMER, "\"EUR\"",
           "[ { \"unit_amount\" : 50, \"quantity\" : 2, \"name\" : \"n\", \"sku\" : \"s\" } ]", ""),
      LINES, 100, "{}" },
    { "metadata stays as it was", WITH("\"metadata\":{\"z\":\"1\",\"a\":\"<b>&\"}"), LINES, 100,
      "{\"z\":\"1\",\"a\":\"<b>&\"}" },
    { "emoji, combining, right-to-left and zero-width come back byte for byte",
      WITH_LINE("\"e\xcc\x81\xe2\x80\x8d\"", "\"\xd7\xa9 \xf0\x9f\x9b\x92\"", "1", "1"),
      "[{\"sku\":\"e\xcc\x81\xe2\x80\x8d\",\"name\":\"\xd7\xa9 \xf0\x9f\x9b\x92\","
      "\"quantity\":1,\"unit_amount\":1}]",
      1, "{}" },
    { "control characters, SQL, HTML and formats are texts like others",
      WITH_LINE("\"\\u0001\\n\\u007f\"", "\"'; DROP TABLE orders; -- <script> %s%n\"", "1", "1"),
      "[{\"sku\":\"\\u0001\\n\x7f\",\"name\":\"'; DROP TABLE orders; -- <script> %s%n\","
      "\"quantity\":1,\"unit_amount\":1}]",
      1, "{}" },
};

static void check_accepted(void **state)
{
    const struct accepted_row *row = *state;
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    struct error err;

    assert_true(order_draft_read(span_of(row->body), &draft, &err));
    assert_string_equal(draft.lines.at, row->lines);
    assert_string_equal(draft.metadata.at, row->metadata);
    assert_true(span_equal(draft.order.lines, span_of(row->lines)));
    assert_int_equal(draft.order.total_amount, row->total);
    assert_int_equal(draft.order.amount_due, row->total);
    assert_string_equal(draft.order.customer_id, "c-1");
    assert_string_equal(draft.order.currency.code, "EUR");
    assert_int_equal(draft.order.terms, ORDER_PREPAID);
}

static void every_optional_text_is_read(void **state)
{
    static const char body[] = BODY("{\"id\":\"c\",\"email\":\"a@b\"}", "\"JPY\"", LINES,
                                    ",\"payment_terms\":\"invoice\",\"client_reference\":\"r\"");
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    struct error err;

    (void)state;
    assert_true(order_draft_read(span_of(body), &draft, &err));
    assert_string_equal(draft.order.customer_email, "a@b");
    assert_string_equal(draft.order.client_reference, "r");
    assert_string_equal(draft.order.currency.code, "JPY");
    assert_int_equal(draft.order.terms, ORDER_INVOICE);
}

/* A body whose customer id has `length` code points of 4 bytes. */
static bool accepts_text_of(size_t length)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    struct error err;

    buffer_append(&body, "{\"customer\":{\"id\":\"");
    for (size_t i = 0; i < length; i++)
        buffer_append(&body, "\xf0\x9f\x9b\x92");
    buffer_append(&body, "\"},\"currency\":\"EUR\",\"lines\":" LINES "}");
    bool accepted = order_draft_read(buffer_span(&body), &draft, &err);
    assert_true(accepted ? strlen(draft.order.customer_id) == 4 * length
                         : strcmp(err.fields[0].code, "too_long") == 0);
    return accepted;
}

static void a_text_has_200_characters_whatever_their_bytes(void **state)
{
    (void)state;
    assert_true(accepts_text_of(200));
    assert_false(accepts_text_of(201));
}

/* A body with that many lines and pairs of metadata; its wrong fields, or "". */
static void read_many(size_t lines, size_t pairs, const char *fields)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer wrong = BUFFER_EMPTY;
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    struct error err;

    buffer_append(&body, "{\"customer\":" CUSTOMER ",\"currency\":\"EUR\",\"lines\":[");
    for (size_t i = 0; i < lines; i++)
        buffer_append_format(&body, "%s%s", i == 0 ? "" : ",", LINE);
    buffer_append(&body, "],\"metadata\":{");
    for (size_t i = 0; i < pairs; i++)
        buffer_append_format(&body, "%s\"k%zu\":\"v\"", i == 0 ? "" : ",", i);
    buffer_append(&body, "}}");
    if (!order_draft_read(buffer_span(&body), &draft, &err))
        list_fields(&err, &wrong);
    assert_string_equal(wrong.at ? wrong.at : "", fields);
}

static void lines_and_metadata_are_counted(void **state)
{
    (void)state;
    read_many(500, 50, "");
    read_many(501, 50, "/lines too_many");
    read_many(500, 51, "/metadata too_many");
    read_many(501, 1000, "/lines too_many; /metadata too_many");
}

/* --- changes ---------------------------------------------------------------------------------- */

static const struct change_row {
    const char *label;
    const char *body;
    const char *fields;
    bool has_status, has_metadata;
    enum order_status status;
} change_rows[] = {
    { "sent can be asked for", "{\"status\":\"sent\"}", "", true, false, ORDER_SENT },
    { "delivered can be asked for", "{\"status\":\"delivered\"}", "", true, false,
      ORDER_DELIVERED },
    { "returned can be asked for", "{\"status\":\"returned\"}", "", true, false, ORDER_RETURNED },
    { "canceled can be asked for", "{\"status\":\"canceled\"}", "", true, false, ORDER_CANCELED },
    { "metadata alone can be changed", "{\"metadata\":{\"a\":\"b\",\"c\":null}}", "", false, true,
      0 },
    { "both can be changed", "{\"metadata\":{},\"status\":\"sent\"}", "", true, true, ORDER_SENT },
    { "paid cannot be asked for", "{\"status\":\"paid\"}", "/status not_allowed", 0, 0, 0 },
    { "expired cannot be asked for", "{\"status\":\"expired\"}", "/status not_allowed", 0, 0, 0 },
    { "pending cannot be asked for", "{\"status\":\"pending\"}", "/status not_allowed", 0, 0, 0 },
    { "the other spelling is not a status", "{\"status\":\"cancelled\"}", "/status not_allowed", 0,
      0, 0 },
    { "a status is a text", "{\"status\":3}", "/status type_invalid", 0, 0, 0 },
    { "nothing to change is refused", "{}", " required", 0, 0, 0 },
    { "null beside a status is no metadata", "{\"status\":\"sent\",\"metadata\":null}",
      "/metadata type_invalid", 0, 0, 0 },
    { "null changes nothing", "{\"status\":null,\"metadata\":null}", " required", 0, 0, 0 },
    { "nothing else can be written", "{\"status\":\"sent\",\"version\":3,\"currency\":\"USD\"}",
      "/version unknown_field; /currency unknown_field", 0, 0, 0 },
    { "a change of metadata is checked", "{\"metadata\":{\"a\":1,\"b\":\"\"}}",
      "/metadata/a type_invalid; /metadata/b too_short", 0, 0, 0 },
    { "a change is an object", "[1]", " type_invalid", 0, 0, 0 },
};

static void check_change(void **state)
{
    const struct change_row *row = *state;
    AUTO(json_document_release) struct json_document document = { NULL };
    AUTO(buffer_release) struct buffer fields = BUFFER_EMPTY;
    struct order_change change;
    struct error err;

    assert_true(json_document_parse(span_of(row->body), &document, &err));
    if (order_change_read(&document, &change, &err)) {
        assert_int_equal(change.has_status, row->has_status);
        assert_int_equal(change.metadata != NULL, row->has_metadata);
        if (row->has_status)
            assert_int_equal(change.status, row->status);
    } else {
        list_fields(&err, &fields);
    }
    assert_string_equal(fields.at ? fields.at : "", row->fields);
}

static const struct merge_row {
    const char *label;
    const char *old;
    const char *patch;
    const char *merged;
    bool changed;
} merge_rows[] = {
    { "an empty patch changes nothing", "{\"a\": \"1\"}", "{}", "{\"a\":\"1\"}", false },
    { "a new pair is added", "{\"a\": \"1\"}", "{\"b\":\"2\"}", "{\"a\":\"1\",\"b\":\"2\"}", true },
    { "a pair is replaced where it stands", "{\"a\": \"1\", \"b\": \"2\"}", "{\"a\":\"3\"}",
      "{\"a\":\"3\",\"b\":\"2\"}", true },
    { "the same text changes nothing", "{\"a\": \"1\"}", "{\"a\":\"1\"}", "{\"a\":\"1\"}", false },
    { "null removes", "{\"a\": \"1\", \"b\": \"2\"}", "{\"a\":null}", "{\"b\":\"2\"}", true },
    { "null for what is not there changes nothing", "{}", "{\"a\":null}", "{}", false },
    { "names are escaped again", "{\"a\\\"b\": \"x\\\\y\"}", "{\"c\\nd\":\"\\u0001\"}",
      "{\"a\\\"b\":\"x\\\\y\",\"c\\nd\":\"\\u0001\"}", true },
    { "setting, replacing and removing go together", "{\"a\": \"1\", \"b\": \"2\"}",
      "{\"c\":\"3\",\"b\":null,\"a\":\"0\"}", "{\"a\":\"0\",\"c\":\"3\"}", true },
};

static void check_merge(void **state)
{
    const struct merge_row *row = *state;
    AUTO(json_document_release) struct json_document patch = { NULL };
    AUTO(buffer_release) struct buffer merged = BUFFER_EMPTY;
    struct error err;
    bool changed;

    assert_true(json_document_parse(span_of(row->patch), &patch, &err));
    assert_true(order_metadata_merge(span_of(row->old), patch.root, &merged, &changed, &err));
    assert_string_equal(merged.at, row->merged);
    assert_int_equal(changed, row->changed);
}

/* {"<prefix>0":"v",...} */
static void write_pairs(struct buffer *out, const char *prefix, size_t count)
{
    buffer_append(out, "{");
    for (size_t i = 0; i < count; i++)
        buffer_append_format(out, "%s\"%s%zu\":\"v\"", i == 0 ? "" : ",", prefix, i);
    buffer_append(out, "}");
}

static bool merges(size_t old_count, size_t new_count)
{
    AUTO(json_document_release) struct json_document patch = { NULL };
    AUTO(buffer_release)
    struct buffer old = BUFFER_EMPTY, added = BUFFER_EMPTY, merged = BUFFER_EMPTY;
    struct error err;
    bool changed;

    write_pairs(&old, "a", old_count);
    write_pairs(&added, "b", new_count);
    assert_true(json_document_parse(buffer_span(&added), &patch, &err));
    return order_metadata_merge(buffer_span(&old), patch.root, &merged, &changed, &err);
}

static void a_merge_leaves_at_most_50_pairs(void **state)
{
    (void)state;
    assert_true(merges(49, 1));
    assert_true(merges(0, 50));
    assert_false(merges(50, 1));
    assert_false(merges(50, 50));
}

/* --- the public object ------------------------------------------------------------------------ */

static const struct order full = {
    .id = { { 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1 } },
    .merchant = "demo",
    .version = 3,
    .status = ORDER_SENT,
    .payment_status = ORDER_PAYMENT_PAID,
    .terms = ORDER_PREPAID,
    .currency = { "EUR" },
    .total_amount = 13700,
    .amount_due = 13700,
    .customer_id = "c \"1\"",
    .customer_email = "a@b",
    .client_reference = "r/1",
    .lines = { LINES, sizeof(LINES) - 1 },
    .metadata = { "{\"k\":\"v\"}", 9 },
    .created_at = { 1700000000000 },
    .updated_at = { 1700000005001 },
};

static void the_public_object_has_these_members_in_this_order(void **state)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };

    (void)state;
    order_write(&json, &full);
    assert_string_equal(
        body.at,
        "{\"id\":\"018bcfe5-6800-7000-8000-000000000001\",\"merchant_id\":\"demo\","
        "\"status\":\"sent\",\"payment_status\":\"paid\",\"payment_terms\":\"prepaid\","
        "\"version\":3,\"customer\":{\"id\":\"c \\\"1\\\"\",\"email\":\"a@b\"},"
        "\"currency\":\"EUR\",\"lines\":" LINES ",\"total_amount\":13700,\"amount_due\":13700,"
        "\"voucher\":null,\"client_reference\":\"r/1\",\"metadata\":{\"k\":\"v\"},"
        "\"created_at\":\"2023-11-14T22:13:20.000Z\","
        "\"updated_at\":\"2023-11-14T22:13:25.001Z\",\"expires_at\":null}");
}

static void what_is_not_there_is_null(void **state)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct order order = full;

    (void)state;
    order.customer_email[0] = '\0';
    order.client_reference[0] = '\0';
    order.expires_at = (struct instant){ 1700000009000 };
    order_write(&json, &order);
    assert_non_null(strstr(body.at, "\"email\":null"));
    assert_non_null(strstr(body.at, "\"client_reference\":null"));
    assert_non_null(strstr(body.at, "\"expires_at\":\"2023-11-14T22:13:29.000Z\""));
}

static void a_voucher_shows_what_it_was_worth_and_to_whom(void **state)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct order order = full;

    (void)state;
    order_deduct(&order, &(struct order_voucher){
                             .id = full.id, .holder = "order:me", .value_amount = 500 });
    order_write(&json, &order);
    assert_non_null(strstr(body.at, "\"total_amount\":13700,\"amount_due\":13200,"
                                    "\"voucher\":{\"id\":\"018bcfe5-6800-7000-8000-000000000001\","
                                    "\"holder\":\"order:me\",\"value_amount\":500,"
                                    "\"discount_amount\":500,\"forfeited_amount\":0},"));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, refused_rows, check_refused);
    TABLE_ADD(&table, a_body_in_utf_16_is_refused);
    TABLE_ADD_ROWS(&table, accepted_rows, check_accepted);
    TABLE_ADD(&table, every_optional_text_is_read);
    TABLE_ADD(&table, a_text_has_200_characters_whatever_their_bytes);
    TABLE_ADD(&table, lines_and_metadata_are_counted);
    TABLE_ADD_ROWS(&table, change_rows, check_change);
    TABLE_ADD_ROWS(&table, merge_rows, check_merge);
    TABLE_ADD(&table, a_merge_leaves_at_most_50_pairs);
    TABLE_ADD(&table, the_public_object_has_these_members_in_this_order);
    TABLE_ADD(&table, what_is_not_there_is_null);
    TABLE_ADD(&table, a_voucher_shows_what_it_was_worth_and_to_whom);
    return table_run(&table);
}
