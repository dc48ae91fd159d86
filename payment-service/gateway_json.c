#include "payment-service/gateway_json.h"

#include "payment-service/gateway_exchange.h"
#include "payment-service/gateway_notice.h"
#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"

/* Bytes of a path below the origin. */
enum { PATH_SIZE = 320 };

/* Where each operation is posted. */
static const char *const collections[GATEWAY_OPERATION_COUNT] = {
    [GATEWAY_AUTHORIZE] = "authorizations", [GATEWAY_TRANSFER] = "transfers",
    [GATEWAY_CAPTURE] = "captures",         [GATEWAY_VOID] = "voids",
    [GATEWAY_REFUND] = "refunds",
};

static void write_card(struct json_writer *json, const struct card *card)
{
    json_name(json, "card");
    json_begin_object(json);
    json_member_text(json, "number", card->number);
    json_member_integer(json, "exp_month", card->exp_month);
    json_member_integer(json, "exp_year", card->exp_year);
    if (*card->cvc != '\0')
        json_member_text(json, "cvc", card->cvc);
    if (*card->name != '\0')
        json_member_text(json, "name", card->name);
    json_end_object(json);
}

static void write_call(struct buffer *out, const struct gateway_call *call)
{
    struct json_writer json = { .out = out };

    json_begin_object(&json);
    json_member_id(&json, "reference", call->reference);
    if (gateway_record_needs_authorization(call->operation))
        json_member_id(&json, "authorization", call->target);
    if (call->operation != GATEWAY_VOID)
        json_member_integer(&json, "amount", call->money.amount);
    if (!gateway_record_needs_authorization(call->operation))
        json_member_text(&json, "currency", call->money.currency.code);
    if (call->operation == GATEWAY_AUTHORIZE) {
        json_member_boolean(&json, "capture", call->capture);
        write_card(&json, call->card);
    }
    json_end_object(&json);
}

static void write_path(char out[PATH_SIZE], const struct gateway *gateway,
                       const struct gateway_call *call, const char *rest)
{
    bool fits =
        text_format(out, PATH_SIZE, "%s/accounts/%s/%s", gateway->path, call->account, rest);

    assert(fits);
}

/* A text of plain characters, at most `size` - 1 of them. */
static void read_plain(struct json_reader *reader, const char *name, enum json_presence presence,
                       char *out, size_t size)
{
    char text[4 * GATEWAY_URL_SIZE];

    if (!json_read_text(reader, name, presence, 1, size - 1, text, sizeof(text)))
        return;
    if (gateway_text_is_plain(text))
        text_copy(out, size, text);
    else
        json_reader_refuse(reader, name, "not_allowed", "must be ASCII without blanks");
}

/* What was voided moves no money, and a bank may have none to tell. */
static void read_money(struct json_reader *reader, struct gateway_record *out)
{
    char code[4 * 3 + 1];

    if (!gateway_record_needs_money(out->status))
        return;
    json_read_integer(reader, "amount", JSON_REQUIRED, 1, INT64_MAX, &out->money.amount);
    if (json_read_text(reader, "currency", JSON_REQUIRED, 3, 3, code, sizeof(code)) &&
        !currency_parse(code, &out->money.currency))
        json_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active code of ISO 4217");
}

static void read_failure(struct json_reader *reader, struct gateway_record *out)
{
    struct json_reader failure;

    if (!json_read_object(reader, "failure", JSON_OPTIONAL, &failure))
        return;
    read_plain(&failure, "code", JSON_REQUIRED, out->failure_code, sizeof(out->failure_code));
    read_plain(&failure, "decline_code", JSON_OPTIONAL, out->decline_code,
               sizeof(out->decline_code));
}

static void read_action(struct json_reader *reader, struct gateway_record *out)
{
    read_plain(reader, "action_url", JSON_OPTIONAL, out->action_url, sizeof(out->action_url));
    if (*out->action_url != '\0' && !gateway_url_is_plain(out->action_url))
        json_reader_refuse(reader, "action_url", "not_allowed", "must be of http or https");
}

