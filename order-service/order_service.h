/*
 * Order service: what can be done with orders, one function per use case.
 *
 * A use case reads, lets the domain decide, writes through the journal and answers with the order's
 * public object, which is made once: it is the event's data as well. A repeated request (same
 * Idempotency-Key) is noticed only when something refuses, so nobody pays for looking it up:
 *
 *     a creation     its key is taken                               -> the kept answer
 *     a change       its key is taken, or the order has moved on    -> the kept answer, if there is
 *                    one; else the order is read again
 *
 * Answers are released by the caller. Any thread.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_SERVICE_H
#define CHECKOUT_ORDER_SERVICE_ORDER_SERVICE_H

#include "order-service/order_json.h"
#include "order-service/order_peer.h"
#include "order-service/order_store.h"
#include "order-service/order_vouchers.h"
#include "shared/events/answers.h"
#include "shared/events/backbone.h"

/* How often a change is decided anew when others are faster. */
enum { ORDER_ATTEMPTS_MAX = 5 };

struct order_service {
    struct backbone *backbone;
    int64_t expiry_ms; /* how long a prepaid order may stay unpaid */
    struct order_vouchers vouchers;
    struct order_peer payment_peer, voucher_peer; /* to be asked for timelines */
};

/* Who wants something written, under which key, and (for a change) to what, at which version. */
struct order_command {
    const struct caller *caller;
    const struct idempotency *idempotency;
    struct id id;
    const char *if_match; /* or NULL */
};

/*
 * Creates what the draft says. An order of which nothing is due is paid at once: version 2, two
 * events. A voucher is reserved first, which needs vouchers:write too; what is wrong with it is
 * told as order_voucher_reserve() does. ERROR_FORBIDDEN "merchant_required" for keys of `*`;
 * ERROR_UNAVAILABLE "reservation_over" when reserving and committing took too long together.
 */
MUST_CHECK bool order_service_create(const struct order_service *service,
                                     const struct order_command *command, struct order_draft *draft,
                                     struct answer *out, struct error *err);

/*
 * Moves an order, edits its metadata, or both (one version, one event). Finding it as wanted is no
 * error and no event. ERROR_CONFLICT "illegal_transition" or "version_conflict";
 * ERROR_PRECONDITION; ERROR_FORBIDDEN for scopes: sent, delivered and returned need
 * orders:fulfil, the rest orders:write.
 */
MUST_CHECK bool order_service_change(const struct order_service *service,
                                     const struct order_command *command,
                                     const struct order_change *change, struct answer *out,
                                     struct error *err);

MUST_CHECK bool order_service_read(const struct order_service *service, const struct caller *caller,
                                   struct id id, struct answer *out, struct error *err);

/* Writes a page; `filter->window.limit` orders are shown, and whether more follow. */
MUST_CHECK bool order_service_list(const struct order_service *service, const struct caller *caller,
                                   const struct order_filter *filter, struct buffer *body,
                                   struct error *err);

/*
 * Moves orders whose time is over to `expired`, at most ORDER_DUE_MAX of each stream; `more` tells
 * that there may be others.
 */
MUST_CHECK bool order_service_expire(const struct order_service *service, struct deadline deadline,
                                     bool *more, struct error *err);

#endif
