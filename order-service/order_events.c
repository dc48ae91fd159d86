#include "order-service/order_events.h"

#include "order-service/order_json.h"

void order_announce(struct announcement *announcement, const struct order *order, const char *type,
                    const struct trace *trace)
{
    announcement_begin(announcement, order->stream, order->merchant, type, trace);

    struct json_writer json = { .out = &announcement->data };
    order_write(&json, order);
    announcement_seal(announcement, order->id, order->version, order->updated_at);
}
