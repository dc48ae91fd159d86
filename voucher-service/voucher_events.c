#include "voucher-service/voucher_events.h"

#include "voucher-service/voucher_json.h"

void voucher_announce(struct announcement *announcement, const struct voucher *voucher,
                      const char *type, const struct trace *trace)
{
    bool issued = strcmp(type, VOUCHER_ISSUED) == 0;

    announcement_begin(announcement, voucher->stream, voucher->merchant, type, trace);

    struct json_writer json = { .out = &announcement->data };
    voucher_write(&json, voucher, issued ? VOUCHER_WHOLE : VOUCHER_MASKED);
    announcement_seal(announcement, voucher->id, voucher->version, voucher->updated_at);
}
