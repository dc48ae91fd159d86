/*
 * Voucher store: the table `vouchers`.
 *
 * Reads see what the caller's key may see: a merchant's key its own vouchers in its own stream, a
 * key of `*` everybody's. Writes are made here, and committed by the journal or by a consumer.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_STORE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_STORE_H

#include "shared/db/pool.h"
#include "shared/db/write.h"
#include "shared/http/page.h"
#include "shared/http/request.h"
#include "voucher-service/voucher.h"

/* Vouchers that one round of expiring or lapsing takes from each stream. */
enum { VOUCHER_DUE_MAX = 100 };

/* ERROR_NOT_FOUND, in the same words for what belongs to somebody else. */
MUST_CHECK bool voucher_store_read(struct pool *pool, const struct caller *caller, struct id id,
                                   struct voucher *out, struct error *err);
MUST_CHECK bool voucher_store_read_code(struct pool *pool, const struct caller *caller,
                                        const struct voucher_code *code, struct voucher *out,
                                        struct error *err);

/* The voucher that a redemption of the caller's merchant, open or rolled back, is of. */
MUST_CHECK bool voucher_store_read_redemption(struct pool *pool, const struct caller *caller,
                                              struct id id, struct voucher *out, struct error *err);

/* Which vouchers, newest first; "" or false for any. */
struct voucher_filter {
    struct page_window window;
    const char *status;
    char customer_id[VOUCHER_TEXT_SIZE];
    bool has_order;
    struct id order_id;
};

/* Rows for voucher_from_row(). */
MUST_CHECK bool voucher_store_list(struct pool *pool, const struct caller *caller,
                                   const struct voucher_filter *filter, struct rows *out,
                                   struct error *err);

/* Active vouchers of every stream whose time is over, those that waited longest first. */
MUST_CHECK bool voucher_store_due(struct pool *pool, struct instant now, struct deadline deadline,
                                  struct rows *out, struct error *err);

/*
 * The streams with reservations whose time is over by the database's clock: `stream`, that moment
 * as `over_at`, and the consumer's `position` in the log of `source`.
 */
MUST_CHECK bool voucher_store_overdue_streams(struct pool *pool, const char *source,
                                              struct deadline deadline, struct rows *out,
                                              struct error *err);

/* Whether all that stands in the log of `source` up to `sequence` has taken effect here. */
MUST_CHECK bool voucher_store_reached(struct pool *pool, const char *source, int stream,
                                      int64_t sequence, struct deadline deadline, bool *out,
                                      struct error *err);

/* Vouchers of a stream whose reservation was over at that moment, the longest over first. */
MUST_CHECK bool voucher_store_overdue(struct pool *pool, int stream, struct instant over_at,
                                      struct deadline deadline, struct rows *out,
                                      struct error *err);

/*
 * The statement and parameters that lock and read the voucher that an order earned, unless that is
 * over (one at most: an order has one currency, and a currency has one rule). For use within a
 * transaction.
 */
const struct statement *voucher_store_lock_earned(struct parameters *parameters, int stream,
                                                  const char *merchant, struct id order_id);

/*
 * Those that lock and read the voucher that an order uses; the column `order_redeemed` tells
 * whether the order has a redemption, open or not.
 */
const struct statement *voucher_store_lock_for_order(struct parameters *parameters, int stream,
                                                     const char *merchant, struct id voucher_id,
                                                     struct id order_id);

/* One of all those rows. */
void voucher_from_row(const struct rows *rows, size_t index, struct voucher *out);

/* Inserts the voucher; refused when its order has one by its rule already. */
void voucher_insert(struct write *write, const struct voucher *voucher);

/*
 * Writes what can change of a voucher whose version was one less, opens or closes its redemption,
 * and keeps `status` under the idempotency key (NULL: without one) as answered. Refused when it is
 * not that version any more, when its source was undone meanwhile, or when the key was used.
 */
void voucher_update(struct write *write, const struct voucher *voucher,
                    const struct idempotency *idempotency, int status);

/* Writes that the order which earned the voucher was undone. Needs the row's lock. */
void voucher_remember_undone(struct write *write, const struct voucher *voucher);

/* Writes that an order has ended without having redeemed the voucher that it was to use. */
void voucher_forgo(struct write *write, const struct voucher *voucher, struct id order_id,
                   struct instant now);

#endif
