/*
 * Order vouchers: how an order comes by the voucher whose code was typed.
 *
 * The voucher belongs to voucher-service. Before an order with a voucher is committed, the voucher
 * is reserved over HTTP, for a holder that a retry of the same request has again; order.created
 * carries holder and voucher and redeems it. A reservation that no order follows lapses by itself;
 * nobody gives it back, because whether an order follows is certain only when its time is over.
 * What matters is that an order is never committed after its reservation may have lapsed. So an
 * order may use a quarter of the time that it asked for, counted from before it asked; the rest is
 * for clocks that differ and commits that are slow.
 *
 * Any thread.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_VOUCHERS_H
#define CHECKOUT_ORDER_SERVICE_ORDER_VOUCHERS_H

#include "order-service/order.h"
#include "shared/http/client_pool.h"
#include "shared/http/request.h"

/* Requests to voucher-service under way at once; one more is refused. */
enum { ORDER_VOUCHER_CALLS_MAX = 64 };

/* How long voucher-service may take to reserve. */
enum { ORDER_VOUCHER_TIMEOUT_MS = 2000 };

/* An order may be committed within this part of its reservation's time. */
enum { ORDER_VOUCHER_TIME_PARTS = 4 };

struct order_vouchers {
    const char *origins; /* of voucher-service's instances */
    int64_t hold_s;      /* how long a voucher is reserved for */
    struct client_pool *clients;
};

/*
 * Whom a voucher is reserved for: the same for every repeat of a request with an Idempotency-Key,
 * the order's id for one without.
 */
void order_voucher_holder(const struct order *order, const char *key, char out[ORDER_HOLDER_SIZE]);

/*
 * Reserves the voucher with this code for `out->holder`, as the caller, and fills in its id and its
 * value. ERROR_VALIDATION "validation_failed" at /voucher_code when there is no such voucher;
 * otherwise voucher-service's own refusal ("voucher_redeemed", "voucher_currency_mismatch", ...);
 * ERROR_UNAVAILABLE "voucher_service_unavailable" when it can not be asked.
 */
MUST_CHECK bool order_voucher_reserve(const struct order_vouchers *vouchers,
                                      const struct caller *caller, const char *code,
                                      const struct order *order, struct order_voucher *out,
                                      struct error *err);

#endif
