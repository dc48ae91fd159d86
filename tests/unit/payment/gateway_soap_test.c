#include "payment-service/gateway_soap.h"

#include "shared/crypto/hash.h"
#include "shared/soap/envelope.h"
#include "tests/unit/freed.h"
#include "tests/unit/payment/soap_records.h"
#include "tests/unit/patience.h"
#include "tests/unit/table.h"

static struct fake_bank *bank;
static struct client_pool *clients;

#define ANSWER(status, body)                 \
    {                                        \
        BANK_ANSWERS, (status), NULL, (body) \
    }

static const struct mapping_row {
    const char *label;
    enum gateway_question question;
    enum gateway_operation operation;
    struct fake_answer answer;
    enum gateway_outcome outcome;
} mapping_rows[] = {
    { "a response with a record is its status", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", GOOD)), GATEWAY_APPROVED },
    { "a decline is an answer", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", DECLINED)), GATEWAY_DECLINED },
    { "a challenge is pending", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse",
                          RECORD("authorize", REFERENCE, "pending",
                                 MONEY OPEN "<action_url>http://127.0.0.1/c</action_url>"))),
      GATEWAY_PENDING },
    { "a dead reference is voided", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200,
             MESSAGE("AuthorizeResponse", RECORD("authorize", REFERENCE, "voided", MONEY OPEN))),
      GATEWAY_VOIDED },
    { "a reference that was dead before is voided", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", DEAD)), GATEWAY_VOIDED },
    { "a transfer is pending", GATEWAY_PERFORM, GATEWAY_TRANSFER,
      ANSWER(200, MESSAGE("AnnounceTransferResponse",
                          RECORD("transfer", REFERENCE, "pending", MONEY OPEN))),
      GATEWAY_PENDING },
    { "a capture is approved", GATEWAY_PERFORM, GATEWAY_CAPTURE,
      ANSWER(200, MESSAGE("CaptureResponse", RECORD("capture", REFERENCE, "approved", MONEY AT))),
      GATEWAY_APPROVED },
    { "a void is approved", GATEWAY_PERFORM, GATEWAY_VOID,
      ANSWER(200, MESSAGE("VoidResponse", RECORD("void", REFERENCE, "approved", MONEY AT))),
      GATEWAY_APPROVED },
    { "a refund is declined", GATEWAY_PERFORM, GATEWAY_REFUND,
      ANSWER(200,
             MESSAGE("RefundResponse", RECORD("refund", REFERENCE, "declined", MONEY AT FAILURE))),
      GATEWAY_DECLINED },
    { "fields that nobody knows do not matter", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse",
                          RECORD("authorize", REFERENCE, "approved", MONEY "<fee><x>1</x></fee>"))),
      GATEWAY_APPROVED },
    { "prefixes do not matter", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200,
             ENVELOPE("<b:AuthorizeResponse "
                      "xmlns:b=\"urn:checkout:bank:1\"><b:record><b:id>op_1</"
                      "b:id><b:operation>authorize</b:operation><b:reference>" REFERENCE
                      "</b:reference><b:status>approved</b:status><b:amount>13700</"
                      "b:amount><b:currency>EUR</b:currency></b:record></b:AuthorizeResponse>")),
      GATEWAY_APPROVED },

    { "another reference is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", RECORD("authorize", OTHER, "approved", MONEY))),
      GATEWAY_UNKNOWN },
    { "another reference that was voided is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", RECORD("authorize", OTHER, "voided", MONEY))),
      GATEWAY_UNKNOWN },
    { "another amount is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse",
                          RECORD("authorize", REFERENCE, "approved",
                                 "<amount>13701</amount><currency>EUR</currency>"))),
      GATEWAY_UNKNOWN },
    { "another currency is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse",
                          RECORD("authorize", REFERENCE, "approved",
                                 "<amount>13700</amount><currency>USD</currency>"))),
      GATEWAY_UNKNOWN },
    { "another operation is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", RECORD("transfer", REFERENCE, "approved", MONEY))),
      GATEWAY_UNKNOWN },
    { "a status nobody knows is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", RECORD("authorize", REFERENCE, "settled", MONEY))),
      GATEWAY_UNKNOWN },
    { "no amount is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse",
                          RECORD("authorize", REFERENCE, "approved", "<currency>EUR</currency>"))),
      GATEWAY_UNKNOWN },
    { "an amount twice is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", RECORD("authorize", REFERENCE, "approved",
                                                      MONEY "<amount>13700</amount>"))),
      GATEWAY_UNKNOWN },
    { "an amount with a fraction is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse",
                          RECORD("authorize", REFERENCE, "approved",
                                 "<amount>13700.0</amount><currency>EUR</currency>"))),
      GATEWAY_UNKNOWN },
    { "a script as action is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200,
             MESSAGE("AuthorizeResponse", RECORD("authorize", REFERENCE, "pending",
                                                 MONEY "<action_url>javascript:1</action_url>"))),
      GATEWAY_UNKNOWN },
    { "an approval of a dead reference is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200,
             MESSAGE("AuthorizeResponse", RECORD("void_reference", REFERENCE, "approved", MONEY))),
      GATEWAY_UNKNOWN },
    { "two records are unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", GOOD GOOD)), GATEWAY_UNKNOWN },
    { "a response without a record is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", "")), GATEWAY_UNKNOWN },
    { "a response of text is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("AuthorizeResponse", "approved")), GATEWAY_UNKNOWN },
    { "a capture of another authorization is unknown", GATEWAY_PERFORM, GATEWAY_CAPTURE,
      ANSWER(200,
             MESSAGE("CaptureResponse", RECORD("capture", REFERENCE, "approved",
                                               MONEY "<authorization>" OTHER "</authorization>"))),
      GATEWAY_UNKNOWN },
    { "a refund of no authorization is unknown", GATEWAY_PERFORM, GATEWAY_REFUND,
      ANSWER(200, MESSAGE("RefundResponse", RECORD("refund", REFERENCE, "approved", MONEY))),
      GATEWAY_UNKNOWN },
    { "the response to something else is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("CaptureResponse", GOOD)), GATEWAY_UNKNOWN },
    { "the message itself is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("Authorize", GOOD)), GATEWAY_UNKNOWN },
    { "a response of another namespace is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, ENVELOPE("<AuthorizeResponse>" GOOD "</AuthorizeResponse>")), GATEWAY_UNKNOWN },
    { "a response with the status of a fault is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, MESSAGE("AuthorizeResponse", GOOD)), GATEWAY_UNKNOWN },
    { "a response with 503 is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(503, MESSAGE("AuthorizeResponse", GOOD)), GATEWAY_UNKNOWN },
    { "no body is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(200, ""), GATEWAY_UNKNOWN },
    { "no XML is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(200, "{}"), GATEWAY_UNKNOWN },
    { "another document is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(200, "<html/>"),
      GATEWAY_UNKNOWN },
    { "a DOCTYPE is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, "<!DOCTYPE x [<!ENTITY y \"13700\">]>" MESSAGE("AuthorizeResponse", GOOD)),
      GATEWAY_UNKNOWN },

    { "a fault of the client's, malformed, is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("malformed"))), GATEWAY_NOTHING },
    { "a fault of the client's, unauthenticated, is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("unauthenticated"))), GATEWAY_NOTHING },
    { "a fault of the client's, validation_failed, is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("validation_failed"))), GATEWAY_NOTHING },
    { "a fault of the client's, currency_not_supported, is nothing", GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE, ANSWER(500, FAULT("s:Client", CODE("currency_not_supported"))),
      GATEWAY_NOTHING },
    { "a fault of the client's, account_not_found, is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("account_not_found"))), GATEWAY_NOTHING },
    { "a fault of the client's, authorization_not_found, is nothing", GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE, ANSWER(500, FAULT("s:Client", CODE("authorization_not_found"))),
      GATEWAY_NOTHING },
    { "a fault of the client's, not_found, is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("not_found"))), GATEWAY_NOTHING },
    { "a fault of the client's, rate_limited, is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("rate_limited"))), GATEWAY_NOTHING },
    { "a fault of a subcode of the client's is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client.Authentication", CODE("unauthenticated"))), GATEWAY_NOTHING },
    { "a fault without a prefix is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("Client", CODE("validation_failed"))), GATEWAY_NOTHING },
    { "a fault with 200 is a fault all the same", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, FAULT("s:Client", CODE("validation_failed"))), GATEWAY_NOTHING },
    { "a fault of a dead reference is voided", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("reference_voided"))), GATEWAY_VOIDED },
    { "a fault of a reference that is something else is unknown", GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE, ANSWER(500, FAULT("s:Client", CODE("reference_reused"))),
      GATEWAY_UNKNOWN },
    { "a fault of the client's without a code is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", "")), GATEWAY_UNKNOWN },
    { "a fault of the client's with another detail is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", "<detail><x xmlns=\"urn:x\">1</x></detail>")),
      GATEWAY_UNKNOWN },
    { "a fault of a server that is away is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Server", CODE("unavailable"))), GATEWAY_NOTHING },
    { "another fault of the server's is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Server", CODE("internal_error"))), GATEWAY_UNKNOWN },
    { "a fault of the server's without a code is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Server", "")), GATEWAY_UNKNOWN },
    { "a fault of a refusing server is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Server", CODE("validation_failed"))), GATEWAY_UNKNOWN },
    { "a fault of another kind is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:VersionMismatch", CODE("validation_failed"))), GATEWAY_UNKNOWN },
    { "a fault without a kind is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, ENVELOPE("<s:Fault>" CODE("unavailable") "</s:Fault>")), GATEWAY_UNKNOWN },
    { "a fault that is not SOAP's is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(500, MESSAGE("Fault", "<faultcode>Client</faultcode>" CODE("invalid"))),
      GATEWAY_UNKNOWN },
    { "503 without an envelope is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(503, ""),
      GATEWAY_UNKNOWN },
    { "503 with a page is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(503, "<html><br></html>"), GATEWAY_UNKNOWN },
    { "500 without an envelope is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(500, ""),
      GATEWAY_UNKNOWN },
    { "401 without an envelope is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(401, "{\"code\":\"key_invalid\"}"), GATEWAY_UNKNOWN },
    { "404 without an envelope is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(404, "<html/>"), GATEWAY_UNKNOWN },
    { "302 is followed nowhere, and unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { BANK_ANSWERS, 302, "Location: http://127.0.0.1:1/\r\n", "" },
      GATEWAY_UNKNOWN },

    { "hanging up is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { .behaviour = BANK_HANGS_UP },
      GATEWAY_UNKNOWN },
    { "a reset is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { .behaviour = BANK_RESETS },
      GATEWAY_UNKNOWN },
    { "a cut head is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { BANK_CUTS_HEAD, 200, NULL, MESSAGE("AuthorizeResponse", GOOD) },
      GATEWAY_UNKNOWN },
    { "a cut body is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { BANK_CUTS_BODY, 200, NULL, MESSAGE("AuthorizeResponse", GOOD) },
      GATEWAY_UNKNOWN },
    { "a cut fault is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { BANK_CUTS_BODY, 500, NULL, FAULT("s:Client", CODE("invalid")) },
      GATEWAY_UNKNOWN },
    { "an answer without end is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { .behaviour = BANK_NEVER_ENDS },
      GATEWAY_UNKNOWN },
    { "nonsense is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { .behaviour = BANK_SPEAKS_NONSENSE },
      GATEWAY_UNKNOWN },

    { "a look up finds", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("LookUpResponse", GOOD)), GATEWAY_APPROVED },
    { "a look up finds a decline", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("LookUpResponse", DECLINED)), GATEWAY_DECLINED },
    { "a look up finds what is pending", GATEWAY_LOOK_UP, GATEWAY_TRANSFER,
      ANSWER(200, MESSAGE("LookUpResponse", RECORD("transfer", REFERENCE, "pending", MONEY))),
      GATEWAY_PENDING },
    { "a look up finds what is dead", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("LookUpResponse", DEAD)), GATEWAY_VOIDED },
    { "a look up that finds another amount is unknown", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("LookUpResponse", RECORD("authorize", REFERENCE, "approved",
                                                   "<amount>1</amount><currency>EUR</currency>"))),
      GATEWAY_UNKNOWN },
    { "a look up that finds nothing", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("not_found"))), GATEWAY_NOT_FOUND },
    { "a look up of an account nobody opened finds nothing", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Client", CODE("account_not_found"))), GATEWAY_NOT_FOUND },
    { "another fault of the client's to a look up could not be asked", GATEWAY_LOOK_UP,
      GATEWAY_AUTHORIZE, ANSWER(500, FAULT("s:Client", CODE("unauthenticated"))), GATEWAY_NOTHING },
    { "not found by the server is no answer to a look up", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(500, FAULT("s:Server", CODE("not_found"))), GATEWAY_UNKNOWN },
    { "404 is no answer to a look up", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(404, "{\"code\":\"not_found\"}"), GATEWAY_UNKNOWN },
    { "503 to a look up is no answer", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE, ANSWER(503, ""),
      GATEWAY_UNKNOWN },
    { "hanging up on a look up is no answer",
      GATEWAY_LOOK_UP,
      GATEWAY_AUTHORIZE,
      { .behaviour = BANK_HANGS_UP },
      GATEWAY_UNKNOWN },

    { "a void by reference kills", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("VoidReferenceResponse", DEAD)), GATEWAY_VOIDED },
    { "a void by reference kills what is pending", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200,
             MESSAGE("VoidReferenceResponse", RECORD("authorize", REFERENCE, "voided", MONEY))),
      GATEWAY_VOIDED },
    { "a void by reference tells what was approved", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("VoidReferenceResponse", GOOD)), GATEWAY_APPROVED },
    { "a void by reference tells what was declined", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("VoidReferenceResponse", DECLINED)), GATEWAY_DECLINED },
    { "a void by reference that leaves it pending is no answer", GATEWAY_VOID_REFERENCE,
      GATEWAY_TRANSFER,
      ANSWER(200,
             MESSAGE("VoidReferenceResponse", RECORD("transfer", REFERENCE, "pending", MONEY))),
      GATEWAY_UNKNOWN },
    { "a void by reference of another is no answer", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200, MESSAGE("VoidReferenceResponse", RECORD("void_reference", OTHER, "voided", ""))),
      GATEWAY_UNKNOWN },
    { "a fault to a void by reference could not be asked", GATEWAY_VOID_REFERENCE,
      GATEWAY_AUTHORIZE, ANSWER(500, FAULT("s:Client", CODE("account_not_found"))),
      GATEWAY_NOTHING },
    { "500 to a void by reference is no answer", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(500, ""), GATEWAY_UNKNOWN },
};

