#include "voucher-service/voucher_expiry.h"

/* One round may take this long: 100 commits one after the other, each within its own deadline. */
enum { ROUND_MS = 5000 };

static bool work(void *ctx, struct error *err, bool *more)
{
    return voucher_service_expire(ctx, deadline_in_ms(ROUND_MS), more, err);
}

struct work voucher_expiry_work(struct voucher_service *service)
{
    return (struct work){
        .name = "voucher_expiry", .every_ms = VOUCHER_EXPIRY_EVERY_MS, .work = work, .ctx = service
    };
}
