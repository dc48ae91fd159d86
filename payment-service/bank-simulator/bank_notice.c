#include "payment-service/bank-simulator/bank_notice.h"

#include "payment-service/bank-simulator/bank_message.h"

static const char MESSAGE[] = "Notification";

/* Up to the record's value. */
static void begin_json(struct json_writer *json, const struct bank_notice *notice)
{
    json_begin_object(json);
    json_member_id(json, "id", notice->id);
    json_member_text(json, "type", notice->type);
    json_member_text(json, "account", notice->account);
    json_member_instant(json, "created_at", notice->created_at);
    json_name(json, "operation");
}

/* Up to the record's element. */
static void begin_soap(struct buffer *out, const struct bank_notice *notice)
{
    envelope_begin(out, BANK_NAME_SPACE, MESSAGE);
    soap_field_id(out, "id", notice->id);
    soap_field_text(out, "type", notice->type);
    soap_field_text(out, "account", notice->account);
    soap_field_text(out, "created_at", instant_text(notice->created_at).text);
}

void bank_notice_write(struct buffer *out, const struct bank_notice *notice,
                       const struct bank_record *record, const struct bank_view *view)
{
    struct json_writer json = { .out = out };

    if (view->bank->speaks_soap) {
        begin_soap(out, notice);
        bank_message_write_record(out, record, view);
        envelope_end(out, MESSAGE);
        return;
    }
    begin_json(&json, notice);
    bank_record_write(&json, record, view);
    json_end_object(&json);
}

bool bank_notice_can_write_any(const struct json_value *record, const struct bank *bank)
{
    return !bank->speaks_soap || bank_message_can_write_any(record);
}

void bank_notice_write_any(struct buffer *out, const struct bank_notice *notice,
                           const struct json_value *record, const struct bank *bank)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct json_writer json = { .out = out };

    if (bank->speaks_soap) {
        begin_soap(out, notice);
        soap_field_begin(out, "record");
        bank_message_write_any(out, record);
        soap_field_end(out, "record");
        envelope_end(out, MESSAGE);
        return;
    }
    begin_json(&json, notice);
    json_value_write(record, &text);
    json_raw(&json, buffer_span(&text));
    json_end_object(&json);
}

const char *bank_notice_content_type(const struct bank *bank)
{
    return bank->speaks_soap ? SOAP_CONTENT_TYPE : "application/json";
}
