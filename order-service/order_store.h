/*
 * Order store: the table `orders`, and each order's events.
 *
 * Reads see what the caller's key may see: a merchant's key its own orders in its own stream, a key
 * of `*` everybody's. Writes are made here and committed by the journal.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_STORE_H
#define CHECKOUT_ORDER_SERVICE_ORDER_STORE_H

#include "order-service/order.h"
#include "shared/db/pool.h"
#include "shared/db/write.h"
#include "shared/http/page.h"
#include "shared/http/request.h"

/* Events of one order that are shown at most. */
enum { ORDER_EVENTS_MAX = 500 };

/* Orders that one round of expiring takes from each stream. */
enum { ORDER_DUE_MAX = 100 };

/* An order as it was read, and the row that its lines and metadata live in. */
struct order_record {
    struct rows rows;
    struct order order;
};

#define ORDER_RECORD_EMPTY ((struct order_record){ .rows = ROWS_EMPTY })

void order_record_release(struct order_record *record);

/* ERROR_NOT_FOUND, in the same words for what belongs to somebody else. */
MUST_CHECK bool order_store_read(struct pool *pool, const struct caller *caller, struct id id,
                                 struct order_record *out, struct error *err);

/* Which orders, newest first; texts are "" for any. */
struct order_filter {
    struct page_window window;
    const char *status;
    char customer_id[ORDER_TEXT_SIZE];
    char client_reference[ORDER_TEXT_SIZE];
};

/* Rows for order_from_row(). */
MUST_CHECK bool order_store_list(struct pool *pool, const struct caller *caller,
                                 const struct order_filter *filter, struct rows *out,
                                 struct error *err);

/* The order's events, oldest first, as rows for event_log_row(); none for an order not seen. */
MUST_CHECK bool order_store_events(struct pool *pool, const struct caller *caller, struct id id,
                                   struct rows *out, struct error *err);

/* Pending orders of every stream whose time is over, those that waited longest first. */
MUST_CHECK bool order_store_due(struct pool *pool, struct instant now, struct deadline deadline,
                                struct rows *out, struct error *err);

/* One of those rows; lines and metadata are borrowed from it. */
void order_from_row(const struct rows *rows, size_t index, struct order *out);

/* For a consumer's transaction: the order's row, locked until it ends. */
const struct statement *order_store_lock(struct parameters *parameters, int stream, struct id id);

/* The moment in so many seconds by the database's clock, for order_insert(). */
MUST_CHECK bool order_store_hold(struct pool *pool, int64_t seconds, struct deadline deadline,
                                 struct instant *out, struct error *err);

/*
 * Inserts the order; refused when its idempotency key was used, and when it has a voucher and the
 * database's clock is past `held_until`.
 */
void order_insert(struct write *write, const struct order *order, struct instant held_until,
                  const struct idempotency *idempotency);

/*
 * Writes what can change of an order whose version was one less; refused when it is not that any
 * more, or when the idempotency key was used (NULL: without one). A stale version burns no key.
 */
void order_update(struct write *write, const struct order *order,
                  const struct idempotency *idempotency);

#endif
