/*
 * Payment store: reading payments, refunds and attempts.
 *
 * Requests see what their caller's key may see: a merchant's key its own in its own stream, a key
 * of `*` everybody's. Workers and webhooks find things by their ids. Writing is payment_change.h.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_STORE_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_STORE_H

#include "payment-service/payment_rows.h"
#include "shared/db/pool.h"
#include "shared/http/page.h"
#include "shared/http/request.h"

/* Attempts of one payment that are shown at most. */
enum { PAYMENT_ATTEMPTS_SHOWN = 200 };

/* What one round of a worker takes at most. */
enum { PAYMENT_DUE_MAX = 50 };

/* ERROR_NOT_FOUND, in the same words for what belongs to somebody else. */
MUST_CHECK bool payment_store_read(struct pool *pool, const struct caller *caller, struct id id,
                                   struct payment *out, struct error *err);

MUST_CHECK bool refund_store_read(struct pool *pool, const struct caller *caller, struct id id,
                                  struct refund *out, struct error *err);

/* Which ones, newest first; a status of NULL is any. */
struct payment_filter {
    struct page_window window;
    const char *status;
    bool has_order;
    struct id order_id;
    bool has_payment; /* of refunds */
    struct id payment_id;
};

/* Rows for payment_from_row() and refund_from_row(). */
MUST_CHECK bool payment_store_list(struct pool *pool, const struct caller *caller,
                                   const struct payment_filter *filter, struct rows *out,
                                   struct error *err);
MUST_CHECK bool refund_store_list(struct pool *pool, const struct caller *caller,
                                  const struct payment_filter *filter, struct rows *out,
                                  struct error *err);

/* All attempts of a payment, oldest first, as rows for attempt_from_row(). */
MUST_CHECK bool attempt_store_list(struct pool *pool, int stream, struct id payment_id,
                                   struct deadline deadline, struct rows *out, struct error *err);

/* A card number, sealed: nonce, digits and tag. */
enum { PAYMENT_SEALED_MAX = 24 + CARD_NUMBER_MAX + 16 };

/* An attempt with all that it changes; `attempt.skipped` lives in the rows. */
struct attempt_record {
    struct rows rows;
    struct attempt attempt;
    struct payment payment;
    struct refund refund; /* if attempt.has_refund */
    bool wanted;          /* the order has not ended, or there is none */
    size_t sealed_length; /* of the card's number as it is kept; 0: it is not (any more) */
    char sealed[PAYMENT_SEALED_MAX];
};

#define ATTEMPT_RECORD_EMPTY ((struct attempt_record){ .rows = ROWS_EMPTY })

void attempt_record_release(struct attempt_record *record);

/* By the attempt's id, in whichever stream. ERROR_NOT_FOUND "attempt_not_found". */
MUST_CHECK bool attempt_store_read(struct pool *pool, struct id id, struct deadline deadline,
                                   struct attempt_record *out, struct error *err);

/*
 * What workers have to look after: rows with `stream` and `id`, those that wait longest first, by
 * the database's clock. Of what is to be undone, a row with `done_order_id` tells of an order that
 * has ended and has nothing left to undo.
 */
MUST_CHECK bool attempt_store_due(struct pool *pool, struct deadline deadline, struct rows *out,
                                  struct error *err);
MUST_CHECK bool payment_store_expired(struct pool *pool, struct deadline deadline, struct rows *out,
                                      struct error *err);
MUST_CHECK bool payment_store_to_undo(struct pool *pool, struct deadline deadline, struct rows *out,
                                      struct error *err);

/* A payment by id and stream, for workers. ERROR_NOT_FOUND. */
MUST_CHECK bool payment_store_find(struct pool *pool, int stream, struct id id,
                                   struct deadline deadline, struct payment *out,
                                   struct error *err);

#endif