static void put(const struct gateway *gateway, enum gateway_question question,
                const struct gateway_call *call, struct gateway_result *out)
{
    if (question == GATEWAY_LOOK_UP)
        gateway_soap.look_up(gateway, call, out);
    else if (question == GATEWAY_VOID_REFERENCE)
        gateway_soap.void_reference(gateway, call, out);
    else
        gateway_soap.perform(gateway, call, out);
}

static struct gateway_result ask(enum gateway_question question, enum gateway_operation operation,
                                 const struct fake_answer *answer)
{
    struct gateway gateway = fake_gateway(bank, &gateway_soap, clients);
    struct gateway_call call = fake_call(operation);
    struct gateway_result result = { .outcome = GATEWAY_OUTCOME_COUNT };

    fake_bank_tell(bank, answer);
    put(&gateway, question, &call, &result);
    return result;
}

static void check_mapping(void **state)
{
    const struct mapping_row *row = *state;
    struct gateway_result result = ask(row->question, row->operation, &row->answer);

    assert_string_equal(gateway_outcome_words[result.outcome], gateway_outcome_words[row->outcome]);
    assert_int_equal(result.retry_after_s, 0);
    assert_int_equal(*result.failure_code != '\0', row->outcome == GATEWAY_DECLINED);
    assert_null(strstr(result.detail, "4242"));
    if (row->outcome == GATEWAY_UNKNOWN || row->outcome == GATEWAY_NOTHING)
        assert_true(strlen(result.detail) > 0);
}

