#include "payment-service/gateway_soap.h"

#include "payment-service/gateway_exchange.h"
#include "payment-service/gateway_notice.h"
#include "shared/soap/envelope.h"

#define BANK_NAMESPACE "urn:checkout:bank:1"

/* Bytes of a path below the origin, of a SOAPAction, and of a message's name. */
enum { PATH_SIZE = 160, ACTION_SIZE = 64, MESSAGE_SIZE = 40 };

/* Characters of a fault's code, prefix and subcodes included. */
enum { FAULT_CODE_MAX = 100 };

/* The message of each operation. */
static const char *const messages[GATEWAY_OPERATION_COUNT] = {
    [GATEWAY_AUTHORIZE] = "Authorize", [GATEWAY_TRANSFER] = "AnnounceTransfer",
    [GATEWAY_CAPTURE] = "Capture",     [GATEWAY_VOID] = "Void",
    [GATEWAY_REFUND] = "Refund",
};

/* What is asked: a message, and what it is about. */
struct question {
    enum gateway_question kind;
    const char *message;
    const struct gateway_call *call;
};

static void write_card(struct buffer *out, const struct card *card)
{
    soap_field_begin(out, "card");
    soap_field_text(out, "number", card->number);
    soap_field_integer(out, "exp_month", card->exp_month);
    soap_field_integer(out, "exp_year", card->exp_year);
    if (*card->cvc != '\0')
        soap_field_text(out, "cvc", card->cvc);
    if (*card->name != '\0')
        soap_field_text(out, "name", card->name);
    soap_field_end(out, "card");
}

static void write_call(struct buffer *out, const struct gateway_call *call)
{
    if (gateway_record_needs_authorization(call->operation))
        soap_field_id(out, "authorization", call->target);
    if (call->operation != GATEWAY_VOID)
        soap_field_integer(out, "amount", call->money.amount);
    if (!gateway_record_needs_authorization(call->operation))
        soap_field_text(out, "currency", call->money.currency.code);
    if (call->operation == GATEWAY_AUTHORIZE) {
        soap_field_boolean(out, "capture", call->capture);
        write_card(out, call->card);
    }
}

static void write_question(struct buffer *out, const struct question *question)
{
    envelope_begin(out, BANK_NAMESPACE, question->message);
    soap_field_text(out, "account", question->call->account);
    soap_field_id(out, "reference", question->call->reference);
    if (question->kind == GATEWAY_PERFORM)
        write_call(out, question->call);
    envelope_end(out, question->message);
}

/* A text of plain characters, at most `size` - 1 of them. */
static void read_plain(struct soap_reader *reader, const char *name, enum soap_presence presence,
                       char *out, size_t size)
{
    char text[4 * GATEWAY_URL_SIZE];

    if (!soap_read_text(reader, name, presence, 1, size - 1, text, sizeof(text)))
        return;
    if (gateway_text_is_plain(text))
        text_copy(out, size, text);
    else
        soap_reader_refuse(reader, name, "not_allowed", "must be ASCII without blanks");
}

/* What was voided moves no money, and a bank may have none to tell. */
static void read_money(struct soap_reader *reader, struct gateway_record *out)
{
    char code[4 * 3 + 1];

    if (!gateway_record_needs_money(out->status))
        return;
    soap_read_integer(reader, "amount", SOAP_REQUIRED, 1, INT64_MAX, &out->money.amount);
    if (soap_read_text(reader, "currency", SOAP_REQUIRED, 3, 3, code, sizeof(code)) &&
        !currency_parse(code, &out->money.currency))
        soap_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active code of ISO 4217");
}

static void read_failure(struct soap_reader *reader, struct gateway_record *out)
{
    struct soap_reader failure;

    if (!soap_read_element(reader, "failure", SOAP_OPTIONAL, &failure))
        return;
    read_plain(&failure, "code", SOAP_REQUIRED, out->failure_code, sizeof(out->failure_code));
    read_plain(&failure, "decline_code", SOAP_OPTIONAL, out->decline_code,
               sizeof(out->decline_code));
}

static void read_action(struct soap_reader *reader, struct gateway_record *out)
{
    read_plain(reader, "action_url", SOAP_OPTIONAL, out->action_url, sizeof(out->action_url));
    if (*out->action_url != '\0' && !gateway_url_is_plain(out->action_url))
        soap_reader_refuse(reader, "action_url", "not_allowed", "must be of http or https");
}

