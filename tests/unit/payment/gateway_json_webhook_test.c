#include "payment-service/gateway_json.h"

#include "shared/crypto/hash.h"
#include "tests/unit/payment/json_records.h"
#include "tests/unit/table.h"

#define NOTICE(type, account, rest)                                     \
    "{\"id\":\"0b\",\"type\":\"" type "\",\"account\":\"" account "\"," \
    "\"created_at\":\"2026-01-31T23:59:59.123Z\"" rest "}"
#define OF(record)           ",\"operation\":" record
#define REFUND(status, rest) RECORD("refund", REFERENCE, status, MONEY "," AT rest)

static const struct notice_row {
    const char *label;
    const char *body;
    enum gateway_notice_kind kind;
    enum gateway_outcome outcome;
} notice_rows[] = {
    { "an approval is told", NOTICE("authorization.approved", "demo", OF(GOOD)),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_APPROVED },
    { "a decline is told", NOTICE("authorization.declined", "demo", OF(DECLINED)),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_DECLINED },
    { "a dead reference is told", NOTICE("authorization.voided", "demo", OF(DEAD)),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_VOIDED },
    { "a transfer that was paid is told",
      NOTICE("transfer.paid", "demo", OF(RECORD("transfer", REFERENCE, "approved", MONEY))),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_APPROVED },
    { "a capture is told",
      NOTICE("capture.approved", "demo",
             OF(RECORD("capture", REFERENCE, "approved", MONEY "," AT))),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_APPROVED },
    { "a void is told",
      NOTICE("void.declined", "demo",
             OF(RECORD("void", REFERENCE, "declined", MONEY "," AT "," FAILURE))),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_DECLINED },
    { "a refund is told", NOTICE("refund.pending", "demo", OF(REFUND("pending", ""))),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_PENDING },
    { "a refund that came back is told",
      NOTICE("refund.returned", "demo", OF(REFUND("declined", "," FAILURE))),
      GATEWAY_NOTICE_REFUND_RETURNED, GATEWAY_DECLINED },
    { "a dispute is told", NOTICE("dispute.opened", "demo", OF(GOOD)), GATEWAY_NOTICE_DISPUTED,
      GATEWAY_APPROVED },
    { "a dispute that was won is told", NOTICE("dispute.won", "demo", OF(GOOD)),
      GATEWAY_NOTICE_DISPUTE_WON, GATEWAY_APPROVED },
    { "a dispute that was lost is told", NOTICE("dispute.lost", "demo", OF(GOOD)),
      GATEWAY_NOTICE_DISPUTE_LOST, GATEWAY_APPROVED },
    { "the record says what the type does not", NOTICE("authorization.pending", "demo", OF(GOOD)),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_APPROVED },
};

static bool hear(const struct gateway_webhook *webhook, struct gateway_notice *out,
                 struct error *err)
{
    struct gateway gateway = nobody_gateway(&gateway_json, NULL);

    return gateway_json.parse_webhook(&gateway, webhook, out, err);
}

static void check_notice(void **state)
{
    const struct notice_row *row = *state;
    struct gateway_webhook webhook = fake_webhook("application/json; charset=utf-8", row->body);
    struct gateway_notice notice;
    struct error err;

    assert_true(hear(&webhook, &notice, &err));
    assert_int_equal(notice.kind, row->kind);
    assert_int_equal(notice.result.outcome, row->outcome);
    assert_string_equal(notice.id, "0b");
    assert_string_equal(id_text(notice.reference).text, REFERENCE);
    assert_int_equal(notice.money.amount, row->outcome == GATEWAY_VOIDED ? 0 : 13700);
    if (row->outcome == GATEWAY_DECLINED)
        assert_string_equal(notice.result.failure_code, "card_declined");
}

static void what_nobody_knows_is_nothing_to_us(void **state)
{
    static const char *const bodies[] = {
        NOTICE("account.closed", "demo", ""),
        NOTICE("authorization.reviewed", "demo", OF("5")),
        NOTICE("x", "demo", OF(GOOD)),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct gateway_webhook webhook = fake_webhook("application/json", bodies[i]);
        struct gateway_notice notice;
        struct error err;
        assert_true(hear(&webhook, &notice, &err));
        assert_int_equal(notice.kind, GATEWAY_NOTICE_OTHER);
    }
}

