#include "payment-service/payment_json.h"

#include "shared/crypto/seal.h"
#include "shared/json/json_reader.h"

/* What a refund is for when nobody says. */
static const char default_reason[] = "requested_by_customer";

/* A text that is looked at and refused, or copied: longer than any card number anybody types. */
enum { DIGITS_MAX = 64, DIGITS_SIZE = 4 * DIGITS_MAX + 1 };

/* --- reading ---------------------------------------------------------------------------------- */

static void refuse_flaw(struct json_reader *reader, const char *name, enum card_flaw flaw)
{
    if (flaw != CARD_FINE)
        json_reader_refuse(reader, name, card_flaw_code(flaw), "%s", card_flaw_detail(flaw));
}

static void read_number(struct json_reader *reader, struct card *card)
{
    char text[DIGITS_SIZE];

    if (!json_read_text(reader, "number", JSON_REQUIRED, 1, DIGITS_MAX, text, sizeof(text)))
        return;
    enum card_flaw flaw = card_check_number(span_of(text));
    refuse_flaw(reader, "number", flaw);
    if (flaw == CARD_FINE)
        text_copy(card->number, sizeof(card->number), text);
    memory_wipe(text, sizeof(text));
}

static void read_expiry(struct json_reader *reader, struct card *card, struct instant now)
{
    bool month = json_read_integer(reader, "exp_month", JSON_REQUIRED, 1, 12, &card->exp_month);
    bool year = json_read_integer(reader, "exp_year", JSON_REQUIRED, 2000, 9999, &card->exp_year);

    if (month && year) /* one says nothing without the other */
        refuse_flaw(reader, "exp_year", card_check_expiry(card->exp_month, card->exp_year, now));
}

/* How many digits it has depends on the number; without a good one it can not be judged. */
static void read_cvc(struct json_reader *reader, struct card *card)
{
    char text[DIGITS_SIZE];

    if (!json_read_text(reader, "cvc", JSON_REQUIRED, 1, DIGITS_MAX, text, sizeof(text)) ||
        card->number[0] == '\0')
        return;
    enum card_flaw flaw = card_check_cvc(span_of(card->number), span_of(text));
    refuse_flaw(reader, "cvc", flaw);
    if (flaw == CARD_FINE)
        text_copy(card->cvc, sizeof(card->cvc), text);
    memory_wipe(text, sizeof(text));
}

static void read_card(struct json_reader *method, struct payment_draft *out, struct instant now)
{
    struct json_reader reader;

    if (!json_read_object(method, "card", JSON_REQUIRED, &reader))
        return;
    read_number(&reader, &out->card);
    read_expiry(&reader, &out->card, now);
    read_cvc(&reader, &out->card);
    json_read_text(&reader, "name", JSON_OPTIONAL, 1, CARD_NAME_MAX, out->card.name,
                   sizeof(out->card.name));
    json_reader_end(&reader);
}

static void read_method(struct json_reader *reader, struct payment_draft *out, struct instant now)
{
    struct json_reader method;
    size_t type;

    if (!json_read_object(reader, "payment_method", JSON_REQUIRED, &method))
        return;
    if (!json_read_choice(&method, "type", JSON_REQUIRED, payment_method_words,
                          PAYMENT_METHOD_COUNT, &type))
        return;
    out->method = (enum payment_method)type;
    if (out->method == PAYMENT_CARD)
        read_card(&method, out, now);
    json_reader_end(&method);
}

static void read_currency(struct json_reader *reader, struct payment_draft *out)
{
    char code[4 * DIGITS_MAX + 1];

    if (json_read_text(reader, "currency", out->has_order ? JSON_OPTIONAL : JSON_REQUIRED, 1,
                       DIGITS_MAX, code, sizeof(code)) &&
        !currency_parse(code, &out->currency))
        json_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active ISO 4217 code in capitals, with a minor unit");
}

static void read_capture(struct json_reader *reader, struct payment_draft *out)
{
    size_t capture = PAYMENT_CAPTURE_AUTOMATIC;

    json_read_choice(reader, "capture_method", JSON_OPTIONAL, payment_capture_words,
                     PAYMENT_CAPTURE_COUNT, &capture);
    out->capture = (enum payment_capture)capture;
    if (out->capture == PAYMENT_CAPTURE_MANUAL && out->method == PAYMENT_BANK_TRANSFER)
        json_reader_refuse(reader, "capture_method", "capture_method_unsupported",
                           "must be automatic: a transfer can not be held");
}

static void read_draft(struct json_reader *reader, struct instant now, struct payment_draft *out)
{
    out->has_id = json_read_id(reader, "id", JSON_OPTIONAL, &out->id);
    out->has_order = json_has(reader, "order_id");
    json_read_id(reader, "order_id", JSON_OPTIONAL, &out->order_id);
    json_read_integer(reader, "amount", out->has_order ? JSON_OPTIONAL : JSON_REQUIRED, 1,
                      PAYMENT_AMOUNT_MAX, &out->amount);
    read_currency(reader, out);
    read_method(reader, out, now);
    read_capture(reader, out);
    json_reader_end(reader);
}

bool payment_draft_read(struct span body, struct instant now, struct payment_draft *out,
                        struct error *err)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;

    memset(out, 0, sizeof(*out));
    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    if (reader.object)
        read_draft(&reader, now, out);
    return json_reader_ok(&reader);
}

void payment_draft_release(struct payment_draft *draft)
{
    card_wipe(&draft->card);
}

/* A body that may be missing: all its members are optional. */
static bool parse_optional(struct span body, struct json_document *document, struct error *err)
{
    return json_document_parse(body.length > 0 ? body : span_of("{}"), document, err);
}

