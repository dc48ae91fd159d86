#include "payment-service/gateway_soap.h"

#include "shared/crypto/hash.h"
#include "shared/soap/envelope.h"
#include "tests/unit/payment/soap_records.h"
#include "tests/unit/table.h"

#define NOTICE(type, account, rest)                                                          \
    MESSAGE("Notification", "<id>0b</id><type>" type "</type><account>" account "</account>" \
                            "<created_at>2026-01-31T23:59:59.123Z</created_at>" rest)
#define OF(record)           record
#define REFUND(status, rest) RECORD("refund", REFERENCE, status, MONEY AT rest)

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
      NOTICE("capture.approved", "demo", OF(RECORD("capture", REFERENCE, "approved", MONEY AT))),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_APPROVED },
    { "a void is told",
      NOTICE("void.declined", "demo", OF(RECORD("void", REFERENCE, "declined", MONEY AT FAILURE))),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_DECLINED },
    { "a refund is told", NOTICE("refund.pending", "demo", OF(REFUND("pending", ""))),
      GATEWAY_NOTICE_OUTCOME, GATEWAY_PENDING },
    { "a refund that came back is told",
      NOTICE("refund.returned", "demo", OF(REFUND("declined", FAILURE))),
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
    struct gateway gateway = nobody_gateway(&gateway_soap, NULL);

    return gateway_soap.parse_webhook(&gateway, webhook, out, err);
}

static void check_notice(void **state)
{
    const struct notice_row *row = *state;
    struct gateway_webhook webhook = fake_webhook("text/xml; charset=utf-8", row->body);
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
        NOTICE("authorization.reviewed", "demo", OF("<record>5</record>")),
        NOTICE("x", "demo", OF(GOOD)),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct gateway_webhook webhook = fake_webhook("text/xml", bodies[i]);
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
    { "no body is refused", "", "xml_malformed", "" },
    { "JSON is refused", "{}", "xml_malformed", "" },
    { "a cut envelope is refused", "<s:Envelope", "xml_malformed", "" },
    { "another document is refused", "<a/>", "soap_malformed", "" },
    { "another message is refused", MESSAGE("Authorize", GOOD), "soap_malformed", "" },
    { "a notification of another namespace is refused", ENVELOPE("<Notification xmlns=\"urn:x\"/>"),
      "soap_malformed", "" },
    { "a processing instruction is refused", MESSAGE("Notification", "<?x y?>"), "soap_malformed",
      "" },
    { "a DOCTYPE is refused", "<!DOCTYPE x>" NOTICE("authorization.approved", "demo", OF(GOOD)),
      "xml_doctype", "" },
    { "entities are not expanded",
      "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
      "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>" NOTICE("&c;", "demo", OF(GOOD)),
      "xml_doctype", "" },
    { "files are not read",
      "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/hostname\">]>" NOTICE("&a;", "demo", ""),
      "xml_doctype", "" },
    { "depth is refused",
      MESSAGE("Notification", "<a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a>"
                              "</a></a></a></a></a></a></a></a>"),
      "xml_malformed", "" },
    { "an empty notification lacks everything", MESSAGE("Notification", ""), "validation_failed",
      "/Notification/id required; /Notification/account required; /Notification/type required" },
    { "text between fields is refused", NOTICE("authorization.approved", "demo", GOOD "x"),
      "validation_failed", "/Notification type_invalid" },
    { "a type twice is refused", NOTICE("x", "demo", "<type>y</type>"), "validation_failed",
      "/Notification/type repeated" },
    { "another account is refused", NOTICE("authorization.approved", "other", OF(GOOD)),
      "validation_failed", "/Notification/account not_allowed" },
    { "another account is refused for a type that nobody knows", NOTICE("x", "other", ""),
      "validation_failed", "/Notification/account not_allowed" },
    { "no record is refused", NOTICE("authorization.approved", "demo", ""), "validation_failed",
      "/Notification/record required" },
    { "a record that is none is refused",
      NOTICE("authorization.approved", "demo", "<record>approved</record>"), "validation_failed",
      "/Notification/record type_invalid" },
    { "a record of another operation is refused", NOTICE("refund.approved", "demo", OF(GOOD)),
      "validation_failed", "/Notification/record/operation not_allowed" },
    { "an empty record lacks everything", NOTICE("authorization.approved", "demo", "<record/>"),
      "validation_failed",
      "/Notification/record/id required; /Notification/record/operation required; "
      "/Notification/record/reference required; /Notification/record/status required; "
      "/Notification/record/amount required; /Notification/record/currency required" },
    { "all that is wrong of a record is named",
      NOTICE("refund.approved", "demo",
             "<record><id>a b</id><operation>refund</operation><reference>1</reference>"
             "<status>x</status><authorization>1</authorization><amount>0</amount>"
             "<currency>EUX</currency><captured>yes</captured><failure/>"
             "<action_url>ftp://x</action_url></record>"),
      "validation_failed",
      "/Notification/record/id not_allowed; /Notification/record/reference id_invalid; "
      "/Notification/record/authorization id_invalid; /Notification/record/status not_allowed; "
      "/Notification/record/amount out_of_range; "
      "/Notification/record/currency currency_unknown; "
      "/Notification/record/captured type_invalid; /Notification/record/failure/code required; "
      "/Notification/record/action_url not_allowed" },
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
    struct gateway_webhook webhook = fake_webhook("text/xml", row->body);
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

/* ... and nothing of them is read: the body is no XML. */
static void what_is_not_signed_is_not_read(void **state)
{
    static const char type[] = "text/xml";

    (void)state;
    struct gateway_webhook webhook = fake_webhook_signed(type, "<!", HOOK_STRANGER, 0);
    expect_forgery(&webhook, "webhook_signature_invalid");
    webhook = fake_webhook_signed(type, "<!", HOOK_SECRET, 301);
    expect_forgery(&webhook, "webhook_too_old");
    webhook = fake_webhook_signed(type, "<!", HOOK_SECRET, -302);
    expect_forgery(&webhook, "webhook_too_old");
    webhook = fake_webhook(type, "<!");
    webhook.signature = NULL;
    expect_forgery(&webhook, "webhook_signature_missing");
    webhook = fake_webhook(type, "<a/>");
    webhook.body = span_of("<!");
    expect_forgery(&webhook, "webhook_signature_invalid");
    webhook = fake_webhook(type, "<!");
    webhook.id = "msg_2";
    expect_forgery(&webhook, "webhook_signature_invalid");
}

static void the_secret_that_is_replaced_is_good_too(void **state)
{
    struct gateway_webhook webhook = fake_webhook_signed(
        "text/xml", NOTICE("authorization.approved", "demo", OF(GOOD)), HOOK_OLD, 290);
    struct gateway_notice notice;
    struct error err;

    (void)state;
    assert_true(hear(&webhook, &notice, &err));
}

static void another_media_type_is_refused(void **state)
{
    static const char *const types[] = { NULL, "", "application/json", "text/xmlx", "text/plain" };

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

    assert(crypto_start() && soap_library_start());
    TABLE_ADD_ROWS(&table, notice_rows, check_notice);
    TABLE_ADD(&table, what_nobody_knows_is_nothing_to_us);
    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD(&table, what_is_not_signed_is_not_read);
    TABLE_ADD(&table, the_secret_that_is_replaced_is_good_too);
    TABLE_ADD(&table, another_media_type_is_refused);
    return table_run(&table);
}
