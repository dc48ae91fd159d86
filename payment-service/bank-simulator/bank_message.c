#include "payment-service/bank-simulator/bank_message.h"

enum { NAME_LENGTH_MAX = 200, CVC_MIN = 3, CVC_MAX = 4, FIELD_MAX = 1000 };

static const struct {
    const char *message, *response;
} messages[BANK_OPERATION_COUNT] = {
    [BANK_AUTHORIZE] = { "Authorize", "AuthorizeResponse" },
    [BANK_TRANSFER] = { "AnnounceTransfer", "AnnounceTransferResponse" },
    [BANK_CAPTURE] = { "Capture", "CaptureResponse" },
    [BANK_VOID] = { "Void", "VoidResponse" },
    [BANK_REFUND] = { "Refund", "RefundResponse" },
    [BANK_VOID_REFERENCE] = { "VoidReference", "VoidReferenceResponse" },
    [BANK_LOOK_UP] = { "LookUp", "LookUpResponse" },
};

bool bank_message_operation(const char *message, enum bank_operation *out)
{
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        if (!messages[i].message || strcmp(messages[i].message, message) != 0)
            continue;
        *out = (enum bank_operation)i;
        return true;
    }
    return false;
}

const char *bank_message_response(enum bank_operation operation)
{
    return messages[operation].response;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static bool is_digits(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

static void read_number(struct soap_reader *reader, struct bank_card *out)
{
    char digits[4 * BANK_CARD_MAX + 1];

    if (soap_read_text(reader, "number", SOAP_REQUIRED, BANK_CARD_MIN, BANK_CARD_MAX, digits,
                       sizeof(digits))) {
        if (is_digits(digits))
            text_copy(out->number, sizeof(out->number), digits);
        else
            soap_reader_refuse(reader, "number", "not_digits", "must have nothing but digits");
    }
    explicit_bzero(digits, sizeof(digits));
}

/* It changes no outcome: it is checked and let go. */
static void read_cvc(struct soap_reader *reader)
{
    char digits[4 * CVC_MAX + 1];

    if (soap_read_text(reader, "cvc", SOAP_OPTIONAL, CVC_MIN, CVC_MAX, digits, sizeof(digits)) &&
        !is_digits(digits))
        soap_reader_refuse(reader, "cvc", "not_digits", "must have nothing but digits");
    explicit_bzero(digits, sizeof(digits));
}

static void read_card(struct soap_reader *reader, struct bank_card *out)
{
    struct soap_reader card;
    char name[4 * NAME_LENGTH_MAX + 1];

    if (!soap_read_element(reader, "card", SOAP_REQUIRED, &card))
        return;
    read_number(&card, out);
    soap_read_integer(&card, "exp_month", SOAP_REQUIRED, 1, 12, &out->exp_month);
    soap_read_integer(&card, "exp_year", SOAP_REQUIRED, 2000, 9999, &out->exp_year);
    read_cvc(&card);
    soap_read_text(&card, "name", SOAP_OPTIONAL, 1, NAME_LENGTH_MAX, name, sizeof(name));
    soap_reader_end(&card);
}

static void read_amount(struct soap_reader *reader, struct bank_instruction *out)
{
    soap_read_integer(reader, "amount", SOAP_REQUIRED, 1, BANK_AMOUNT_MAX, &out->money.amount);
}

static void read_money(struct soap_reader *reader, struct bank_instruction *out)
{
    char code[4 * 3 + 1];

    read_amount(reader, out);
    if (soap_read_text(reader, "currency", SOAP_REQUIRED, 3, 3, code, sizeof(code)) &&
        !currency_parse(code, &out->money.currency))
        soap_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active ISO 4217 code in capitals, with a minor unit");
}

static void read_fields(struct soap_reader *reader, struct bank_message *out)
{
    struct bank_instruction *instruction = &out->instruction;
    enum bank_operation operation = instruction->operation;
    char account[4 * BANK_ACCOUNT_SIZE];

    if (soap_read_text(reader, "account", SOAP_REQUIRED, 1, BANK_ACCOUNT_SIZE - 1, account,
                       sizeof(account)))
        (void)text_copy(out->account, sizeof(out->account), account);
    soap_read_id(reader, "reference", SOAP_REQUIRED, &instruction->reference);
    if (bank_operation_follows(operation))
        soap_read_id(reader, "authorization", SOAP_REQUIRED, &instruction->authorization);
    if (operation == BANK_CAPTURE || operation == BANK_REFUND)
        read_amount(reader, instruction);
    if (operation == BANK_AUTHORIZE || operation == BANK_TRANSFER)
        read_money(reader, instruction);
    if (operation == BANK_AUTHORIZE) {
        soap_read_boolean(reader, "capture", SOAP_REQUIRED, &instruction->capture);
        read_card(reader, &out->card);
    }
}

bool bank_message_read(const struct envelope *envelope, enum bank_operation operation,
                       struct bank_message *out, struct error *err)
{
    struct soap_reader reader;

    *out = (struct bank_message){ .instruction = { .operation = operation } };
    soap_reader_begin(&reader, envelope, err);
    read_fields(&reader, out);
    soap_reader_end(&reader);
    if (!soap_reader_ok(&reader))
        return false;
    if (operation == BANK_AUTHORIZE)
        bank_card_keep(&out->card, &out->instruction);
    return true;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void write_failure(struct buffer *out, const struct bank_record *record)
{
    if (record->status != BANK_DECLINED)
        return;
    soap_field_begin(out, "failure");
    soap_field_text(out, "code", record->failure_code);
    if (record->decline_code[0] != '\0')
        soap_field_text(out, "decline_code", record->decline_code);
    soap_field_end(out, "failure");
}

static void write_money(struct buffer *out, const struct money *money)
{
    if (money->currency.code[0] == '\0')
        return;
    soap_field_integer(out, "amount", money->amount);
    soap_field_text(out, "currency", money->currency.code);
}

void bank_message_write_record(struct buffer *out, const struct bank_record *record,
                               const struct bank_view *view)
{
    char action_url[BANK_URL_SIZE];

    bank_action_url(view, record, action_url);
    soap_field_begin(out, "record");
    soap_field_text(out, "id", record->id);
    soap_field_text(out, "operation", bank_operation_words[record->operation]);
    soap_field_id(out, "reference", record->reference);
    if (bank_operation_follows(record->operation))
        soap_field_id(out, "authorization", record->payment);
    soap_field_text(out, "status", bank_status_words[record->status]);
    write_money(out, &record->money);
    soap_field_boolean(out, "captured", record->captured);
    write_failure(out, record);
    if (action_url[0] != '\0')
        soap_field_text(out, "action_url", action_url);
    soap_field_text(out, "created_at", instant_text(record->created_at).text);
    soap_field_end(out, "record");
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

static bool can_write_member(void *ctx, const char *name, const struct json_value *value)
{
    (void)ctx;
    return name[0] != '\0' && strchr(LETTERS, name[0]) &&
           name[strspn(name, LETTERS "0123456789-.")] == '\0' &&
           (!json_value_is_object(value) || bank_message_can_write_any(value));
}

bool bank_message_can_write_any(const struct json_value *object)
{
    return json_each_member(object, can_write_member, NULL);
}

/* Numbers and truth values are spelled in XML as they are in JSON. */
static bool write_member(void *ctx, const char *name, const struct json_value *value)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct buffer *out = ctx;

    if (json_value_is_object(value)) {
        soap_field_begin(out, name);
        bank_message_write_any(out, value);
        soap_field_end(out, name);
    } else if (json_value_text(value)) {
        soap_field_text(out, name, json_value_text(value));
    } else if (!json_value_is_null(value)) {
        json_value_write(value, &text);
        soap_field_text(out, name, text.at);
    }
    return true;
}

void bank_message_write_any(struct buffer *out, const struct json_value *object)
{
    (void)json_each_member(object, write_member, out);
}