static void what_the_bank_says_of_it_comes_out(void **state)
{
    static const struct fake_answer declined = ANSWER(200, MESSAGE("AuthorizeResponse", DECLINED));
    static const struct fake_answer good = ANSWER(200, MESSAGE("AuthorizeResponse", GOOD));
    static const struct fake_answer pending = ANSWER(
        200, MESSAGE("AuthorizeResponse",
                     RECORD("authorize", REFERENCE, "pending",
                            MONEY OPEN "<action_url>https://bank/c?a=1&amp;b=2</action_url>")));
    static const struct fake_answer unexplained = ANSWER(
        200, MESSAGE("AuthorizeResponse", RECORD("authorize", REFERENCE, "declined", MONEY)));

    (void)state;
    struct gateway_result result = ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &declined);
    assert_string_equal(result.failure_code, "card_declined");
    assert_string_equal(result.decline_code, "lost_card");
    assert_string_equal(result.bank_id, "op_1");
    assert_false(result.captured);
    result = ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &good);
    assert_string_equal(result.bank_id, "op_1");
    assert_string_equal(result.failure_code, "");
    assert_true(result.captured);
    result = ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &pending);
    assert_string_equal(result.action_url, "https://bank/c?a=1&b=2");
    assert_false(result.captured);
    result = ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &unexplained);
    assert_string_equal(result.failure_code, "declined");
}

