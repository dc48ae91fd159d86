#include "voucher-service/voucher_json.h"

/* The only occasion there is so far. */
static const char TRIGGER[] = "order.sent";

void voucher_write(struct json_writer *json, const struct voucher *voucher, enum voucher_view view)
{
    struct voucher_code_text code = view == VOUCHER_WHOLE ? voucher_code_text(&voucher->code)
                                                          : voucher_code_mask(&voucher->code);

    json_begin_object(json);
    json_member_id(json, "id", voucher->id);
    json_member_text(json, "merchant_id", voucher->merchant);
    json_member_text(json, "status", voucher_status_words[voucher->status]);
    json_member_integer(json, "version", voucher->version);
    json_member_text(json, "code", code.text);
    json_member_integer(json, "value_amount", voucher->value.amount);
    json_member_text(json, "currency", voucher->value.currency.code);
    json_member_id(json, "order_id", voucher->order_id);
    json_member_id(json, "rule_id", voucher->rule_id);
    json_member_text(json, "customer_id", voucher->customer_id);
    json_member_instant(json, "created_at", voucher->created_at);
    json_member_instant(json, "updated_at", voucher->updated_at);
    json_member_instant(json, "expires_at", voucher->expires_at);
    json_end_object(json);
}

void voucher_rule_write(struct json_writer *json, const struct voucher_rule *rule)
{
    json_begin_object(json);
    json_member_id(json, "id", rule->id);
    json_member_text(json, "trigger", TRIGGER);
    json_member_text(json, "currency", rule->currency.code);
    json_member_integer(json, "threshold_amount", rule->threshold_amount);
    json_member_integer(json, "value_amount", rule->value_amount);
    json_member_integer(json, "valid_days", rule->valid_days);
    json_member_instant(json, "created_at", rule->created_at);
    json_end_object(json);
}

static void read_currency(struct json_reader *reader, struct currency *out)
{
    char code[VOUCHER_TEXT_SIZE];

    if (json_read_text(reader, "currency", JSON_REQUIRED, 1, VOUCHER_TEXT_MAX, code,
                       sizeof(code)) &&
        !currency_parse(code, out))
        json_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active ISO 4217 code in capitals, with a minor unit");
}

bool voucher_rule_read(struct span body, struct voucher_rule *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;

    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    read_currency(&reader, &out->currency);
    json_read_integer(&reader, "threshold_amount", JSON_REQUIRED, 0, VOUCHER_RULE_AMOUNT_MAX,
                      &out->threshold_amount);
    json_read_integer(&reader, "value_amount", JSON_REQUIRED, 1, VOUCHER_RULE_AMOUNT_MAX,
                      &out->value_amount);
    out->valid_days = VOUCHER_RULE_DAYS_DEFAULT;
    json_read_integer(&reader, "valid_days", JSON_OPTIONAL, 1, VOUCHER_RULE_DAYS_MAX,
                      &out->valid_days);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

static void read_owner(struct json_reader *reader, struct voucher_order *out)
{
    char merchant[4 * (VOUCHER_MERCHANT_SIZE - 1) + 1];

    if (json_read_text(reader, "merchant_id", JSON_REQUIRED, 1, VOUCHER_MERCHANT_SIZE - 1, merchant,
                       sizeof(merchant)) &&
        !text_copy(out->merchant, sizeof(out->merchant), merchant))
        json_reader_refuse(reader, "merchant_id", "merchant_invalid", "must be a merchant's slug");
}

bool voucher_order_read(struct span data, struct voucher_order *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader, customer;

    if (!json_document_parse(data, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_id(&reader, "id", JSON_REQUIRED, &out->id);
    read_owner(&reader, out);
    read_currency(&reader, &out->total.currency);
    json_read_integer(&reader, "total_amount", JSON_REQUIRED, 0, INT64_MAX, &out->total.amount);
    if (json_read_object(&reader, "customer", JSON_REQUIRED, &customer))
        json_read_text(&customer, "id", JSON_REQUIRED, 1, VOUCHER_TEXT_MAX, out->customer_id,
                       sizeof(out->customer_id));
    return json_reader_ok(&reader);
}
