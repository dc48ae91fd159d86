#include "payment-service/bank-simulator/bank_notice.h"

void bank_notice_write(struct buffer *out, const struct bank_notice *notice,
                       const struct bank_view *view)
{
    struct json_writer json = { .out = out };

    json_begin_object(&json);
    json_member_id(&json, "id", notice->id);
    json_member_text(&json, "type", notice->type);
    json_member_text(&json, "account", notice->account);
    json_member_instant(&json, "created_at", notice->created_at);
    json_name(&json, "operation");
    bank_record_write(&json, notice->record, view);
    json_end_object(&json);
}

const char *bank_notice_content_type(const struct bank *bank)
{
    return bank->speaks_soap ? "text/xml; charset=utf-8" : "application/json";
}
