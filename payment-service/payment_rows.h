/*
 * Payment rows: the columns of payments, attempts and refunds, and what they are in memory.
 *
 * Attempts' and refunds' columns are called attempt_... and refund_..., so that one row can hold
 * all three. Spans live as long as the rows.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_ROWS_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_ROWS_H

#include "payment-service/attempt.h"
#include "payment-service/refund.h"
#include "shared/db/row.h"

#define PAYMENT_COLUMNS                                                                       \
    "p.stream, p.id, p.merchant_id, p.version, p.revision, p.status, p.order_id, p.currency," \
    " p.amount, p.amount_captured, p.amount_refunded, p.amount_refund_pending,"               \
    " p.capture_method, p.method, p.card_brand, p.card_last4, p.card_digits,"                 \
    " p.card_exp_month, p.card_exp_year, p.card_fingerprint, p.gateway, p.authorization_id,"  \
    " p.operation, p.operation_id, p.dispute_status, p.orphaned, p.to_undo, p.failure_code,"  \
    " p.decline_code, p.action_url, p.request_hash, p.created_at, p.updated_at, p.expires_at"

#define ATTEMPT_COLUMNS                                                                        \
    "a.id AS attempt_id, a.payment_id AS attempt_payment_id, a.refund_id AS"                   \
    " attempt_refund_id, a.operation AS attempt_operation, a.gateway AS attempt_gateway,"      \
    " a.status AS attempt_status, a.currency AS attempt_currency, a.amount AS attempt_amount," \
    " a.bank_id AS attempt_bank_id, a.failure_code AS attempt_failure_code, a.decline_code"    \
    " AS attempt_decline_code, a.skipped AS attempt_skipped, a.tries AS attempt_tries,"        \
    " a.traceparent AS attempt_traceparent, a.created_at AS attempt_created_at, a.updated_at"  \
    " AS attempt_updated_at, a.resolve_at <= now() AS attempt_due"

/* Of a refund and of its payment, which has the order. */
#define REFUND_COLUMNS                                                                          \
    "r.stream AS refund_stream, r.id AS refund_id, r.merchant_id AS refund_merchant_id,"        \
    " r.version AS refund_version, r.payment_id AS refund_payment_id, r.attempt_id AS"          \
    " refund_attempt_id, r.status AS refund_status, r.currency AS refund_currency, r.amount AS" \
    " refund_amount, r.reason AS refund_reason, r.failure_code AS refund_failure_code,"         \
    " r.automatic AS refund_automatic, r.created_at AS refund_created_at, r.updated_at AS "     \
    "refund_updated_at, p.order_id AS"                                                          \
    " refund_order_id"

void payment_from_row(const struct row *row, struct payment *out);
void attempt_from_row(const struct row *row, struct attempt *out);
void refund_from_row(const struct row *row, struct refund *out);

#endif
