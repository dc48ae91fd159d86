#include "payment-service/payment_events.h"

#include "payment-service/payment_json.h"

void payment_announce(struct announcement *announcement, const struct payment *payment,
                      const char *type, const struct trace *trace)
{
    announcement_begin(announcement, payment->stream, payment->merchant, type, trace);

    struct json_writer json = { .out = &announcement->data };
    payment_write(&json, payment);
    announcement_seal(announcement, payment->id, payment->version, payment->updated_at);
}

void refund_announce(struct announcement *announcement, const struct refund *refund,
                     const char *type, const struct trace *trace)
{
    announcement_begin(announcement, refund->stream, refund->merchant, type, trace);

    struct json_writer json = { .out = &announcement->data };
    refund_write(&json, refund);
    announcement_seal(announcement, refund->id, refund->version, refund->updated_at);
}
