#include "voucher-service/voucher_expiry.h"

#include "shared/runtime/crash_point.h"
#include "voucher-service/voucher_use_service.h"

/* One round may take this long: 100 commits one after the other, each within its own deadline. */
enum { ROUND_MS = 5000 };

/* At most VOUCHER_DUE_MAX of each stream; `more` tells that there may be others. */
static bool work(void *ctx, struct error *err, bool *more)
{
    const struct voucher_service *service = ctx;
    const struct voucher_wish wish = { .way = VOUCHER_EXPIRE };
    struct deadline deadline = deadline_in_ms(ROUND_MS);
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    if (!voucher_store_due(backbone_pool(service->backbone), clock_now(), deadline, &rows, err))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct voucher voucher;

        voucher_from_row(&rows, i, &voucher);
        CRASH_POINT("voucher:before_expiry");
        if (!voucher_use_service_apply(service, &voucher, &wish, deadline, err))
            return false;
    }
    *more = rows.count >= VOUCHER_DUE_MAX;
    return true;
}

struct work voucher_expiry_work(struct voucher_service *service)
{
    return (struct work){
        .name = "voucher_expiry", .every_ms = VOUCHER_EXPIRY_EVERY_MS, .work = work, .ctx = service
    };
}