/* Members that are not read may be there: a bank adds what it likes. */
static void read_record(struct json_reader *reader, struct gateway_record *out)
{
    enum json_presence authorization = JSON_OPTIONAL;

    *out = (struct gateway_record){ .status = GATEWAY_RECORD_STATUS_COUNT };
    read_plain(reader, "id", JSON_REQUIRED, out->id, sizeof(out->id));
    if (json_read_choice(reader, "operation", JSON_REQUIRED, gateway_record_operation_words,
                         GATEWAY_RECORD_OPERATION_COUNT, &out->operation) &&
        gateway_record_needs_authorization(out->operation))
        authorization = JSON_REQUIRED;
    json_read_id(reader, "reference", JSON_REQUIRED, &out->reference);
    json_read_id(reader, "authorization", authorization, &out->authorization);
    json_read_choice(reader, "status", JSON_REQUIRED, gateway_record_status_words,
                     GATEWAY_RECORD_STATUS_COUNT, &out->status);
    read_money(reader, out);
    json_read_boolean(reader, "captured", JSON_OPTIONAL, &out->captured);
    read_failure(reader, out);
    read_action(reader, out);
    if (out->operation == GATEWAY_RECORD_VOID_REFERENCE && out->status != GATEWAY_VOIDED)
        json_reader_refuse(reader, "status", "not_allowed", "must be voided");
}

/* A record, or unknown. */
static void read_answer(const struct gateway_answer *answer, const struct gateway_call *call,
                        enum gateway_question question, struct gateway_result *out)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct gateway_record record;
    struct json_reader reader;
    struct error err;

    if (!json_document_parse(buffer_span(&answer->body), &document, &err)) {
        gateway_result_set(out, GATEWAY_UNKNOWN, "answered %d, and no JSON", answer->status);
        return;
    }
    json_reader_begin(&reader, &document, &err);
    read_record(&reader, &record);
    if (json_reader_ok(&reader))
        gateway_record_judge(&record, call, question, out);
    else
        gateway_result_set(out, GATEWAY_UNKNOWN, "answered %d, and no record: %s %s",
                           answer->status, err.fields[0].pointer, err.fields[0].code);
}

/* The code of a problem document; false when it is none. */
static bool read_problem(const struct gateway_answer *answer, char code[GATEWAY_CODE_SIZE])
{
    AUTO(json_document_release) struct json_document document = { NULL };
    char text[4 * GATEWAY_CODE_SIZE];
    struct json_reader reader;
    struct error err;

    if (!json_document_parse(buffer_span(&answer->body), &document, &err))
        return false;
    json_reader_begin(&reader, &document, &err);
    if (!json_read_text(&reader, "code", JSON_REQUIRED, 1, GATEWAY_CODE_SIZE - 1, text,
                        sizeof(text)))
        return false;
    return text_copy(code, GATEWAY_CODE_SIZE, gateway_code_or_none(text));
}

/* Statuses with which the bank says that it did not even begin. */
static bool is_refusal(int status)
{
    static const int refusals[] = { 400, 401, 403, 404, 409, 422, 429, 503 };

    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        if (refusals[i] == status)
            return true;
    return false;
}

/*
 * An answer that is no record. Without a problem document it may be anybody's on the way, who tells
 * nothing of what the bank did; 503 too.
 */
static void read_refusal(const struct gateway_answer *answer, enum gateway_question question,
                         struct gateway_result *out)
{
    char code[GATEWAY_CODE_SIZE];

    if (!is_refusal(answer->status) || !read_problem(answer, code))
        gateway_result_set(out, GATEWAY_UNKNOWN, "answered %d", answer->status);
    else if (answer->status == 503)
        gateway_result_set(out, GATEWAY_NOTHING, "answered 503 %s", code);
    else if (question == GATEWAY_LOOK_UP && answer->status == 404)
        gateway_result_set(out, GATEWAY_NOT_FOUND, "answered 404 %s", code);
    else
        gateway_record_refused(code, question, out);
    if (out->outcome == GATEWAY_NOTHING)
        out->retry_after_s = answer->retry_after_s;
}

static void ask(const struct gateway *gateway, const struct gateway_call *call,
                enum gateway_question question, struct client_request *request,
                struct gateway_result *out)
{
    AUTO(gateway_answer_release) struct gateway_answer answer = GATEWAY_ANSWER_EMPTY;

