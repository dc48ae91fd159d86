#include "voucher-service/voucher_json.h"

#include "shared/json/json_pieces.h"

/* The only occasion there is so far. */
static const char TRIGGER[] = "order.sent";

static void write_reservation(struct json_writer *json, const struct voucher *voucher)
{
    json_name(json, "reservation");
    if (voucher->status != VOUCHER_RESERVED) {
        json_null_value(json);
        return;
    }
    json_begin_object(json);
    json_member_text(json, "holder", voucher->reservation.holder);
    json_member_instant(json, "expires_at", voucher->reservation.until);
    json_end_object(json);
}

static void write_redemption(struct json_writer *json, const struct voucher *voucher)
{
    const struct voucher_redemption *redemption = &voucher->redemption;

    json_name(json, "redemption");
    if (voucher->status != VOUCHER_REDEEMED) {
        json_null_value(json);
        return;
    }
    json_begin_object(json);
    json_member_id(json, "id", redemption->id);
    json_member_text_or_null(json, "reference", redemption->reference);
    json_member_text_or_null(json, "order_id",
                             redemption->by_order ? id_text(redemption->order_id).text : NULL);
    json_member_instant(json, "redeemed_at", redemption->at);
    json_end_object(json);
}

static void write_members(struct json_writer *json, const struct voucher *voucher,
                          enum voucher_view view)
{
    struct voucher_code_text code = view == VOUCHER_WHOLE ? voucher_code_text(&voucher->code)
                                                          : voucher_code_mask(&voucher->code);

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
    write_reservation(json, voucher);
    write_redemption(json, voucher);
}

void voucher_write(struct json_writer *json, const struct voucher *voucher, enum voucher_view view)
{
    json_begin_object(json);
    write_members(json, voucher, view);
    json_end_object(json);
}

void voucher_write_discount(struct json_writer *json, const struct voucher *voucher,
                            const int64_t *total_amount)
{
    json_begin_object(json);
    write_members(json, voucher, VOUCHER_MASKED);
    if (total_amount) {
        int64_t discount = voucher_discount(voucher, *total_amount);

        json_member_integer(json, "discount_amount", discount);
        json_member_integer(json, "forfeited_amount", voucher->value.amount - discount);
        json_member_integer(json, "amount_due", *total_amount - discount);
    } else {
        json_member_text_or_null(json, "discount_amount", NULL);
        json_member_text_or_null(json, "forfeited_amount", NULL);
        json_member_text_or_null(json, "amount_due", NULL);
    }
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

static void read_currency(struct json_reader *reader, enum json_presence presence,
                          struct currency *out)
{
    char code[VOUCHER_TEXT_SIZE];

    if (json_read_text(reader, "currency", presence, 1, VOUCHER_TEXT_MAX, code, sizeof(code)) &&
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
    read_currency(&reader, JSON_REQUIRED, &out->currency);
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

/* --- wishes ----------------------------------------------------------------------------------- */

/* A name of somebody else's for themselves or their doings: shown, so nothing may hide in it. */
static void read_name(struct json_reader *reader, const char *name, enum json_presence presence,
                      char *out)
{
    if (json_read_text(reader, name, presence, 1, VOUCHER_TEXT_MAX, out, VOUCHER_TEXT_SIZE) &&
        text_has_control(span_of(out)))
        json_reader_refuse(reader, name, "not_printable", "must not have control characters");
}

static void read_purchase(struct json_reader *reader, struct voucher_wish *out)
{
    read_currency(reader, JSON_OPTIONAL, &out->currency);
    out->for_order = json_read_id(reader, "order_id", JSON_OPTIONAL, &out->order_id);
}

static void read_reserve(struct json_reader *reader, struct voucher_wish *out)
{
    read_name(reader, "holder", JSON_REQUIRED, out->holder);
    out->ttl_s = VOUCHER_TTL_DEFAULT_S;
    json_read_integer(reader, "ttl_s", JSON_OPTIONAL, 1, VOUCHER_TTL_MAX_S, &out->ttl_s);
    read_purchase(reader, out);
}

static void read_redeem(struct json_reader *reader, struct voucher_wish *out)
{
    read_name(reader, "reference", JSON_REQUIRED, out->reference);
    read_name(reader, "holder", JSON_OPTIONAL, out->holder);
}

bool voucher_wish_read(struct span body, enum voucher_way way, struct voucher_wish *out,
                       struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;

    *out = (struct voucher_wish){ .way = way };
    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    if (way == VOUCHER_RESERVE)
        read_reserve(&reader, out);
    else if (way == VOUCHER_REDEEM)
        read_redeem(&reader, out);
    else
        read_name(&reader, "holder", JSON_REQUIRED, out->holder);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

bool voucher_question_read(struct span body, struct voucher_question *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;

    *out = (struct voucher_question){ .wish = { .way = VOUCHER_RESERVE } };
    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    read_name(&reader, "holder", JSON_OPTIONAL, out->wish.holder);
    read_purchase(&reader, &out->wish);
    out->has_total = json_read_integer(&reader, "total_amount", JSON_OPTIONAL, 0,
                                       VOUCHER_RULE_AMOUNT_MAX, &out->total_amount);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

/* --- orders ----------------------------------------------------------------------------------- */

static void read_owner(struct json_reader *reader, char out[VOUCHER_MERCHANT_SIZE])
{
    char merchant[4 * (VOUCHER_MERCHANT_SIZE - 1) + 1];

    if (json_read_text(reader, "merchant_id", JSON_REQUIRED, 1, VOUCHER_MERCHANT_SIZE - 1, merchant,
                       sizeof(merchant)) &&
        !text_copy(out, VOUCHER_MERCHANT_SIZE, merchant))
        json_reader_refuse(reader, "merchant_id", "merchant_invalid", "must be a merchant's slug");
}

bool voucher_order_read(struct span data, struct voucher_order *out, struct error *err)
{
    static const char *const names[] = { "id",           "merchant_id", "currency",
                                         "total_amount", "customer",    NULL };
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader, customer;

    if (!json_document_parse_members(data, names, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_id(&reader, "id", JSON_REQUIRED, &out->id);
    read_owner(&reader, out->merchant);
    read_currency(&reader, JSON_REQUIRED, &out->total.currency);
    json_read_integer(&reader, "total_amount", JSON_REQUIRED, 0, INT64_MAX, &out->total.amount);
    if (json_read_object(&reader, "customer", JSON_REQUIRED, &customer))
        json_read_text(&customer, "id", JSON_REQUIRED, 1, VOUCHER_TEXT_MAX, out->customer_id,
                       sizeof(out->customer_id));
    return json_reader_ok(&reader);
}

bool voucher_order_use_read(struct span data, struct voucher_order_use *out, struct error *err)
{
    static const char *const names[] = { "id", "merchant_id", "voucher", NULL };
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader, voucher;

    if (!json_document_parse_members(data, names, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_id(&reader, "id", JSON_REQUIRED, &out->order_id);
    read_owner(&reader, out->merchant);
    out->uses = json_read_object(&reader, "voucher", JSON_OPTIONAL, &voucher);
    if (out->uses) {
        json_read_id(&voucher, "id", JSON_REQUIRED, &out->voucher_id);
        json_read_text(&voucher, "holder", JSON_REQUIRED, 1, VOUCHER_TEXT_MAX, out->holder,
                       sizeof(out->holder));
    }
    return json_reader_ok(&reader);
}
