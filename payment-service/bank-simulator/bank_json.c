#include "payment-service/bank-simulator/bank_json.h"

/* The holder's name and the security code change no outcome: they are checked and let go. */
enum { NAME_MAX_LENGTH = 200, CVC_MAX = 4 };

/* ---- Cards ---------------------------------------------------------------------------------- */

static bool is_digits(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

/* Nobody is told what the number was. */
static void read_digits(struct json_reader *reader, const char *name, size_t min, size_t max,
                        char *out)
{
    char digits[4 * BANK_CARD_MAX + 1];
    enum json_presence presence = min > CVC_MAX ? JSON_REQUIRED : JSON_OPTIONAL;

    if (json_read_text(reader, name, presence, min, max, digits, sizeof(digits))) {
        if (is_digits(digits))
            text_copy(out, max + 1, digits);
        else
            json_reader_refuse(reader, name, "not_digits", "must have nothing but digits");
    }
    explicit_bzero(digits, sizeof(digits));
}

static void read_card(struct json_reader *reader, struct bank_card *out)
{
    struct json_reader card;
    char name[4 * NAME_MAX_LENGTH + 1], cvc[CVC_MAX + 1];

    if (!json_read_object(reader, "card", JSON_REQUIRED, &card))
        return;
    read_digits(&card, "number", BANK_CARD_MIN, BANK_CARD_MAX, out->number);
    json_read_integer(&card, "exp_month", JSON_REQUIRED, 1, 12, &out->exp_month);
    json_read_integer(&card, "exp_year", JSON_REQUIRED, 2000, 9999, &out->exp_year);
    read_digits(&card, "cvc", 3, CVC_MAX, cvc);
    json_read_text(&card, "name", JSON_OPTIONAL, 1, NAME_MAX_LENGTH, name, sizeof(name));
    json_reader_end(&card);
    explicit_bzero(cvc, sizeof(cvc));
}

/* ---- Instructions --------------------------------------------------------------------------- */

static void read_amount(struct json_reader *reader, struct bank_instruction *out)
{
    json_read_integer(reader, "amount", JSON_REQUIRED, 1, BANK_AMOUNT_MAX, &out->money.amount);
}

static void read_money(struct json_reader *reader, struct bank_instruction *out)
{
    char code[4 * 3 + 1];

    read_amount(reader, out);
    if (json_read_text(reader, "currency", JSON_REQUIRED, 3, 3, code, sizeof(code)) &&
        !currency_parse(code, &out->money.currency))
        json_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active ISO 4217 code in capitals, with a minor unit");
}

static void read_members(struct json_reader *reader, struct bank_instruction *out,
                         struct bank_card *card)
{
    enum bank_operation operation = out->operation;

    json_read_id(reader, "reference", JSON_REQUIRED, &out->reference);
    if (bank_operation_follows(operation))
        json_read_id(reader, "authorization", JSON_REQUIRED, &out->authorization);
    if (operation == BANK_CAPTURE || operation == BANK_REFUND)
        read_amount(reader, out);
    if (operation == BANK_AUTHORIZE || operation == BANK_TRANSFER)
        read_money(reader, out);
    if (operation == BANK_AUTHORIZE) {
        json_read_boolean(reader, "capture", JSON_REQUIRED, &out->capture);
        read_card(reader, card);
    }
}

bool bank_instruction_read(struct span body, enum bank_operation operation,
                           struct bank_instruction *out, struct bank_card *card, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;

    *out = (struct bank_instruction){ .operation = operation };
    *card = (struct bank_card){ .number = "" };
    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    read_members(&reader, out, card);
    json_reader_end(&reader);
    if (!json_reader_ok(&reader))
        return false;
    if (operation == BANK_AUTHORIZE)
        bank_card_keep(card, out);
    return true;
}

/* ---- Records -------------------------------------------------------------------------------- */

void bank_action_url(const struct bank_view *view, const struct bank_record *record,
                     char out[BANK_URL_SIZE])
{
    out[0] = '\0';
    if (record->operation == BANK_AUTHORIZE && record->status == BANK_PENDING)
        text_format(out, BANK_URL_SIZE, "%s/%s/challenges/%s", view->public_url, view->bank->name,
                    id_text(record->reference).text);
}

static void write_money(struct json_writer *json, const struct money *money)
{
    if (money->currency.code[0] == '\0') {
        json_member_text_or_null(json, "amount", NULL);
        json_member_text_or_null(json, "currency", NULL);
        return;
    }
    json_member_integer(json, "amount", money->amount);
    json_member_text(json, "currency", money->currency.code);
}

static void write_failure(struct json_writer *json, const struct bank_record *record)
{
    json_name(json, "failure");
    if (record->status != BANK_DECLINED) {
        json_null_value(json);
        return;
    }
    json_begin_object(json);
    json_member_text(json, "code", record->failure_code);
    json_member_text_or_null(json, "decline_code", record->decline_code);
    json_end_object(json);
}

void bank_record_write(struct json_writer *json, const struct bank_record *record,
                       const struct bank_view *view)
{
    bool follows = bank_operation_follows(record->operation);
    char action_url[BANK_URL_SIZE];

    bank_action_url(view, record, action_url);
    json_begin_object(json);
    json_member_text(json, "id", record->id);
    json_member_text(json, "operation", bank_operation_words[record->operation]);
    json_member_id(json, "reference", record->reference);
    json_member_text_or_null(json, "authorization", follows ? id_text(record->payment).text : NULL);
    json_member_text(json, "status", bank_status_words[record->status]);
    write_money(json, &record->money);
    json_member_boolean(json, "captured", record->captured);
    write_failure(json, record);
    json_member_text_or_null(json, "action_url", action_url);
    json_member_instant(json, "created_at", record->created_at);
    json_end_object(json);
}
