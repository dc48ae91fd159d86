/*
 * Settlement: what moved on an account in one day, as CSV (RFC 4180).
 *
 *     settled_at,account,operation,reference,authorization,amount,currency,direction
 *
 * `operation` is capture, transfer, refund or refund_return; `amount` is positive, and `direction`
 * says whose it is: credit is the account's. What is captured at once has the authorization's
 * reference. Pure.
 */
#ifndef CHECKOUT_BANK_SETTLEMENT_H
#define CHECKOUT_BANK_SETTLEMENT_H

#include "payment-service/bank-simulator/bank_book.h"
#include "shared/base/buffer.h"

/* Midnight (UTC) of "2026-01-31"; ERROR_MALFORMED "date_malformed". */
MUST_CHECK bool settlement_day(const char *text, struct instant *out, struct error *err);

void settlement_begin(struct buffer *out);

void settlement_add(struct buffer *out, const char *account, const struct bank_movement_row *row);

#endif
