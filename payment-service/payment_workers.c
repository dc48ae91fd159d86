#include "payment-service/payment_workers.h"

#include "payment-service/payment_calls.h"
#include "payment-service/payment_change.h"
#include "payment-service/payment_conclude.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"

/* One question to a bank, its conclusion included. */
enum { ASK_MS = 4000 };

/* Looking for work, and writing down what was found. */
enum { ROUND_MS = 3000 };

/* After this time a worker lets itself be stopped before it goes on with what it found. */
enum { BITE_MS = 500 };

static struct pool *pool_of(const struct payment_service *service)
{
    return backbone_pool(service->backbone);
}

/* --- reconciling ------------------------------------------------------------------------------ */

/* Whoever raises `tries` first asks; the others find that it is not due any more. */
static bool claim(const struct payment_service *service, struct attempt_record *record,
                  bool *claimed, struct error *err)
{
    struct attempt *attempt = &record->attempt;
    int64_t tries_before = attempt->tries;
    struct instant now = clock_now();

    *claimed = false;
    if (attempt_has_ended(attempt) || !attempt->due)
        return true;
    attempt->tries++;
    attempt->updated_at = now;
    attempt->wait_ms = ATTEMPT_CLAIM_MS;

    AUTO(write_release) struct write write;
    attempt_reschedule(&write, record->payment.stream, attempt, tries_before);
    if (!journal_commit(backbone_journal(service->backbone), &write, deadline_in_ms(ROUND_MS), err))
        return false;
    *claimed = write.outcome == WRITE_DONE;
    return true;
}

static bool resolve(const struct payment_service *service, struct id id, struct error *err)
{
    AUTO(attempt_record_release) struct attempt_record record = ATTEMPT_RECORD_EMPTY;
    bool claimed;

    if (!attempt_store_read(pool_of(service), id, deadline_in_ms(ROUND_MS), &record, err) ||
        !claim(service, &record, &claimed, err))
        return false;
    if (!claimed)
        return true;
    CRASH_POINT("reconcile:after_claim");
    return payment_calls_resolve(service, &record, deadline_in_ms(ASK_MS), err);
}

/* One attempt that can not be concluded must not keep the others waiting. */
static bool reconcile(void *ctx, struct error *err, bool *more)
{
    const struct payment_service *service = ctx;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct deadline bite = deadline_in_ms(BITE_MS);

    if (!attempt_store_due(pool_of(service), deadline_in_ms(ROUND_MS), &rows, err))
        return false;
    for (size_t i = 0; i < rows.count && !deadline_passed(bite); i++) {
        struct row row = rows_at(&rows, i);

        if (!resolve(service, row_id(&row, "id"), err))
            log_swallowed(LOG_LEVEL_WARNING, "an attempt was not resolved", err);
    }
    *more = rows.count >= PAYMENT_DUE_MAX || deadline_passed(bite);
    return true;
}

/* --- beginning what has to follow ------------------------------------------------------------- */

/* Commits an intent that a worker will carry out: the reconcile worker, at once. */
static bool commit(const struct payment_service *service, struct payment_change *change,
                   struct error *err)
{
    bool done; /* somebody was faster: what is left to do is found the next time */

    change->reserved_before = payment_reserved(change->payment);
    change->paid_before = payment_paid(change->payment);
    return payment_commit(service, change, deadline_in_ms(ROUND_MS), &done, err);
}

/* Ends what the bank holds: by voiding it, or, where it is still open, its reference. */
static bool begin_end(const struct payment_service *service, struct payment *payment,
                      enum payment_operation operation, struct error *err)
{
    AUTO(attempt_record_release) struct attempt_record record = ATTEMPT_RECORD_EMPTY;
    bool by_reference = payment_is_open(payment), already;
    struct instant now = clock_now();
    struct trace trace = trace_create();
    struct attempt attempt;
    struct payment_change change = { .payment = payment, .trace = &trace };

    payment_attempt_begin(&attempt, payment, GATEWAY_VOID, &trace, now);
    attempt.wait_ms = 0;
    if (payment_is_held(payment) && operation == PAYMENT_CANCELING) {
        if (!payment_begin_release(payment, attempt.id))
            return true;
    } else if (!payment_begin_operation(payment, operation,
                                        by_reference ? payment->authorization_id : attempt.id,
                                        &already, err)) {
        return false;
    }
    change.next = &attempt;
    if (by_reference) {
        if (!attempt_store_read(pool_of(service), payment->authorization_id,
                                deadline_in_ms(ROUND_MS), &record, err))
            return false;
        record.attempt.wait_ms = 0;
        change.next = NULL;
        change.ended = attempt_has_ended(&record.attempt) ? NULL : &record.attempt;
    }
    return commit(service, &change, err);
}