static void retry_after_comes_with_nothing_only(void **state)
{
    static const struct fake_answer away = { BANK_ANSWERS, 500, "Retry-After: 7\r\n",
                                             FAULT("s:Server", CODE("unavailable")) };
    static const struct fake_answer busy = { BANK_ANSWERS, 503, "Retry-After: 9\r\n",
                                             FAULT("s:Server", CODE("unavailable")) };
    static const struct fake_answer broken = { BANK_ANSWERS, 500, "Retry-After: 7\r\n",
                                               FAULT("s:Server", CODE("internal_error")) };

    (void)state;
    assert_int_equal(ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &away).retry_after_s, 7);
    assert_int_equal(ask(GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE, &busy).retry_after_s, 9);
    assert_int_equal(ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &broken).retry_after_s, 0);
}

static const struct request_row {
    const char *label;
    enum gateway_question question;
    enum gateway_operation operation;
    const char *message, *fields;
} request_rows[] = {
    { "an authorization has everything", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, "Authorize",
      "<account>demo</account><reference>" REFERENCE "</reference><amount>13700</amount>"
      "<currency>EUR</currency><capture>true</capture><card><number>" CARD_NUMBER "</number>"
      "<exp_month>12</exp_month><exp_year>2030</exp_year><cvc>012</cvc>"
      "<name>Anna &lt;&quot;&amp;\xef\xbf\xbd\xc3\x84&gt;</name></card>" },
    { "a transfer has an amount", GATEWAY_PERFORM, GATEWAY_TRANSFER, "AnnounceTransfer",
      "<account>demo</account><reference>" REFERENCE
      "</reference><amount>13700</amount><currency>EUR</currency>" },
    { "a capture has an authorization", GATEWAY_PERFORM, GATEWAY_CAPTURE, "Capture",
      "<account>demo</account><reference>" REFERENCE "</reference>"
      "<authorization>" TARGET "</authorization><amount>13700</amount>" },
    { "a void has no amount", GATEWAY_PERFORM, GATEWAY_VOID, "Void",
      "<account>demo</account><reference>" REFERENCE "</reference>"
      "<authorization>" TARGET "</authorization>" },
    { "a refund has an authorization", GATEWAY_PERFORM, GATEWAY_REFUND, "Refund",
      "<account>demo</account><reference>" REFERENCE "</reference>"
      "<authorization>" TARGET "</authorization><amount>13700</amount>" },
    { "a look up has a reference alone", GATEWAY_LOOK_UP, GATEWAY_REFUND, "LookUp",
      "<account>demo</account><reference>" REFERENCE "</reference>" },
    { "a void by reference has a reference alone", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      "VoidReference", "<account>demo</account><reference>" REFERENCE "</reference>" },
};

