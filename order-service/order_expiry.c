#include "order-service/order_expiry.h"

/* One round may take this long: 100 commits one after the other, each within its own deadline. */
enum { ROUND_MS = 5000 };

static bool work(void *ctx, struct error *err, bool *more)
{
    return order_service_expire(ctx, deadline_in_ms(ROUND_MS), more, err);
}

struct work order_expiry_work(struct order_service *service)
{
    return (struct work){
        .name = "order_expiry", .every_ms = ORDER_EXPIRY_EVERY_MS, .work = work, .ctx = service
    };
}