static bool begin_refund(const struct payment_service *service, struct payment *payment,
                         struct error *err)
{
    struct attempt_record record = { .payment = *payment };
    struct refund draft = { .automatic = true };
    struct trace trace = trace_create();
    struct payment_change change = { .payment = &record.payment,
                                     .next = &record.attempt,
                                     .refund = &record.refund,
                                     .refund_event = refund_status_event(REFUND_PENDING),
                                     .trace = &trace };

    text_copy(draft.reason, sizeof(draft.reason),
              payment->orphaned ? "payment_orphaned" : "order_ended");
    if (!payment_refund_begin(&record, &draft, &trace, err))
        return false;
    record.attempt.wait_ms = 0;
    return commit(service, &change, err);
}

/* --- expiring --------------------------------------------------------------------------------- */

static bool expire(void *ctx, struct error *err, bool *more)
{
    const struct payment_service *service = ctx;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct deadline bite = deadline_in_ms(BITE_MS);

    if (!payment_store_expired(pool_of(service), deadline_in_ms(ROUND_MS), &rows, err))
        return false;
    for (size_t i = 0; i < rows.count && !deadline_passed(bite); i++) {
        struct row row = rows_at(&rows, i);
        struct payment payment;

        if (!payment_store_find(pool_of(service), (int)row_integer(&row, "stream"),
                                row_id(&row, "id"), deadline_in_ms(ROUND_MS), &payment, err) ||
            !begin_end(service, &payment, PAYMENT_EXPIRING, err))
            log_swallowed(LOG_LEVEL_WARNING, "a payment did not expire", err);
    }
    *more = rows.count >= PAYMENT_DUE_MAX || deadline_passed(bite);
    return true;
}

/* --- undoing ---------------------------------------------------------------------------------- */

static bool undo_payment(const struct payment_service *service, struct payment *payment,
                         struct error *err)
{
    if (!payment_is_undoable(payment))
        return true; /* its outcome is still to come, or it is being done */
    if (payment_refundable(payment) > 0)
        return begin_refund(service, payment, err);
    return begin_end(service, payment, PAYMENT_CANCELING, err);
}

static bool settle_order(const struct payment_service *service, int stream, struct id id,
                         struct error *err)
{
    AUTO(write_release) struct write write;

    payable_order_done(&write, stream, id);
    return journal_commit(backbone_journal(service->backbone), &write, deadline_in_ms(ROUND_MS),
                          err);
}

static bool undo_row(const struct payment_service *service, const struct row *row,
                     struct error *err)
{
    int stream = (int)row_integer(row, "stream");
    struct payment payment;

    if (!row_is_null(row, "done_order_id"))
        return settle_order(service, stream, row_id(row, "done_order_id"), err);
    return payment_store_find(pool_of(service), stream, row_id(row, "id"), deadline_in_ms(ROUND_MS),
                              &payment, err) &&
           undo_payment(service, &payment, err);
}

static bool undo(void *ctx, struct error *err, bool *more)
{
    const struct payment_service *service = ctx;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct deadline bite = deadline_in_ms(BITE_MS);

    *more = false;
    if (!payment_store_to_undo(pool_of(service), deadline_in_ms(ROUND_MS), &rows, err))
        return false;
    for (size_t i = 0; i < rows.count && !deadline_passed(bite); i++) {
        struct row row = rows_at(&rows, i);

        CRASH_POINT("undo:before_intent");
        if (!undo_row(service, &row, err))
            log_swallowed(LOG_LEVEL_WARNING, "a payment was not given back", err);
    }
    return true;
}

void payment_workers_add(struct payment_service *service)
{
    for (int i = 0; i < PAYMENT_RECONCILERS; i++)
        backbone_add_worker(
            service->backbone,
            &(struct work){ "reconcile payments", PAYMENT_RECONCILE_EVERY_MS, reconcile, service });
    backbone_add_worker(
        service->backbone,
        &(struct work){ "expire payments", PAYMENT_EXPIRE_EVERY_MS, expire, service });
    backbone_add_worker(
        service->backbone,
        &(struct work){ "undo payments", PAYMENT_RECONCILE_EVERY_MS, undo, service });
}
