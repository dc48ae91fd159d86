#include "order-service/order_payment_json.h"

static void read_status(struct json_reader *reader, enum payment_status *out)
{
    size_t status = PAYMENT_PROCESSING;

    json_read_choice(reader, "status", JSON_REQUIRED, payment_status_words, PAYMENT_STATUS_COUNT,
                     &status);
    *out = (enum payment_status)status;
}

static void read_currency(struct json_reader *reader, struct currency *out)
{
    char code[ORDER_TEXT_SIZE];

    if (json_read_text(reader, "currency", JSON_REQUIRED, 1, ORDER_TEXT_MAX, code, sizeof(code)) &&
        !currency_parse(code, out))
        json_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active ISO 4217 code in capitals");
}

static void read_merchant(struct json_reader *reader, struct order_payment *out)
{
    char merchant[4 * (ORDER_MERCHANT_SIZE - 1) + 1] = "";

    if (json_read_text(reader, "merchant_id", JSON_REQUIRED, 1, ORDER_MERCHANT_SIZE - 1, merchant,
                       sizeof(merchant)) &&
        !text_copy(out->merchant, sizeof(out->merchant), merchant))
        json_reader_refuse(reader, "merchant_id", "merchant_invalid", "must be a merchant's slug");
}

bool order_payment_read(struct span text, struct order_payment *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;

    *out = (struct order_payment){ .version = 0 };
    if (!json_document_parse(text, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_id(&reader, "id", JSON_REQUIRED, &out->id);
    out->of_order = json_read_id(&reader, "order_id", JSON_OPTIONAL, &out->order_id);
    read_merchant(&reader, out);
    json_read_integer(&reader, "version", JSON_REQUIRED, 1, INT32_MAX, &out->version);
    read_status(&reader, &out->status);
    read_currency(&reader, &out->currency);
    json_read_integer(&reader, "amount", JSON_REQUIRED, 1, ORDER_TOTAL_MAX, &out->amount);
    json_read_integer(&reader, "amount_captured", JSON_REQUIRED, 0, ORDER_TOTAL_MAX,
                      &out->amount_captured);
    json_read_integer(&reader, "amount_refunded", JSON_REQUIRED, 0, ORDER_TOTAL_MAX,
                      &out->amount_refunded);
    json_read_boolean(&reader, "orphaned", JSON_REQUIRED, &out->orphaned);
    return json_reader_ok(&reader);
}
