#include "payment-service/payment_change.h"

#include "shared/events/answers.h"
#include "shared/http/reply.h"

/*
 * The order's row is locked first, and has to have room for the amount; the key is used only then.
 * An id that is there already is refused before that, so that it burns no key.
 */
STATEMENT(payment_create, "payments",
          "WITH input AS ("
          "SELECT stream::smallint, id, merchant_id, order_id, currency, amount, capture_method,"
          " method, card_brand, card_last4, card_digits::smallint, card_exp_month::smallint,"
          " card_exp_year::smallint, card_fingerprint, card_sealed, gateway, attempt_id,"
          " request_hash, created_at, expires_at, operation, skipped::json, wait_ms,"
          " traceparent, scope, key, body_hash, key_status::smallint"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::text[],"
          " $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],"
          " $12::bigint[], $13::bigint[], $14::text[], $15::bytea[], $16::text[], $17::uuid[],"
          " $18::bytea[], $19::timestamptz[], $20::timestamptz[], $21::text[], $22::text[],"
          " $23::bigint[], $24::text[], $25::text[], $26::text[], $27::bytea[],"
          " $28::bigint[])"
          " AS input (stream, id, merchant_id, order_id, currency, amount, capture_method,"
          " method, card_brand, card_last4, card_digits, card_exp_month, card_exp_year,"
          " card_fingerprint, card_sealed, gateway, attempt_id, request_hash, created_at,"
          " expires_at, operation, skipped, wait_ms, traceparent, scope, key, body_hash,"
          " key_status)"
          "), room AS ("
          "SELECT input.id FROM input"
          " JOIN payable_orders o ON o.stream = input.stream AND o.id = input.order_id"
          " WHERE o.merchant_id = input.merchant_id AND o.currency = input.currency"
          " AND NOT o.closed AND o.amount_due - o.amount_reserved >= input.amount"
          " ORDER BY o.id FOR UPDATE OF o"
          "), used AS ("
          "INSERT INTO idempotency_keys"
          " (stream, merchant_id, scope, key, body_hash, status, subject, subject_version,"
          " created_at)"
          " SELECT stream, merchant_id, scope, key, body_hash, key_status, id, 1, now()"
          " FROM input WHERE (order_id IS NULL OR id IN (SELECT id FROM room))"
          " AND NOT EXISTS (SELECT FROM payments p"
          " WHERE p.stream = input.stream AND p.id = input.id)"
          " ON CONFLICT DO NOTHING RETURNING subject"
          "), made AS ("
          "INSERT INTO payments"
          " (stream, id, merchant_id, version, revision, status, order_id, currency, amount,"
          " capture_method, method, card_brand, card_last4, card_digits, card_exp_month,"
          " card_exp_year, card_fingerprint, card_sealed, gateway, authorization_id,"
          " request_hash, created_at, updated_at, expires_at)"
          " SELECT stream, id, merchant_id, 1, 1, 'processing', order_id, currency, amount,"
          " capture_method, method, card_brand, card_last4, card_digits, card_exp_month,"
          " card_exp_year, card_fingerprint, card_sealed, gateway, attempt_id, request_hash,"
          " created_at, created_at, expires_at"
          " FROM input WHERE id IN (SELECT subject FROM used) RETURNING id"
          "), attempted AS ("
          "INSERT INTO attempts"
          " (stream, id, merchant_id, payment_id, operation, gateway, status, currency, amount,"
          " skipped, resolve_at, traceparent, created_at, updated_at)"
          " SELECT stream, attempt_id, merchant_id, id, operation, gateway, 'sent', currency,"
          " amount, skipped, now() + wait_ms * interval '1 millisecond', traceparent,"
          " created_at, created_at"
          " FROM input WHERE id IN (SELECT id FROM made)"
          "), reserved AS ("
          "UPDATE payable_orders o SET amount_reserved = o.amount_reserved + input.amount"
          " FROM input WHERE o.stream = input.stream AND o.id = input.order_id"
          " AND input.id IN (SELECT id FROM made)"
          ") SELECT id FROM made");

/*
 * The order's row is locked before the payment's, as everywhere; then the revision decides, then
 * the key. All that hangs on the payment follows it: what is not there is NULL. The payment's own
 * time is that of its last version, which most of what hangs on it does not make.
 */
