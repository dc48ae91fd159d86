#include "payment-service/gateway_json.h"

#include "shared/crypto/hash.h"
#include "tests/unit/freed.h"
#include "tests/unit/payment/json_records.h"
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
    { "201 with a record is its status", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(201, GOOD),
      GATEWAY_APPROVED },
    { "200 with a record is its status", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(200, GOOD),
      GATEWAY_APPROVED },
    { "a decline is an answer", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(201, DECLINED),
      GATEWAY_DECLINED },
    { "a challenge is pending", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "pending",
                         MONEY ",\"action_url\":\"http://127.0.0.1/c\"")),
      GATEWAY_PENDING },
    { "a dead reference is voided", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, RECORD("authorize", REFERENCE, "voided", MONEY)), GATEWAY_VOIDED },
    { "a reference that was dead before is voided", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(200, DEAD), GATEWAY_VOIDED },
    { "a transfer is pending", GATEWAY_PERFORM, GATEWAY_TRANSFER,
      ANSWER(201, RECORD("transfer", REFERENCE, "pending", MONEY "," NONE)), GATEWAY_PENDING },
    { "a capture is approved", GATEWAY_PERFORM, GATEWAY_CAPTURE,
      ANSWER(201, RECORD("capture", REFERENCE, "approved", MONEY "," AT)), GATEWAY_APPROVED },
    { "a void is approved", GATEWAY_PERFORM, GATEWAY_VOID,
      ANSWER(201, RECORD("void", REFERENCE, "approved", MONEY "," AT)), GATEWAY_APPROVED },
    { "a refund is pending", GATEWAY_PERFORM, GATEWAY_REFUND,
      ANSWER(201, RECORD("refund", REFERENCE, "pending", MONEY "," AT)), GATEWAY_PENDING },
    { "a refund is declined", GATEWAY_PERFORM, GATEWAY_REFUND,
      ANSWER(201, RECORD("refund", REFERENCE, "declined", MONEY "," AT "," FAILURE)),
      GATEWAY_DECLINED },
    { "members that nobody knows do not matter", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "approved", MONEY ",\"fee\":{\"x\":[1]}")),
      GATEWAY_APPROVED },

    { "another reference is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", OTHER, "approved", MONEY)), GATEWAY_UNKNOWN },
    { "another reference that was voided is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", OTHER, "voided", MONEY)), GATEWAY_UNKNOWN },
    { "another amount is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201,
             RECORD("authorize", REFERENCE, "approved", "\"amount\":13701,\"currency\":\"EUR\"")),
      GATEWAY_UNKNOWN },
    { "another amount that was declined is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "declined",
                         "\"amount\":137,\"currency\":\"EUR\"," FAILURE)),
      GATEWAY_UNKNOWN },
    { "another currency is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201,
             RECORD("authorize", REFERENCE, "approved", "\"amount\":13700,\"currency\":\"USD\"")),
      GATEWAY_UNKNOWN },
    { "another operation is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("transfer", REFERENCE, "approved", MONEY)), GATEWAY_UNKNOWN },
    { "a capture of another authorization is unknown", GATEWAY_PERFORM, GATEWAY_CAPTURE,
      ANSWER(201,
             RECORD("capture", REFERENCE, "approved", MONEY ",\"authorization\":\"" OTHER "\"")),
      GATEWAY_UNKNOWN },
    { "a refund of no authorization is unknown", GATEWAY_PERFORM, GATEWAY_REFUND,
      ANSWER(201, RECORD("refund", REFERENCE, "approved", MONEY)), GATEWAY_UNKNOWN },

    { "no body is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(201, ""), GATEWAY_UNKNOWN },
    { "no JSON is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(201, "<html>"),
      GATEWAY_UNKNOWN },
    { "cut JSON is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(201, "{\"id\":\"op_1\","),
      GATEWAY_UNKNOWN },
    { "an array is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(201, "[" GOOD "]"),
      GATEWAY_UNKNOWN },
    { "an empty object is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(201, "{}"),
      GATEWAY_UNKNOWN },
    { "a status nobody knows is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "settled", MONEY)), GATEWAY_UNKNOWN },
    { "an amount as text is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "approved",
                         "\"amount\":\"13700\",\"currency\":\"EUR\"")),
      GATEWAY_UNKNOWN },
    { "an amount with a fraction is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201,
             RECORD("authorize", REFERENCE, "approved", "\"amount\":13700.0,\"currency\":\"EUR\"")),
      GATEWAY_UNKNOWN },
    { "no amount is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "approved", "\"currency\":\"EUR\"")),
      GATEWAY_UNKNOWN },
    { "a script as action is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "pending",
                         MONEY ",\"action_url\":\"javascript:alert(1)\"")),
      GATEWAY_UNKNOWN },
    { "a status twice is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "approved", MONEY ",\"status\":\"declined\"")),
      GATEWAY_UNKNOWN },
    { "an approval of a dead reference is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("void_reference", REFERENCE, "approved", MONEY)), GATEWAY_UNKNOWN },

    { "400 with a problem is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(400, PROBLEM("json_malformed")), GATEWAY_NOTHING },
    { "401 with a problem is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(401, PROBLEM("key_invalid")), GATEWAY_NOTHING },
    { "403 with a problem is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(403, PROBLEM("forbidden")), GATEWAY_NOTHING },
    { "404 with a problem is nothing", GATEWAY_PERFORM, GATEWAY_CAPTURE,
      ANSWER(404, PROBLEM("authorization_not_found")), GATEWAY_NOTHING },
    { "409 with a problem is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(409, PROBLEM("account_closed")), GATEWAY_NOTHING },
    { "422 with a problem is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(422, PROBLEM("currency_not_supported")), GATEWAY_NOTHING },
    { "429 with a problem is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(429, PROBLEM("rate_limited")), GATEWAY_NOTHING },
    { "409 of a dead reference is voided", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(409, PROBLEM("reference_voided")), GATEWAY_VOIDED },
    { "409 of a reference that is something else is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(409, PROBLEM("reference_reused")), GATEWAY_UNKNOWN },
    { "409 without a problem is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(409, "no"),
      GATEWAY_UNKNOWN },
    { "403 of somebody on the way is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      ANSWER(403, "<html>"), GATEWAY_UNKNOWN },
    { "404 without a code is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(404, "{}"),
      GATEWAY_UNKNOWN },
    { "405 is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(405, PROBLEM("method")),
      GATEWAY_UNKNOWN },
    { "408 is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(408, PROBLEM("timeout")),
      GATEWAY_UNKNOWN },
    { "503 is nothing", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(503, PROBLEM("unavailable")),
      GATEWAY_NOTHING },
    { "503 without a problem is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(503, ""),
      GATEWAY_UNKNOWN },
    { "500 is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(500, PROBLEM("internal_error")),
      GATEWAY_UNKNOWN },
    { "502 is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(502, "<html>"),
      GATEWAY_UNKNOWN },
    { "504 is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(504, ""), GATEWAY_UNKNOWN },
    { "302 is followed nowhere, and unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { BANK_ANSWERS, 302, "Location: http://127.0.0.1:1/\r\n", GOOD },
      GATEWAY_UNKNOWN },
    { "204 is unknown", GATEWAY_PERFORM, GATEWAY_AUTHORIZE, ANSWER(204, NULL), GATEWAY_UNKNOWN },

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
      { BANK_CUTS_HEAD, 201, NULL, GOOD },
      GATEWAY_UNKNOWN },
    { "a cut body is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { BANK_CUTS_BODY, 201, NULL, GOOD },
      GATEWAY_UNKNOWN },
    { "a cut refusal is unknown",
      GATEWAY_PERFORM,
      GATEWAY_AUTHORIZE,
      { BANK_CUTS_BODY, 422, NULL, PROBLEM("invalid") },
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

    { "a look up finds", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE, ANSWER(200, GOOD), GATEWAY_APPROVED },
    { "a look up finds a decline", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE, ANSWER(200, DECLINED),
      GATEWAY_DECLINED },
    { "a look up finds what is pending", GATEWAY_LOOK_UP, GATEWAY_TRANSFER,
      ANSWER(200, RECORD("transfer", REFERENCE, "pending", MONEY)), GATEWAY_PENDING },
    { "a look up finds what is dead", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE, ANSWER(200, DEAD),
      GATEWAY_VOIDED },
    { "a look up that finds another amount is unknown", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(200, RECORD("authorize", REFERENCE, "approved", "\"amount\":1,\"currency\":\"EUR\"")),
      GATEWAY_UNKNOWN },
    { "a look up that finds nothing", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(404, PROBLEM("not_found")), GATEWAY_NOT_FOUND },
    { "a look up of an account nobody opened finds nothing", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(404, PROBLEM("account_not_found")), GATEWAY_NOT_FOUND },
    { "404 of somebody on the way is no answer to a look up", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(404, "<html>"), GATEWAY_UNKNOWN },
    { "401 to a look up could not be asked", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(401, PROBLEM("key_invalid")), GATEWAY_NOTHING },
    { "429 to a look up could not be asked", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(429, PROBLEM("rate_limited")), GATEWAY_NOTHING },
    { "503 to a look up could not be asked", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(503, PROBLEM("unavailable")), GATEWAY_NOTHING },
    { "500 to a look up is no answer", GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE,
      ANSWER(500, PROBLEM("internal_error")), GATEWAY_UNKNOWN },
    { "hanging up on a look up is no answer",
      GATEWAY_LOOK_UP,
      GATEWAY_AUTHORIZE,
      { .behaviour = BANK_HANGS_UP },
      GATEWAY_UNKNOWN },

    { "a void by reference kills", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE, ANSWER(201, DEAD),
      GATEWAY_VOIDED },
    { "a void by reference kills what is pending", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(201, RECORD("authorize", REFERENCE, "voided", MONEY)), GATEWAY_VOIDED },
    { "a void by reference tells what was approved", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200, GOOD), GATEWAY_APPROVED },
    { "a void by reference tells what was declined", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200, DECLINED), GATEWAY_DECLINED },
    { "a void by reference that leaves it pending is no answer", GATEWAY_VOID_REFERENCE,
      GATEWAY_TRANSFER, ANSWER(200, RECORD("transfer", REFERENCE, "pending", MONEY)),
      GATEWAY_UNKNOWN },
    { "a void by reference of another is no answer", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(200, RECORD("void_reference", OTHER, "voided", "\"amount\":null")), GATEWAY_UNKNOWN },
    { "404 to a void by reference could not be asked", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(404, PROBLEM("account_not_found")), GATEWAY_NOTHING },
    { "500 to a void by reference is no answer", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      ANSWER(500, ""), GATEWAY_UNKNOWN },
};

static void put(const struct gateway *gateway, enum gateway_question question,
                const struct gateway_call *call, struct gateway_result *out)
{
    if (question == GATEWAY_LOOK_UP)
        gateway_json.look_up(gateway, call, out);
    else if (question == GATEWAY_VOID_REFERENCE)
        gateway_json.void_reference(gateway, call, out);
    else
        gateway_json.perform(gateway, call, out);
}

static struct gateway_result ask(enum gateway_question question, enum gateway_operation operation,
                                 const struct fake_answer *answer)
{
    struct gateway gateway = fake_gateway(bank, &gateway_json, clients);
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
    static const struct fake_answer declined = ANSWER(201, DECLINED);
    static const struct fake_answer good = ANSWER(201, GOOD);
    static const struct fake_answer pending =
        ANSWER(201, RECORD("authorize", REFERENCE, "pending",
                           MONEY "," OPEN ",\"action_url\":\"https://bank/c?a=1&b=2\""));
    static const struct fake_answer unexplained =
        ANSWER(201, RECORD("authorize", REFERENCE, "declined", MONEY));

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

/* A key of ours that is wrong gives up no refund. */
static void only_what_is_final_is_a_refusal(void **state)
{
    static const struct fake_answer unknown = { BANK_ANSWERS, 404, "",
                                                PROBLEM("authorization_not_found") };
    static const struct fake_answer ours = { BANK_ANSWERS, 401, "", PROBLEM("key_invalid") };
    static const struct fake_answer busy = { BANK_ANSWERS, 429, "", PROBLEM("rate_limited") };

    (void)state;
    assert_string_equal(ask(GATEWAY_PERFORM, GATEWAY_REFUND, &unknown).refusal,
                        "authorization_not_found");
    assert_string_equal(ask(GATEWAY_PERFORM, GATEWAY_REFUND, &ours).refusal, "");
    assert_string_equal(ask(GATEWAY_PERFORM, GATEWAY_REFUND, &busy).refusal, "");
}

static void retry_after_comes_with_nothing_only(void **state)
{
    static const struct fake_answer away = { BANK_ANSWERS, 503, "Retry-After: 7\r\n",
                                             PROBLEM("unavailable") };
    static const struct fake_answer busy = { BANK_ANSWERS, 429, "Retry-After: 9\r\n",
                                             PROBLEM("rate_limited") };
    static const struct fake_answer broken = { BANK_ANSWERS, 500, "Retry-After: 7\r\n", "" };

    (void)state;
    assert_int_equal(ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &away).retry_after_s, 7);
    assert_int_equal(ask(GATEWAY_LOOK_UP, GATEWAY_AUTHORIZE, &busy).retry_after_s, 9);
    assert_int_equal(ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &broken).retry_after_s, 0);
}

static const struct request_row {
    const char *label;
    enum gateway_question question;
    enum gateway_operation operation;
    const char *line, *body;
} request_rows[] = {
    { "an authorization has everything", GATEWAY_PERFORM, GATEWAY_AUTHORIZE,
      "POST /bank-x/v1/accounts/demo/authorizations HTTP/1.1\r\n",
      "{\"reference\":\"" REFERENCE "\",\"amount\":13700,\"currency\":\"EUR\",\"capture\":true,"
      "\"card\":{\"number\":\"" CARD_NUMBER "\",\"exp_month\":12,\"exp_year\":2030,"
      "\"cvc\":\"012\",\"name\":\"Anna <\\\"&\\u0001\xc3\x84>\"}}" },
    { "a transfer has an amount", GATEWAY_PERFORM, GATEWAY_TRANSFER,
      "POST /bank-x/v1/accounts/demo/transfers HTTP/1.1\r\n",
      "{\"reference\":\"" REFERENCE "\",\"amount\":13700,\"currency\":\"EUR\"}" },
    { "a capture has an authorization", GATEWAY_PERFORM, GATEWAY_CAPTURE,
      "POST /bank-x/v1/accounts/demo/captures HTTP/1.1\r\n",
      "{\"reference\":\"" REFERENCE "\",\"authorization\":\"" TARGET "\",\"amount\":13700}" },
    { "a void has no amount", GATEWAY_PERFORM, GATEWAY_VOID,
      "POST /bank-x/v1/accounts/demo/voids HTTP/1.1\r\n",
      "{\"reference\":\"" REFERENCE "\",\"authorization\":\"" TARGET "\"}" },
    { "a refund has an authorization", GATEWAY_PERFORM, GATEWAY_REFUND,
      "POST /bank-x/v1/accounts/demo/refunds HTTP/1.1\r\n",
      "{\"reference\":\"" REFERENCE "\",\"authorization\":\"" TARGET "\",\"amount\":13700}" },
    { "a look up has no body", GATEWAY_LOOK_UP, GATEWAY_REFUND,
      "GET /bank-x/v1/accounts/demo/operations/" REFERENCE " HTTP/1.1\r\n", "" },
    { "a void by reference has the reference alone", GATEWAY_VOID_REFERENCE, GATEWAY_AUTHORIZE,
      "POST /bank-x/v1/accounts/demo/void_references HTTP/1.1\r\n",
      "{\"reference\":\"" REFERENCE "\"}" },
};

static void check_request(void **state)
{
    static const struct fake_answer answer = ANSWER(500, "");
    const struct request_row *row = *state;

    ask(row->question, row->operation, &answer);
    const char *heard = fake_bank_heard(bank);
    assert_memory_equal(heard, row->line, strlen(row->line));
    assert_non_null(strstr(heard, "\r\nAuthorization: Bearer key-of-bank-x\r\n"));
    assert_non_null(strstr(heard, "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-"));
    assert_int_equal(strstr(heard, "\r\nContent-Type: application/json\r\n") != NULL,
                     *row->body != '\0');
    assert_string_equal(strstr(heard, "\r\n\r\n") + 4, row->body);
}

static void what_a_card_does_not_have_is_left_out(void **state)
{
    static const struct fake_answer answer = ANSWER(500, "");
    struct gateway gateway = fake_gateway(bank, &gateway_json, clients);
    struct gateway_call call = fake_call(GATEWAY_AUTHORIZE);
    struct card card = { .number = CARD_NUMBER, .exp_month = 1, .exp_year = 2031 };
    struct gateway_result result;

    (void)state;
    call.card = &card;
    call.capture = false;
    fake_bank_tell(bank, &answer);
    gateway_json.perform(&gateway, &call, &result);
    assert_non_null(strstr(fake_bank_heard(bank),
                           "\"capture\":false,\"card\":{\"number\":\"" CARD_NUMBER
                           "\",\"exp_month\":1,\"exp_year\":2031}}"));
}

/* Neither when it went well nor when it did not. */
static void no_card_is_left_in_memory(void **state)
{
    static const struct fake_answer good = ANSWER(201, GOOD);
    static const struct fake_answer gone = { .behaviour = BANK_HANGS_UP };

    (void)state;
    freed_watch(span_of(CARD_NUMBER));
    ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &good);
    ask(GATEWAY_PERFORM, GATEWAY_AUTHORIZE, &gone);
    assert_int_equal(freed_found(), 0);
}

static void nobody_there_is_nothing(void **state)
{
    struct gateway gateway = nobody_gateway(&gateway_json, clients);
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
    struct gateway gateway = fake_gateway(bank, &gateway_json, clients);
    struct gateway_call call = fake_call(GATEWAY_AUTHORIZE);
    struct gateway_result result;

    (void)state;
    call.deadline = deadline_in_ms(0);
    gateway_json.perform(&gateway, &call, &result);
    assert_int_equal(result.outcome, GATEWAY_NOTHING);
}

/* Each question has its own timeout, and none outlasts the caller's deadline. */
static void silence_is_unknown_when_its_time_is_over(void **state)
{
    static const struct fake_answer silent = { .behaviour = BANK_IS_SILENT };
    struct gateway gateway = fake_gateway(bank, &gateway_json, clients);
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

    assert(crypto_start() && client_library_start());
    clients = client_pool_create(2);
    bank = fake_bank_start();
    TABLE_ADD_ROWS(&table, mapping_rows, check_mapping);
    TABLE_ADD(&table, what_the_bank_says_of_it_comes_out);
    TABLE_ADD(&table, only_what_is_final_is_a_refusal);
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