/* Fields that are not read may be there: a bank adds what it likes. */
static void read_record(struct soap_reader *reader, struct gateway_record *out)
{
    enum soap_presence authorization = SOAP_OPTIONAL;

    *out = (struct gateway_record){ .status = GATEWAY_RECORD_STATUS_COUNT };
    read_plain(reader, "id", SOAP_REQUIRED, out->id, sizeof(out->id));
    if (soap_read_choice(reader, "operation", SOAP_REQUIRED, gateway_record_operation_words,
                         GATEWAY_RECORD_OPERATION_COUNT, &out->operation) &&
        gateway_record_needs_authorization(out->operation))
        authorization = SOAP_REQUIRED;
    soap_read_id(reader, "reference", SOAP_REQUIRED, &out->reference);
    soap_read_id(reader, "authorization", authorization, &out->authorization);
    soap_read_choice(reader, "status", SOAP_REQUIRED, gateway_record_status_words,
                     GATEWAY_RECORD_STATUS_COUNT, &out->status);
    read_money(reader, out);
    soap_read_boolean(reader, "captured", SOAP_OPTIONAL, &out->captured);
    read_failure(reader, out);
    read_action(reader, out);
    if (out->operation == GATEWAY_RECORD_VOID_REFERENCE && out->status != GATEWAY_VOIDED)
        soap_reader_refuse(reader, "status", "not_allowed", "must be voided");
}

/* The kind of a fault's code: "soap:Client.Authentication" is "Client" (SOAP 1.1, 4.4.1). */
static void cut_fault_code(char *code)
{
    char *prefix = strchr(code, ':');

    if (prefix)
        memmove(code, prefix + 1, strlen(prefix));
    code[strcspn(code, ".")] = '\0';
}

/* Kind and detail of a fault; "" for what it does not have. */
static void read_fault(const struct envelope *envelope, char kind[4 * FAULT_CODE_MAX + 1],
                       char code[GATEWAY_CODE_SIZE], struct error *err)
{
    char text[4 * GATEWAY_CODE_SIZE];
    struct soap_reader reader, detail;

    kind[0] = code[0] = '\0';
    soap_reader_begin(&reader, envelope, err);
    if (soap_read_text(&reader, "faultcode", SOAP_REQUIRED, 1, FAULT_CODE_MAX, kind,
                       4 * FAULT_CODE_MAX + 1))
        cut_fault_code(kind);
    if (soap_read_element(&reader, "detail", SOAP_OPTIONAL, &detail) &&
        soap_read_text(&detail, "code", SOAP_OPTIONAL, 1, GATEWAY_CODE_SIZE - 1, text,
                       sizeof(text)))
        text_copy(code, GATEWAY_CODE_SIZE, gateway_code_or_none(text));
}

static bool is_not_found(const char *code)
{
    return strcmp(code, "not_found") == 0 || strcmp(code, "account_not_found") == 0;
}

/* A fault of the client's tells that nothing was done only when it has a code that says why. */
static void judge_fault(const struct envelope *envelope, const struct gateway_answer *answer,
                        enum gateway_question question, struct gateway_result *out,
                        struct error *err)
{
    char kind[4 * FAULT_CODE_MAX + 1], code[GATEWAY_CODE_SIZE];

    read_fault(envelope, kind, code, err);
    if (strcmp(kind, "Server") == 0 && strcmp(code, "unavailable") == 0)
        gateway_result_set(out, GATEWAY_NOTHING, "fault of the server: unavailable");
    else if (strcmp(kind, "Client") != 0 || *code == '\0')
        gateway_result_set(out, GATEWAY_UNKNOWN, "fault: %s", *code != '\0' ? code : "no code");
    else if (question == GATEWAY_LOOK_UP && is_not_found(code))
        gateway_result_set(out, GATEWAY_NOT_FOUND, "fault: %s", code);
    else
        gateway_record_refused(code, question, out);
    if (out->outcome == GATEWAY_NOTHING)
        out->retry_after_s = answer->retry_after_s;
}

/* Whether it is the response to that message. */
static bool is_response(const struct envelope *envelope, const char *message)
{
    const char *name = envelope_message(envelope);
    size_t length = strlen(message);

    return strcmp(envelope_namespace(envelope), BANK_NAMESPACE) == 0 &&
           strncmp(name, message, length) == 0 && strcmp(name + length, "Response") == 0;
}

/* `err` is the caller's to look no more at: threads of requests have room for few of these. */
static void judge_response(const struct envelope *envelope, const struct question *question,
                           struct gateway_result *out, struct error *err)
{
    struct soap_reader reader, inner;
    struct gateway_record record;

    soap_reader_begin(&reader, envelope, err);
    if (soap_read_element(&reader, "record", SOAP_REQUIRED, &inner))
        read_record(&inner, &record);
    if (soap_reader_ok(&reader))
        gateway_record_judge(&record, question->call, question->kind, out);
    else
        gateway_result_set(out, GATEWAY_UNKNOWN, "answered no record: %s %s",
                           err->fields[0].pointer, err->fields[0].code);
}

static void judge_answer(const struct gateway_answer *answer, const struct question *question,
                         struct gateway_result *out)
{
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    if (!envelope_parse(buffer_span(&answer->body), &envelope, &err)) {
        /* It may be anybody's on the way, who tells nothing of what the bank did; 503 too. */
        gateway_result_set(out, GATEWAY_UNKNOWN, "answered %d, and no message: %s", answer->status,
                           err.code);
    } else if (strcmp(envelope_namespace(&envelope), SOAP_NAMESPACE) == 0 &&
               strcmp(envelope_message(&envelope), "Fault") == 0) {
        judge_fault(&envelope, answer, question->kind, out, &err);
    } else if (answer->status >= 200 && answer->status <= 299 &&
               is_response(&envelope, question->message)) {
        judge_response(&envelope, question, out, &err);
    } else {
        gateway_result_set(out, GATEWAY_UNKNOWN, "answered %d and another message", answer->status);
    }
}

