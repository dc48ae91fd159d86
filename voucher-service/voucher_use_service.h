/*
 * Voucher use service: what merchants and operators do with vouchers, one use case for all ways in.
 *
 * It reads the voucher, lets voucher_use() decide, writes through the journal if nobody was faster,
 * and answers with the public object, which is the event's data as well. A repeated request (same
 * Idempotency-Key) is noticed when something refuses, and gets its first answer, also after the
 * voucher moved on.
 *
 * Any thread.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_USE_SERVICE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_USE_SERVICE_H

#include "shared/events/answers.h"
#include "voucher-service/voucher_service.h"
#include "voucher-service/voucher_use.h"

/* How often a wish is decided anew when others are faster. */
enum { VOUCHER_ATTEMPTS_MAX = 5 };

/* By what the voucher is found. */
enum voucher_handle { VOUCHER_BY_CODE, VOUCHER_BY_ID, VOUCHER_BY_REDEMPTION };

/* Who wishes, under which key, and of which voucher. */
struct voucher_command {
    const struct caller *caller;
    const struct idempotency *idempotency; /* NULL: the route takes none */
    enum voucher_handle handle;
    const char *code; /* as it was written */
    struct id id;     /* the voucher's or the redemption's */
    int status;       /* what a change is answered with */
};

/*
 * Does what is wished, or finds it done already (200, no event). Fails as voucher_use() does;
 * ERROR_NOT_FOUND, also for a mistyped code; ERROR_RATE_LIMITED after too many wrong codes;
 * ERROR_FORBIDDEN "merchant_required" for keys of `*`, unless they void.
 */
MUST_CHECK bool voucher_use_service_do(const struct voucher_service *service,
                                       const struct voucher_command *command,
                                       const struct voucher_wish *wish, struct answer *out,
                                       struct error *err);

/* Fails as the wish would, changes nothing; the voucher as it is. */
MUST_CHECK bool voucher_use_service_ask(const struct voucher_service *service,
                                        const struct voucher_command *command,
                                        const struct voucher_wish *wish, struct voucher *out,
                                        struct error *err);

/* Does to a voucher that was read what time wishes. Who was faster has decided: no error. */
MUST_CHECK bool voucher_use_service_apply(const struct voucher_service *service,
                                          struct voucher *voucher, const struct voucher_wish *wish,
                                          struct deadline deadline, struct error *err);

#endif