bool payment_capture_read(struct span body, int64_t *amount, struct error *err)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;

    *amount = 0;
    if (!parse_optional(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_integer(&reader, "amount", JSON_OPTIONAL, 1, PAYMENT_AMOUNT_MAX, amount);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

bool payment_cancel_read(struct span body, struct error *err)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;

    if (!parse_optional(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

bool refund_draft_read(struct span body, struct refund *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;

    memset(out, 0, sizeof(*out));
    text_copy(out->reason, sizeof(out->reason), default_reason);
    if (!parse_optional(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_integer(&reader, "amount", JSON_OPTIONAL, 1, PAYMENT_AMOUNT_MAX, &out->money.amount);
    json_read_text(&reader, "reason", JSON_OPTIONAL, 1, REFUND_REASON_MAX, out->reason,
                   sizeof(out->reason));
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_method(struct json_writer *json, const struct payment *payment)
{
    const struct card_face *face = &payment->face;
    char mask[CARD_MASK_SIZE];

    json_name(json, "payment_method");
    json_begin_object(json);
    json_member_text(json, "type", payment_method_words[payment->method]);
    if (payment->method == PAYMENT_CARD) {
        card_mask(face, mask);
        json_name(json, "card");
        json_begin_object(json);
        json_member_text(json, "brand", face->brand);
        json_member_text(json, "number", mask);
        json_member_text(json, "last4", face->last4);
        json_member_integer(json, "exp_month", face->exp_month);
        json_member_integer(json, "exp_year", face->exp_year);
        json_member_text(json, "fingerprint", face->fingerprint);
        json_end_object(json);
    }
    json_end_object(json);
}

static void write_failure(struct json_writer *json, const struct payment_failure *failure)
{
    json_name(json, "failure");
    if (failure->code[0] == '\0') {
        json_null_value(json);
        return;
    }
    json_begin_object(json);
    json_member_text(json, "code", failure->code);
    json_member_text_or_null(json, "decline_code", failure->decline_code);
    json_end_object(json);
}

static void write_action(struct json_writer *json, const char *url)
{
    json_name(json, "next_action");
    if (url[0] == '\0') {
        json_null_value(json);
        return;
    }
    json_begin_object(json);
    json_member_text(json, "type", "redirect");
    json_member_text(json, "url", url);
    json_end_object(json);
}

static void write_money(struct json_writer *json, const struct money *money)
{
    json_member_integer(json, "amount", money->amount);
    json_member_text(json, "currency", money->currency.code);
}

void payment_write(struct json_writer *json, const struct payment *payment)
{
    json_begin_object(json);
    json_member_id(json, "id", payment->id);
    json_member_text(json, "merchant_id", payment->merchant);
    json_member_integer(json, "version", payment->version);
    json_member_text(json, "status", payment_status_words[payment->status]);
    json_member_id_or_null(json, "order_id", payment->has_order, payment->order_id);
    write_money(json, &payment->money);
    json_member_text(json, "capture_method", payment_capture_words[payment->capture]);
    write_method(json, payment);
    json_member_integer(json, "amount_captured", payment->amount_captured);
    json_member_integer(json, "amount_refunded", payment->amount_refunded);
    json_member_text(json, "refund_status", payment_refund_status(payment));
    json_member_text(json, "dispute_status", payment_dispute_words[payment->dispute]);
    json_member_boolean(json, "orphaned", payment->orphaned);
    json_member_text(json, "gateway", payment->gateway);
    write_failure(json, &payment->failure);
    write_action(json, payment->action_url);
    json_member_instant(json, "created_at", payment->created_at);
    json_member_instant(json, "updated_at", payment->updated_at);
    json_member_instant_or_null(json, "expires_at", payment->expires_at);
    json_end_object(json);
}

void refund_write(struct json_writer *json, const struct refund *refund)
{
    struct payment_failure failure = { "", "" };

    text_copy(failure.code, sizeof(failure.code), refund->failure_code);
    json_begin_object(json);
    json_member_id(json, "id", refund->id);
    json_member_text(json, "merchant_id", refund->merchant);
    json_member_integer(json, "version", refund->version);
    json_member_text(json, "status", refund_status_words[refund->status]);
    json_member_id(json, "payment_id", refund->payment_id);
    json_member_id_or_null(json, "order_id", refund->has_order, refund->order_id);
    write_money(json, &refund->money);
    json_member_text(json, "reason", refund->reason);
    write_failure(json, &failure);
    json_member_instant(json, "created_at", refund->created_at);
    json_member_instant(json, "updated_at", refund->updated_at);
    json_end_object(json);
}

void attempt_write(struct json_writer *json, const struct attempt *attempt)
{
    struct trace trace;
    bool traced = trace_parse(span_of(attempt->traceparent), &trace);

    json_begin_object(json);
    json_member_id(json, "id", attempt->id);
    json_member_id(json, "payment_id", attempt->payment_id);
    json_member_id_or_null(json, "refund_id", attempt->has_refund, attempt->refund_id);
    json_member_text(json, "operation", gateway_operation_words[attempt->operation]);
    json_member_text(json, "gateway", attempt->gateway);
    json_member_text(json, "status", attempt_status_words[attempt->status]);
    write_money(json, &attempt->money);
    json_member_text_or_null(json, "bank_id", attempt->bank_id);
    write_failure(json, &attempt->failure);
    json_member_raw(json, "skipped", attempt->skipped);
    json_member_integer(json, "tries", attempt->tries);
    json_member_text_or_null(json, "trace_id", traced ? trace.trace_id : NULL);
    json_member_instant(json, "created_at", attempt->created_at);
    json_member_instant(json, "updated_at", attempt->updated_at);
    json_end_object(json);
}