STATEMENT(payment_alter, "payments",
          "WITH input AS ("
          "SELECT stream::smallint, id, merchant_id, order_id, revision::int, version::int,"
          " status, amount_captured, amount_refunded, amount_refund_pending, gateway,"
          " authorization_id, operation, operation_id, dispute_status, orphaned::int::boolean,"
          " to_undo::int::boolean, failure_code, decline_code, action_url, updated_at,"
          " expires_at, reserved, paid, ended_id, ended_status, ended_bank_id,"
          " ended_failure_code, ended_decline_code, ended_wait_ms, next_id, next_operation,"
          " next_gateway, next_currency, next_amount, next_skipped::json, next_wait_ms,"
          " next_traceparent, refund_id, refund_version::int, refund_status, refund_amount,"
          " refund_reason, refund_failure_code, refund_attempt_id,"
          " refund_automatic::int::boolean, scope, key, body_hash, key_status::smallint,"
          " changed_at"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[],"
          " $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[],"
          " $12::uuid[], $13::text[], $14::uuid[], $15::text[], $16::bigint[], $17::bigint[],"
          " $18::text[], $19::text[], $20::text[], $21::timestamptz[], $22::timestamptz[],"
          " $23::bigint[], $24::bigint[], $25::uuid[], $26::text[], $27::text[], $28::text[],"
          " $29::text[], $30::bigint[], $31::uuid[], $32::text[], $33::text[], $34::text[],"
          " $35::bigint[], $36::text[], $37::bigint[], $38::text[], $39::uuid[],"
          " $40::bigint[], $41::text[], $42::bigint[], $43::text[], $44::text[], $45::uuid[],"
          " $46::bigint[], $47::text[], $48::text[], $49::bytea[], $50::bigint[],"
          " $51::timestamptz[])"
          " AS input (stream, id, merchant_id, order_id, revision, version, status,"
          " amount_captured, amount_refunded, amount_refund_pending, gateway, authorization_id,"
          " operation, operation_id, dispute_status, orphaned, to_undo, failure_code,"
          " decline_code, action_url, updated_at, expires_at, reserved, paid, ended_id,"
          " ended_status, ended_bank_id, ended_failure_code, ended_decline_code,"
          " ended_wait_ms, next_id, next_operation, next_gateway, next_currency, next_amount,"
          " next_skipped, next_wait_ms, next_traceparent, refund_id, refund_version,"
          " refund_status, refund_amount, refund_reason, refund_failure_code,"
          " refund_attempt_id, refund_automatic, scope, key, body_hash, key_status,"
          " changed_at)"
          "), orders AS ("
          "SELECT o.id FROM input"
          " JOIN payable_orders o ON o.stream = input.stream AND o.id = input.order_id"
          " ORDER BY o.id FOR UPDATE OF o"
          "), target AS ("
          "SELECT p.id FROM input JOIN payments p ON p.stream = input.stream AND p.id = input.id"
          " WHERE p.revision = input.revision - 1 AND (SELECT count(*) FROM orders) >= 0"
          " ORDER BY p.id FOR UPDATE OF p"
          "), used AS ("
          "INSERT INTO idempotency_keys"
          " (stream, merchant_id, scope, key, body_hash, status, subject, subject_version,"
          " created_at)"
          " SELECT stream, merchant_id, scope, key, body_hash, key_status,"
          " coalesce(refund_id, id), CASE WHEN refund_id IS NULL THEN version"
          " ELSE refund_version END, now()"
          " FROM input WHERE key IS NOT NULL AND id IN (SELECT id FROM target)"
          " ON CONFLICT DO NOTHING RETURNING subject"
          "), good AS ("
          "SELECT id FROM input WHERE id IN (SELECT id FROM target)"
          " AND (key IS NULL OR coalesce(refund_id, id) IN (SELECT subject FROM used))"
          "), ended AS ("
          "UPDATE attempts a SET status = input.ended_status,"
          " bank_id = input.ended_bank_id, failure_code = input.ended_failure_code,"
          " decline_code = input.ended_decline_code,"
          " resolve_at = now() + input.ended_wait_ms * interval '1 millisecond',"
          " updated_at = input.changed_at"
          " FROM input WHERE a.stream = input.stream AND a.id = input.ended_id"
          " AND input.id IN (SELECT id FROM good)"
          "), next AS ("
          "INSERT INTO attempts"
          " (stream, id, merchant_id, payment_id, refund_id, operation, gateway, status,"
          " currency, amount, skipped, resolve_at, traceparent, created_at, updated_at)"
          " SELECT stream, next_id, merchant_id, id, refund_id, next_operation, next_gateway,"
          " 'sent', next_currency, next_amount, next_skipped,"
          " now() + next_wait_ms * interval '1 millisecond', next_traceparent,"
          " changed_at, changed_at"
          " FROM input WHERE next_id IS NOT NULL AND id IN (SELECT id FROM good)"
          "), refund_made AS ("
          "INSERT INTO refunds"
          " (stream, id, merchant_id, version, payment_id, attempt_id, status, currency, amount,"
          " reason, automatic, created_at, updated_at)"
          " SELECT stream, refund_id, merchant_id, refund_version, id, refund_attempt_id,"
          " refund_status, next_currency, refund_amount, refund_reason, refund_automatic,"
          " changed_at, changed_at"
          " FROM input WHERE refund_version = 1 AND id IN (SELECT id FROM good)"
          "), refund_changed AS ("
          "UPDATE refunds r SET version = input.refund_version, status = input.refund_status,"
          " failure_code = input.refund_failure_code, updated_at = input.changed_at"
          " FROM input WHERE r.stream = input.stream AND r.id = input.refund_id"
          " AND input.refund_version > 1 AND input.id IN (SELECT id FROM good)"
          "), share AS ("
          "UPDATE payable_orders o SET amount_reserved = o.amount_reserved + input.reserved,"
          " amount_paid = o.amount_paid + input.paid"
          " FROM input WHERE o.stream = input.stream AND o.id = input.order_id"
          " AND (input.reserved <> 0 OR input.paid <> 0) AND input.id IN (SELECT id FROM good)"
          ") UPDATE payments p SET revision = input.revision, version = input.version,"
          " status = input.status, amount_captured = input.amount_captured,"
          " amount_refunded = input.amount_refunded,"
          " amount_refund_pending = input.amount_refund_pending, gateway = input.gateway,"
          " authorization_id = input.authorization_id, operation = input.operation,"
          " operation_id = input.operation_id, dispute_status = input.dispute_status,"
          " orphaned = input.orphaned, to_undo = input.to_undo,"
          " failure_code = input.failure_code, decline_code = input.decline_code,"
          " action_url = input.action_url, updated_at = input.updated_at,"
          " expires_at = input.expires_at,"
          " card_sealed = CASE WHEN input.status = 'processing' THEN p.card_sealed END"
          " FROM input WHERE p.stream = input.stream AND p.id = input.id"
          " AND input.id IN (SELECT id FROM good) RETURNING p.id");