static void check_request(void **state)
{
    static const struct fake_answer answer = ANSWER(500, "");
    const struct request_row *row = *state;
    AUTO(buffer_release) struct buffer expected = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    ask(row->question, row->operation, &answer);
    const char *heard = fake_bank_heard(bank), *body = strstr(heard, "\r\n\r\n") + 4;
    assert_memory_equal(heard, "POST /bank-x/v1/soap HTTP/1.1\r\n", 31);
    assert_non_null(strstr(heard, "\r\nAuthorization: Bearer key-of-bank-x\r\n"));
    assert_non_null(strstr(heard, "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-"));
    assert_non_null(strstr(heard, "\r\nContent-Type: text/xml; charset=utf-8\r\n"));
    buffer_append_format(&expected, "\r\nSOAPAction: \"urn:checkout:bank:1#%s\"\r\n", row->message);
    assert_non_null(strstr(heard, expected.at));
    buffer_clear(&expected);
    buffer_append_format(&expected, "<%s xmlns=\"urn:checkout:bank:1\">%s</%s>", row->message,
                         row->fields, row->message);
    assert_non_null(strstr(body, expected.at));
    assert_true(envelope_parse(span_of(body), &envelope, &err));
}

static void what_a_card_does_not_have_is_left_out(void **state)
{
    static const struct fake_answer answer = ANSWER(500, "");
    struct gateway gateway = fake_gateway(bank, &gateway_soap, clients);
    struct gateway_call call = fake_call(GATEWAY_AUTHORIZE);
    struct card card = { .number = CARD_NUMBER, .exp_month = 1, .exp_year = 2031 };
    struct gateway_result result;

    (void)state;
    call.card = &card;
    call.capture = false;
    fake_bank_tell(bank, &answer);
    gateway_soap.perform(&gateway, &call, &result);
    assert_non_null(strstr(fake_bank_heard(bank),
                           "<capture>false</capture><card><number>" CARD_NUMBER
                           "</number><exp_month>1</exp_month><exp_year>2031</exp_year></card>"));
}