    request->traceparent = call->traceparent;
    request->deadline = gateway_deadline(gateway, question, call);
    if (!gateway_ask(gateway, request, &answer, out))
        return;
    if (answer.status >= 200 && answer.status <= 299)
        read_answer(&answer, call, question, out);
    else
        read_refusal(&answer, question, out);
}

static void perform(const struct gateway *gateway, const struct gateway_call *call,
                    struct gateway_result *out)
{
    AUTO(buffer_release) struct buffer body = BUFFER_SECRET; /* a card may be in it */
    char path[PATH_SIZE];

    write_path(path, gateway, call, collections[call->operation]);
    write_call(&body, call);
    struct client_request request = { .method = "POST", .path = path, .body = buffer_span(&body) };
    ask(gateway, call, GATEWAY_PERFORM, &request, out);
}

static void look_up(const struct gateway *gateway, const struct gateway_call *call,
                    struct gateway_result *out)
{
    char path[PATH_SIZE], rest[64];

    text_format(rest, sizeof(rest), "operations/%s", id_text(call->reference).text);
    write_path(path, gateway, call, rest);
    struct client_request request = { .method = "GET", .path = path };
    ask(gateway, call, GATEWAY_LOOK_UP, &request, out);
}

static void void_reference(const struct gateway *gateway, const struct gateway_call *call,
                           struct gateway_result *out)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    char path[PATH_SIZE];

    write_path(path, gateway, call, "void_references");
    json_begin_object(&json);
    json_member_id(&json, "reference", call->reference);
    json_end_object(&json);
    struct client_request request = { .method = "POST", .path = path, .body = buffer_span(&body) };
    ask(gateway, call, GATEWAY_VOID_REFERENCE, &request, out);
}

static void read_account(struct json_reader *reader, const char *expected)
{
    char account[4 * GATEWAY_ACCOUNT_SIZE];

    if (json_read_text(reader, "account", JSON_REQUIRED, 1, GATEWAY_ACCOUNT_SIZE - 1, account,
                       sizeof(account)) &&
        strcmp(account, expected) != 0)
        json_reader_refuse(reader, "account", "not_allowed", "must be the account of the path");
}

static void read_operation(struct json_reader *reader, const struct gateway_notice_type *type,
                           struct gateway_notice *out)
{
    struct gateway_record record;
    struct json_reader operation;

    if (!json_read_object(reader, "operation", JSON_REQUIRED, &operation))
        return;
    read_record(&operation, &record);
    if (!gateway_notice_fits(type, &record))
        json_reader_refuse(&operation, "operation", "not_allowed", "must be what the type says");
    if (json_reader_ok(reader))
        gateway_notice_fill(out, type, &record);
}

/* What is not read of it, and what types there may be besides, is the bank's. */
static bool read_notice(struct json_reader *reader, const char *account, struct gateway_notice *out)
{
    const struct gateway_notice_type *type = NULL;
    char text[4 * GATEWAY_TYPE_MAX + 1];

    *out = (struct gateway_notice){ .kind = GATEWAY_NOTICE_OTHER };
    read_plain(reader, "id", JSON_REQUIRED, out->id, sizeof(out->id));
    read_account(reader, account);
    if (json_read_text(reader, "type", JSON_REQUIRED, 1, GATEWAY_TYPE_MAX, text, sizeof(text)))
        type = gateway_notice_type(text);
    if (type)
        read_operation(reader, type, out);
    return json_reader_ok(reader);
}

static bool parse_webhook(const struct gateway *gateway, const struct gateway_webhook *webhook,
                          struct gateway_notice *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct gateway_notice notice;
    struct json_reader reader;

    if (!gateway_webhook_check(gateway, webhook, "application/json", err) ||
        !json_document_parse(webhook->body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    if (!read_notice(&reader, webhook->account, &notice))
        return false;
    *out = notice;
    return true;
}

const struct gateway_protocol gateway_json = {
    .name = "json",
    .perform = perform,
    .look_up = look_up,
    .void_reference = void_reference,
    .parse_webhook = parse_webhook,
};