STATEMENT(attempt_alter, "payments",
          "WITH input AS ("
          "SELECT stream::smallint, id, status, tries::smallint, tries_before, wait_ms,"
          " updated_at"
          " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[],"
          " $6::bigint[], $7::timestamptz[])"
          " AS input (stream, id, status, tries, tries_before, wait_ms, updated_at)"
          ") UPDATE attempts a SET status = input.status, tries = input.tries,"
          " resolve_at = now() + input.wait_ms * interval '1 millisecond',"
          " updated_at = input.updated_at"
          " FROM input WHERE a.stream = input.stream AND a.id = input.id"
          " AND a.resolve_at IS NOT NULL AND a.tries = input.tries_before RETURNING a.id");

/* --- making ----------------------------------------------------------------------------------- */

/* Sorts by the order's row where there is one, because the others wait for that. */
static void lock_order(struct write *write, const struct payment *payment)
{
    if (payment->has_order)
        write_also(write, payment->order_id);
}

static void add_order(struct parameters *parameters, const struct payment *payment)
{
    if (payment->has_order)
        parameters_add_id(parameters, payment->order_id);
    else
        parameters_add_null(parameters, PARAMETER_ID);
}

static void add_card(struct parameters *parameters, const struct payment *payment,
                     struct span sealed)
{
    const struct card_face *face = &payment->face;
    bool none = payment->method != PAYMENT_CARD;
    const int64_t numbers[] = { face->digits, face->exp_month, face->exp_year };

