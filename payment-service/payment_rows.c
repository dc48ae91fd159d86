#include "payment-service/payment_rows.h"

#define WORD(row, column, words) row_choice(row, column, words, COUNT_OF(words))
#define COPY(row, column, out)   row_copy_text(row, column, out, sizeof(out))

static void read_money(const struct row *row, const char *amount, const char *currency,
                       struct money *out)
{
    out->amount = row_integer(row, amount);
    COPY(row, currency, out->currency.code);
}

static void read_face(const struct row *row, struct card_face *out)
{
    COPY(row, "card_brand", out->brand);
    COPY(row, "card_last4", out->last4);
    out->digits = row_integer(row, "card_digits");
    out->exp_month = row_integer(row, "card_exp_month");
    out->exp_year = row_integer(row, "card_exp_year");
    COPY(row, "card_fingerprint", out->fingerprint);
}

static void read_state(const struct row *row, struct payment *out)
{
    out->status = (enum payment_status)WORD(row, "status", payment_status_words);
    out->operation = (enum payment_operation)WORD(row, "operation", payment_operation_words);
    out->operation_id = row_id(row, "operation_id");
    out->dispute = (enum payment_dispute)WORD(row, "dispute_status", payment_dispute_words);
    out->orphaned = row_boolean(row, "orphaned");
    out->to_undo = row_boolean(row, "to_undo");
    COPY(row, "failure_code", out->failure.code);
    COPY(row, "decline_code", out->failure.decline_code);
    COPY(row, "action_url", out->action_url);
    out->created_at = row_instant(row, "created_at");
    out->updated_at = row_instant(row, "updated_at");
    out->expires_at = row_instant(row, "expires_at");
}

void payment_from_row(const struct row *row, struct payment *out)
{
    out->stream = (int)row_integer(row, "stream");
    out->id = row_id(row, "id");
    COPY(row, "merchant_id", out->merchant);
    out->version = row_integer(row, "version");
    out->revision = row_integer(row, "revision");
    out->has_order = !row_is_null(row, "order_id");
    out->order_id = row_id(row, "order_id");
    read_money(row, "amount", "currency", &out->money);
    out->amount_captured = row_integer(row, "amount_captured");
    out->amount_refunded = row_integer(row, "amount_refunded");
    out->amount_refund_pending = row_integer(row, "amount_refund_pending");
    out->capture = (enum payment_capture)WORD(row, "capture_method", payment_capture_words);
    out->method = (enum payment_method)WORD(row, "method", payment_method_words);
    read_face(row, &out->face);
    COPY(row, "gateway", out->gateway);
    out->authorization_id = row_id(row, "authorization_id");
    bool whole = row_bytes(row, "request_hash", out->request_hash, sizeof(out->request_hash));
    assert(whole);
    read_state(row, out);
}

void attempt_from_row(const struct row *row, struct attempt *out)
{
    out->id = row_id(row, "attempt_id");
    out->payment_id = row_id(row, "attempt_payment_id");
    out->has_refund = !row_is_null(row, "attempt_refund_id");
    out->refund_id = row_id(row, "attempt_refund_id");
    out->operation =
        (enum gateway_operation)WORD(row, "attempt_operation", gateway_operation_words);
    COPY(row, "attempt_gateway", out->gateway);
    out->status = (enum attempt_status)WORD(row, "attempt_status", attempt_status_words);
    read_money(row, "attempt_amount", "attempt_currency", &out->money);
    COPY(row, "attempt_bank_id", out->bank_id);
    COPY(row, "attempt_failure_code", out->failure.code);
    COPY(row, "attempt_decline_code", out->failure.decline_code);
    out->skipped = row_span(row, "attempt_skipped");
    out->tries = row_integer(row, "attempt_tries");
    COPY(row, "attempt_traceparent", out->traceparent);
    out->created_at = row_instant(row, "attempt_created_at");
    out->updated_at = row_instant(row, "attempt_updated_at");
    out->due = row_boolean(row, "attempt_due");
}

void refund_from_row(const struct row *row, struct refund *out)
{
    out->stream = (int)row_integer(row, "refund_stream");
    out->id = row_id(row, "refund_id");
    COPY(row, "refund_merchant_id", out->merchant);
    out->version = row_integer(row, "refund_version");
    out->payment_id = row_id(row, "refund_payment_id");
    out->has_order = !row_is_null(row, "refund_order_id");
    out->order_id = row_id(row, "refund_order_id");
    out->attempt_id = row_id(row, "refund_attempt_id");
    out->status = (enum refund_status)WORD(row, "refund_status", refund_status_words);
    read_money(row, "refund_amount", "refund_currency", &out->money);
    COPY(row, "refund_reason", out->reason);
    COPY(row, "refund_failure_code", out->failure_code);
    out->automatic = row_boolean(row, "refund_automatic");
    out->created_at = row_instant(row, "refund_created_at");
    out->updated_at = row_instant(row, "refund_updated_at");
}