/* Neither when it went well nor when it did not. */
static void no_card_is_left_in_memory(void **state)
{
    static const struct fake_answer good = ANSWER(201, MESSAGE("AuthorizeResponse", GOOD));
    static const struct fake_answer gone = { .behaviour = BANK_HANGS_UP };

    (void)state;
    freed_watch(span_of(CARD_NUMBER));
    ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &good);
    ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &gone);
    assert_int_equal(freed_found(), 0);
}

static void nobody_there_is_nothing(void **state)
{
    struct gateway gateway = nobody_gateway(&gateway_soap, clients);
    struct gateway_call call = fake_call(GATEWAY_AUTHORIZE);
    struct gateway_result result;

    (void)state;
    for (int question = GATEWAY_PERFORM; question <= GATEWAY_VOID_REFERENCE; question++) {
        put(&gateway, (enum gateway_question)question, &call, &result);
        assert_int_equal(result.outcome, GATEWAY_NOTHING);
    }
}

static void no_time_left_is_nothing(void **state)
{
    struct gateway gateway = fake_gateway(bank, &gateway_soap, clients);
    struct gateway_call call = fake_call(GATEWAY_AUTHORIZE);
    struct gateway_result result;

    (void)state;
    call.deadline = deadline_in_ms(0);
    gateway_soap.perform(&gateway, &call, &result);
    assert_int_equal(result.outcome, GATEWAY_NOTHING);
}

/* Each question has its own timeout, and none outlasts the caller's deadline. */
static void silence_is_unknown_when_its_time_is_over(void **state)
{
    static const struct fake_answer silent = { .behaviour = BANK_IS_SILENT };
    struct gateway gateway = fake_gateway(bank, &gateway_soap, clients);
    struct gateway_call call = fake_call(GATEWAY_REFUND);
    struct gateway_result result;

    (void)state;
    gateway.timeouts = (struct gateway_timeouts){ 9000, 9000, 200, 200, 200 };
    fake_bank_tell(bank, &silent);
    for (int question = GATEWAY_PERFORM; question <= GATEWAY_VOID_REFERENCE; question++) {
        int64_t began_us = clock_monotonic_us();
        put(&gateway, (enum gateway_question)question, &call, &result);
        assert_int_equal(result.outcome, GATEWAY_UNKNOWN);
        assert_true(clock_monotonic_us() - began_us >= 150 * 1000);
        assert_true(patience_lasts(began_us, 1900));
    }
    call.operation = GATEWAY_CAPTURE;
    call.deadline = deadline_in_ms(200);
    int64_t began_us = clock_monotonic_us();
    put(&gateway, GATEWAY_PERFORM, &call, &result);
    assert_int_equal(result.outcome, GATEWAY_UNKNOWN);
    assert_true(clock_monotonic_us() - began_us >= 150 * 1000);
    assert_true(patience_lasts(began_us, 1900));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(crypto_start() && client_library_start() && soap_library_start());
    clients = client_pool_create(2);
    bank = fake_bank_start();
    TABLE_ADD_ROWS(&table, mapping_rows, check_mapping);
    TABLE_ADD(&table, what_the_bank_says_of_it_comes_out);
    TABLE_ADD(&table, retry_after_comes_with_nothing_only);
    TABLE_ADD_ROWS(&table, request_rows, check_request);
    TABLE_ADD(&table, what_a_card_does_not_have_is_left_out);
    TABLE_ADD(&table, no_card_is_left_in_memory);
    TABLE_ADD(&table, nobody_there_is_nothing);
    TABLE_ADD(&table, no_time_left_is_nothing);
    TABLE_ADD(&table, silence_is_unknown_when_its_time_is_over);
    int failed = table_run(&table);
    fake_bank_stop(bank);
    client_pool_destroy(clients);
    return failed;
}