static void ask(const struct gateway *gateway, const struct question *question,
                struct gateway_result *out)
{
    AUTO(buffer_release) struct buffer body = BUFFER_SECRET; /* a card may be in it */
    AUTO(gateway_answer_release) struct gateway_answer answer = GATEWAY_ANSWER_EMPTY;
    char path[PATH_SIZE], action[ACTION_SIZE];

    text_format(path, sizeof(path), "%s/soap", gateway->path);
    text_format(action, sizeof(action), "\"" BANK_NAMESPACE "#%s\"", question->message);
    write_question(&body, question);
    struct client_request request = {
        .method = "POST",
        .path = path,
        .traceparent = question->call->traceparent,
        .body = buffer_span(&body),
        .content_type = SOAP_CONTENT_TYPE,
        .accept = "text/xml",
        .headers = { { "SOAPAction", action } },
        .deadline = gateway_deadline(gateway, question->kind, question->call),
    };
    if (gateway_ask(gateway, &request, &answer, out))
        judge_answer(&answer, question, out);
}

static void perform(const struct gateway *gateway, const struct gateway_call *call,
                    struct gateway_result *out)
{
    struct question question = { GATEWAY_PERFORM, messages[call->operation], call };

    ask(gateway, &question, out);
}

static void look_up(const struct gateway *gateway, const struct gateway_call *call,
                    struct gateway_result *out)
{
    struct question question = { GATEWAY_LOOK_UP, "LookUp", call };

    ask(gateway, &question, out);
}

static void void_reference(const struct gateway *gateway, const struct gateway_call *call,
                           struct gateway_result *out)
{
    struct question question = { GATEWAY_VOID_REFERENCE, "VoidReference", call };

    ask(gateway, &question, out);
}

static void read_account(struct soap_reader *reader, const char *expected)
{
    char account[4 * GATEWAY_ACCOUNT_SIZE];

    if (soap_read_text(reader, "account", SOAP_REQUIRED, 1, GATEWAY_ACCOUNT_SIZE - 1, account,
                       sizeof(account)) &&
        strcmp(account, expected) != 0)
        soap_reader_refuse(reader, "account", "not_allowed", "must be the account of the path");
}

static void read_notice_record(struct soap_reader *reader, const struct gateway_notice_type *type,
                               struct gateway_notice *out)
{
    struct gateway_record record;
    struct soap_reader inner;

    if (!soap_read_element(reader, "record", SOAP_REQUIRED, &inner))
        return;
    read_record(&inner, &record);
    if (!gateway_notice_fits(type, &record))
        soap_reader_refuse(&inner, "operation", "not_allowed", "must be what the type says");
    if (soap_reader_ok(reader))
        gateway_notice_fill(out, type, &record);
}

/* What is not read of it, and what types there may be besides, is the bank's. */
static bool read_notice(struct soap_reader *reader, const char *account, struct gateway_notice *out)
{
    const struct gateway_notice_type *type = NULL;
    char text[4 * GATEWAY_TYPE_MAX + 1];

    *out = (struct gateway_notice){ .kind = GATEWAY_NOTICE_OTHER };
    read_plain(reader, "id", SOAP_REQUIRED, out->id, sizeof(out->id));
    read_account(reader, account);
    if (soap_read_text(reader, "type", SOAP_REQUIRED, 1, GATEWAY_TYPE_MAX, text, sizeof(text)))
        type = gateway_notice_type(text);
    if (type)
        read_notice_record(reader, type, out);
    return soap_reader_ok(reader);
}

static bool is_notification(const struct envelope *envelope, struct error *err)
{
    if (strcmp(envelope_message(envelope), "Notification") == 0 &&
        strcmp(envelope_namespace(envelope), BANK_NAMESPACE) == 0)
        return true;
    return error_set(err, ERROR_MALFORMED, "soap_malformed",
                     "the message must be a Notification of " BANK_NAMESPACE);
}

static bool parse_webhook(const struct gateway *gateway, const struct gateway_webhook *webhook,
                          struct gateway_notice *out, struct error *err)
{
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct gateway_notice notice;
    struct soap_reader reader;

    if (!gateway_webhook_check(gateway, webhook, "text/xml", err) ||
        !envelope_parse(webhook->body, &envelope, err) || !is_notification(&envelope, err))
        return false;
    soap_reader_begin(&reader, &envelope, err);
    if (!read_notice(&reader, webhook->account, &notice))
        return false;
    *out = notice;
    return true;
}

const struct gateway_protocol gateway_soap = {
    .name = "soap",
    .perform = perform,
    .look_up = look_up,
    .void_reference = void_reference,
    .parse_webhook = parse_webhook,
};