    parameters_add_text_or_null(parameters, face->brand);
    parameters_add_text_or_null(parameters, face->last4);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (none)
            parameters_add_null(parameters, PARAMETER_INTEGER);
        else
            parameters_add_integer(parameters, numbers[i]);
    }
    parameters_add_text_or_null(parameters, face->fingerprint);
    if (sealed.length == 0)
        parameters_add_null(parameters, PARAMETER_BYTES);
    else
        parameters_add_bytes(parameters, sealed.at, sealed.length);
}

/* In the order of the columns of `input`, as all functions below. */
void payment_insert(struct write *write, const struct payment *payment,
                    const struct attempt *attempt, struct span sealed,
                    const struct idempotency *idempotency)
{
    struct parameters *parameters = &write->parameters;

    write_begin(write, &payment_create, payment->has_order ? WRITE_CHANGE : WRITE_CREATE,
                payment->stream, payment->id);
    lock_order(write, payment);
    parameters_add_integer(parameters, payment->stream);
    parameters_add_id(parameters, payment->id);
    parameters_add_text(parameters, payment->merchant);
    add_order(parameters, payment);
    parameters_add_text(parameters, payment->money.currency.code);
    parameters_add_integer(parameters, payment->money.amount);
    parameters_add_text(parameters, payment_capture_words[payment->capture]);
    parameters_add_text(parameters, payment_method_words[payment->method]);
    add_card(parameters, payment, sealed);
    parameters_add_text(parameters, payment->gateway);
    parameters_add_id(parameters, attempt->id);
    parameters_add_bytes(parameters, payment->request_hash, sizeof(payment->request_hash));
    parameters_add_instant(parameters, payment->created_at);
    parameters_add_instant_or_null(parameters, payment->expires_at);
    parameters_add_text(parameters, gateway_operation_words[attempt->operation]);
    parameters_add_span(parameters, attempt->skipped);
    parameters_add_integer(parameters, attempt->wait_ms);
    parameters_add_text(parameters, attempt->traceparent);
    answers_add_parameters(write, payment->merchant, idempotency, HTTP_CREATED);
}

/* --- changing --------------------------------------------------------------------------------- */

static void add_state(struct parameters *parameters, const struct payment *payment)
{
    parameters_add_integer(parameters, payment->revision);
    parameters_add_integer(parameters, payment->version);
    parameters_add_text(parameters, payment_status_words[payment->status]);
    parameters_add_integer(parameters, payment->amount_captured);
    parameters_add_integer(parameters, payment->amount_refunded);
    parameters_add_integer(parameters, payment->amount_refund_pending);
    parameters_add_text(parameters, payment->gateway);
    parameters_add_id(parameters, payment->authorization_id);
    parameters_add_text_or_null(parameters, payment_operation_words[payment->operation]);
    if (payment->operation == PAYMENT_IDLE)
        parameters_add_null(parameters, PARAMETER_ID);
    else
        parameters_add_id(parameters, payment->operation_id);
    parameters_add_text(parameters, payment_dispute_words[payment->dispute]);
    parameters_add_integer(parameters, payment->orphaned);
    parameters_add_integer(parameters, payment->to_undo);
    parameters_add_text_or_null(parameters, payment->failure.code);
    parameters_add_text_or_null(parameters, payment->failure.decline_code);
    parameters_add_text_or_null(parameters, payment->action_url);
    parameters_add_instant(parameters, payment->updated_at);
    parameters_add_instant_or_null(parameters, payment->expires_at);
}

static void add_nulls(struct parameters *parameters, const enum parameter_type *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        parameters_add_null(parameters, types[i]);
}

static void add_ended(struct parameters *parameters, const struct attempt *ended)
{
    static const enum parameter_type none[] = { PARAMETER_ID,   PARAMETER_TEXT, PARAMETER_TEXT,
                                                PARAMETER_TEXT, PARAMETER_TEXT, PARAMETER_INTEGER };

    if (!ended) {
        add_nulls(parameters, none, COUNT_OF(none));
        return;
    }
    parameters_add_id(parameters, ended->id);
    parameters_add_text(parameters, attempt_status_words[ended->status]);
    parameters_add_text_or_null(parameters, ended->bank_id);
    parameters_add_text_or_null(parameters, ended->failure.code);
    parameters_add_text_or_null(parameters, ended->failure.decline_code);
    if (attempt_has_ended(ended))
        parameters_add_null(parameters, PARAMETER_INTEGER);
    else
        parameters_add_integer(parameters, ended->wait_ms);
}

