#include "tests/fuzz/bank.h"

#include "payment-service/gateway_exchange.h"
#include "payment-service/gateway_record.h"
#include "shared/http/webhook.h"
#include "shared/soap/envelope.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/payment/fake_bank.h"

enum { NOW_S = 1769903999 };

bool __wrap_gateway_ask(const struct gateway *gateway, struct client_request *request,
                        struct gateway_answer *answer, struct gateway_result *out);

static struct {
    int status;
    struct span body;
} answered;

bool __wrap_gateway_ask(const struct gateway *gateway, struct client_request *request,
                        struct gateway_answer *answer, struct gateway_result *out)
{
    (void)gateway, (void)request, (void)out;
    answer->status = answered.status;
    answer->retry_after_s = 7;
    buffer_append_span(&answer->body, answered.body);
    return true;
}

static struct gateway make_gateway(const struct gateway_protocol *protocol)
{
    struct gateway gateway = {
        .name = "bank-a",
        .protocol = protocol,
        .path = "/bank-a/v1",
        .webhook_secret_count = 1,
        .webhook_secrets = { HOOK_SECRET },
        .timeouts = { 2500, 2500, 2500, 2500, 2000 },
    };
    static bool started;

    started = started || soap_library_start();
    assert(started);
    return gateway;
}

static struct id id_of(const char *text)
{
    struct id id;
    bool parsed = id_parse(text, &id);

    assert(parsed);
    return id;
}

/* No card's number gets into a log. */
static void check_result(const struct gateway_result *result)
{
    size_t digits = 0;

    assert(result->outcome < GATEWAY_OUTCOME_COUNT);
    assert(gateway_text_is_plain(result->bank_id) && gateway_text_is_plain(result->failure_code) &&
           gateway_text_is_plain(result->decline_code));
    assert(result->action_url[0] == '\0' || gateway_url_is_plain(result->action_url));
    assert((result->outcome == GATEWAY_DECLINED) == (result->failure_code[0] != '\0'));
    assert(text_is_utf8(span_of(result->detail)));
    for (const char *at = result->detail; *at != '\0'; at++) {
        digits = *at >= '0' && *at <= '9' ? digits + 1 : 0;
        assert(digits < CARD_NUMBER_MIN);
    }
}

/* --- webhooks --------------------------------------------------------------------------------- */

static void check_notice(const struct gateway_notice *notice)
{
    assert(notice->id[0] != '\0' && gateway_text_is_plain(notice->id));
    if (notice->kind == GATEWAY_NOTICE_OTHER)
        return;
    assert(notice->operation < GATEWAY_OPERATION_COUNT);
    assert(notice->result.outcome <= GATEWAY_VOIDED);
    assert(notice->result.outcome == GATEWAY_VOIDED || notice->money.amount > 0);
    check_result(&notice->result);
}

void fuzz_webhook(const struct gateway_protocol *protocol, const char *content_type,
                  struct span body)
{
    struct gateway gateway = make_gateway(protocol);
    char signature[WEBHOOK_SIGNATURE_SIZE], timestamp[24];
    struct gateway_notice notice;
    struct error err;

    text_format(timestamp, sizeof(timestamp), "%d", NOW_S);
    webhook_sign(HOOK_SECRET, "msg_1", NOW_S, body, signature);
    struct gateway_webhook webhook = {
        .account = "demo",
        .content_type = content_type,
        .id = "msg_1",
        .timestamp = timestamp,
        .signature = signature,
        .body = body,
        .now = { NOW_S * INT64_C(1000) },
    };
    if (protocol->parse_webhook(&gateway, &webhook, &notice, &err)) {
        check_notice(&notice);
        return;
    }
    fuzz_check_refusal(&err);
    assert(err.kind == ERROR_MALFORMED || err.kind == ERROR_VALIDATION);
}

/* --- answers ---------------------------------------------------------------------------------- */

static struct gateway_call make_call(enum gateway_operation operation)
{
    static const struct card card = { "4242424242424242", "123", 12, 2030, "N" };

    return (struct gateway_call){
        .operation = operation,
        .reference = id_of(REFERENCE),
        .target = id_of(TARGET),
        .account = "demo",
        .money = { 13700, EUR },
        .card = &card,
        .deadline = deadline_in_ms(1000),
    };
}

static void ask(const struct gateway_protocol *protocol, enum gateway_question question,
                enum gateway_operation operation)
{
    struct gateway gateway = make_gateway(protocol);
    struct gateway_call call = make_call(operation);
    struct gateway_result result;

    switch (question) {
    case GATEWAY_PERFORM:
        protocol->perform(&gateway, &call, &result);
        assert(result.outcome != GATEWAY_NOT_FOUND);
        break;
    case GATEWAY_LOOK_UP:
        protocol->look_up(&gateway, &call, &result);
        break;
    case GATEWAY_VOID_REFERENCE:
        protocol->void_reference(&gateway, &call, &result);
        assert(result.outcome != GATEWAY_PENDING);
        break;
    }
    check_result(&result);
}

void fuzz_answer(const struct gateway_protocol *protocol, struct span body)
{
    static const struct {
        int status;
        enum gateway_question question;
        enum gateway_operation operation;
    } asked[] = {
        { 200, GATEWAY_PERFORM, GATEWAY_AUTHORIZE },
        { 200, GATEWAY_LOOK_UP, GATEWAY_CAPTURE },
        { 200, GATEWAY_PERFORM, GATEWAY_REFUND },
        { 200, GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE },
        { 404, GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE },
        { 409, GATEWAY_PERFORM, GATEWAY_AUTHORIZE },
    };

    answered.body = body;
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        answered.status = asked[i].status;
        ask(protocol, asked[i].question, asked[i].operation);
    }
}
