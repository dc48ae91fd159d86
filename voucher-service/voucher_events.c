#include "voucher-service/voucher_events.h"

#include "shared/http/reply.h"
#include "voucher-service/voucher_json.h"
#include "voucher-service/voucher_store.h"

void voucher_announce(struct announcement *announcement, const struct voucher *voucher,
                      const char *type, const struct trace *trace)
{
    bool issued = strcmp(type, VOUCHER_ISSUED) == 0;

    announcement_begin(announcement, voucher->stream, voucher->merchant, type, trace);

    struct json_writer json = { .out = &announcement->data };
    voucher_write(&json, voucher, issued ? VOUCHER_WHOLE : VOUCHER_MASKED);
    announcement_seal(announcement, voucher->id, voucher->version, voucher->updated_at);
}

void voucher_announce_effect(struct effect *effect, const struct voucher *voucher, const char *type,
                             const struct event *cause)
{
    struct trace trace;

    if (!trace_parse(span_of(cause->traceparent), &trace))
        trace = trace_create();
    voucher_announce(&effect->announcement, voucher, type, &trace);
    write_announce(&effect->write, &effect->announcement.event);
}

void voucher_effect(struct effect *effect, const struct voucher *voucher, const char *type,
                    const struct event *cause)
{
    voucher_update(&effect->write, voucher, NULL, HTTP_OK);
    voucher_announce_effect(effect, voucher, type, cause);
}