/* All are signed: what is wrong is said, and `fields` are those that are ("" for none). */
static const struct refusal_row {
    const char *label;
    const char *body;
    const char *code, *fields;
} refusal_rows[] = {
    { "no body is refused", "", "body_empty", "" },
    { "no JSON is refused", "<a/>", "json_malformed", "" },
    { "cut JSON is refused", "{\"id\":\"0b\"", "json_malformed", "" },
    { "a member twice is refused", "{\"id\":\"0b\",\"id\":\"0c\"}", "json_duplicate_key", "" },
    { "depth is refused", "[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]", "json_too_deep", "" },
    { "an array is refused", "[]", "validation_failed", " type_invalid" },
    { "an empty object lacks everything", "{}", "validation_failed",
      "/id required; /account required; /type required" },
    { "another account is refused", NOTICE("authorization.approved", "other", OF(GOOD)),
      "validation_failed", "/account not_allowed" },
    { "another account is refused for a type that nobody knows", NOTICE("x", "other", ""),
      "validation_failed", "/account not_allowed" },
    { "no record is refused", NOTICE("authorization.approved", "demo", ""), "validation_failed",
      "/operation required" },
    { "a record that is none is refused", NOTICE("authorization.approved", "demo", OF("[]")),
      "validation_failed", "/operation type_invalid" },
    { "a record of another operation is refused", NOTICE("refund.approved", "demo", OF(GOOD)),
      "validation_failed", "/operation/operation not_allowed" },
    { "an empty record lacks everything", NOTICE("authorization.approved", "demo", OF("{}")),
      "validation_failed",
      "/operation/id required; /operation/operation required; /operation/reference required; "
      "/operation/status required; /operation/amount required; /operation/currency required" },
    { "all that is wrong of a record is named",
      NOTICE("refund.approved", "demo",
             OF("{\"id\":\"a b\",\"operation\":\"refund\",\"reference\":\"1\",\"status\":\"x\","
                "\"authorization\":1,\"amount\":0,\"currency\":\"EUX\",\"captured\":1,"
                "\"failure\":{},\"action_url\":\"ftp://x\"}")),
      "validation_failed",
      "/operation/id not_allowed; /operation/reference id_invalid; "
      "/operation/authorization type_invalid; /operation/status not_allowed; "
      "/operation/amount out_of_range; /operation/currency currency_unknown; "
      "/operation/captured type_invalid; /operation/failure/code required; "
      "/operation/action_url not_allowed" },
};

static void join_errors(const struct error *err, struct buffer *out)
{
    buffer_append(out, "");
    for (size_t i = 0; err->kind == ERROR_VALIDATION && i < err->field_count; i++)
        buffer_append_format(out, "%s%s %s", i > 0 ? "; " : "", err->fields[i].pointer,
                             err->fields[i].code);
}

static void check_refusal(void **state)
{
    const struct refusal_row *row = *state;
    AUTO(buffer_release) struct buffer fields = BUFFER_EMPTY;
    struct gateway_webhook webhook = fake_webhook("application/json", row->body);
    struct gateway_notice notice;
    struct error err;

    assert_false(hear(&webhook, &notice, &err));
    join_errors(&err, &fields);
    assert_string_equal(err.code, row->code);
    assert_string_equal(fields.at, row->fields);
}

static void expect_forgery(const struct gateway_webhook *webhook, const char *code)
{
    struct gateway_notice notice;
    struct error err;

    assert_false(hear(webhook, &notice, &err));
    assert_int_equal(err.kind, ERROR_UNAUTHENTICATED);
    assert_string_equal(err.code, code);
}

/* ... and nothing of them is read: the body is no JSON. */
static void what_is_not_signed_is_not_read(void **state)
{
    static const char type[] = "application/json";

    (void)state;
    struct gateway_webhook webhook = fake_webhook_signed(type, "{", HOOK_STRANGER, 0);
    expect_forgery(&webhook, "webhook_signature_invalid");
    webhook = fake_webhook_signed(type, "{", HOOK_SECRET, 301);
    expect_forgery(&webhook, "webhook_too_old");
    webhook = fake_webhook_signed(type, "{", HOOK_SECRET, -302);
    expect_forgery(&webhook, "webhook_too_old");
    webhook = fake_webhook(type, "{");
    webhook.signature = NULL;
    expect_forgery(&webhook, "webhook_signature_missing");
    webhook = fake_webhook(type, "{}");
    webhook.body = span_of("{");
    expect_forgery(&webhook, "webhook_signature_invalid");
    webhook = fake_webhook(type, "{");
    webhook.id = "msg_2";
    expect_forgery(&webhook, "webhook_signature_invalid");
}

static void the_secret_that_is_replaced_is_good_too(void **state)
{
    struct gateway_webhook webhook = fake_webhook_signed(
        "application/json", NOTICE("authorization.approved", "demo", OF(GOOD)), HOOK_OLD, 290);
    struct gateway_notice notice;
    struct error err;

    (void)state;
    assert_true(hear(&webhook, &notice, &err));
}

static void another_media_type_is_refused(void **state)
{
    static const char *const types[] = { NULL, "", "text/xml", "application/jsonx", "text/plain" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct gateway_webhook webhook = fake_webhook(types[i], "{}");
        struct gateway_notice notice;
        struct error err;
        assert_false(hear(&webhook, &notice, &err));
        assert_int_equal(err.kind, ERROR_MEDIA_TYPE);
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(crypto_start());
    TABLE_ADD_ROWS(&table, notice_rows, check_notice);
    TABLE_ADD(&table, what_nobody_knows_is_nothing_to_us);
    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD(&table, what_is_not_signed_is_not_read);
    TABLE_ADD(&table, the_secret_that_is_replaced_is_good_too);
    TABLE_ADD(&table, another_media_type_is_refused);
    return table_run(&table);
}