static void add_next(struct parameters *parameters, const struct attempt *next)
{
    static const enum parameter_type none[] = { PARAMETER_ID,      PARAMETER_TEXT,
                                                PARAMETER_TEXT,    PARAMETER_TEXT,
                                                PARAMETER_INTEGER, PARAMETER_TEXT,
                                                PARAMETER_INTEGER, PARAMETER_TEXT };

    if (!next) {
        add_nulls(parameters, none, COUNT_OF(none));
        return;
    }
    parameters_add_id(parameters, next->id);
    parameters_add_text(parameters, gateway_operation_words[next->operation]);
    parameters_add_text(parameters, next->gateway);
    parameters_add_text(parameters, next->money.currency.code);
    parameters_add_integer(parameters, next->money.amount);
    parameters_add_span(parameters, next->skipped);
    parameters_add_integer(parameters, next->wait_ms);
    parameters_add_text(parameters, next->traceparent);
}

static void add_refund(struct parameters *parameters, const struct refund *refund)
{
    static const enum parameter_type none[] = { PARAMETER_ID,   PARAMETER_INTEGER,
                                                PARAMETER_TEXT, PARAMETER_INTEGER,
                                                PARAMETER_TEXT, PARAMETER_TEXT,
                                                PARAMETER_ID,   PARAMETER_INTEGER };

    if (!refund) {
        add_nulls(parameters, none, COUNT_OF(none));
        return;
    }
    parameters_add_id(parameters, refund->id);
    parameters_add_integer(parameters, refund->version);
    parameters_add_text(parameters, refund_status_words[refund->status]);
    parameters_add_integer(parameters, refund->money.amount);
    parameters_add_text(parameters, refund->reason);
    parameters_add_text_or_null(parameters, refund->failure_code);
    parameters_add_id(parameters, refund->attempt_id);
    parameters_add_integer(parameters, refund->automatic);
}

/* When it happened. */
static struct instant changed_at(const struct payment_change *change)
{
    if (change->refund)
        return change->refund->updated_at;
    if (change->next)
        return change->next->created_at;
    return change->ended ? change->ended->updated_at : change->payment->updated_at;
}

void payment_update(struct write *write, const struct payment_change *change)
{
    static const struct idempotency no_key = { .key = "" };
    const struct payment *payment = change->payment;
    struct parameters *parameters = &write->parameters;

    write_begin(write, &payment_alter, WRITE_CHANGE, payment->stream, payment->id);
    lock_order(write, payment);
    parameters_add_integer(parameters, payment->stream);
    parameters_add_id(parameters, payment->id);
    parameters_add_text(parameters, payment->merchant);
    add_order(parameters, payment);
    add_state(parameters, payment);
    parameters_add_integer(parameters, payment_reserved(payment) - change->reserved_before);
    parameters_add_integer(parameters, payment_paid(payment) - change->paid_before);
    add_ended(parameters, change->ended);
    add_next(parameters, change->next);
    add_refund(parameters, change->refund);
    answers_add_parameters(write, payment->merchant,
                           change->idempotency ? change->idempotency : &no_key, change->status);
    parameters_add_instant(parameters, changed_at(change));
}

void attempt_reschedule(struct write *write, int stream, const struct attempt *attempt,
                        int64_t tries_before)
{
    struct parameters *parameters = &write->parameters;

    write_begin(write, &attempt_alter, WRITE_CHANGE, stream, attempt->id);
    parameters_add_integer(parameters, stream);
    parameters_add_id(parameters, attempt->id);
    parameters_add_text(parameters, attempt_status_words[attempt->status]);
    parameters_add_integer(parameters, attempt->tries);
    parameters_add_integer(parameters, tries_before);
    parameters_add_integer(parameters, attempt->wait_ms);
    parameters_add_instant(parameters, attempt->updated_at);
}
