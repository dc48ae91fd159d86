#include "payment-service/payment_answer.h"
#include "payment-service/payment_calls.h"
#include "payment-service/payment_change.h"
#include "payment-service/payment_conclude.h"
#include "shared/events/answers.h"
#include "shared/http/reply.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"

/*
 * What follows a payment: capturing, canceling, refunding. Each is decided on the payment as it was
 * read, committed as an intent, and carried out at the bank where the payment was made.
 */

/* The record that is being decided on, and whether there is anything to do at the bank. */
struct following {
    struct attempt_record record;
    bool by_reference; /* what is canceled is the authorization itself, which is still open */
    bool already;      /* it is there already */
};

static void following_release(struct following *following)
{
    attempt_record_release(&following->record);
}

static bool require_merchant(const struct access *access, struct error *err)
{
    return access_require_merchant(access, "Payments are changed", err);
}

/* Commits the intent, with the key that it answers. */
static bool commit_intent(const struct payment_service *service,
                          const struct payment_command *command, struct payment_change *change,
                          bool *done, struct error *err)
{
    change->reserved_before = payment_reserved(change->payment);
    change->paid_before = payment_paid(change->payment);
    change->idempotency = &command->idempotency;
    change->trace = &command->caller->trace;
    CRASH_POINT("payment:before_follow_intent");
    if (!payment_commit(service, change, command->caller->deadline, done, err))
        return false;
    if (*done)
        CRASH_POINT("payment:after_follow_intent");
    return true;
}

/* --- capturing and canceling ------------------------------------------------------------------ */

/* What is asked for: a use case with its way to decide. */
struct following_wish {
    enum payment_operation operation;
    int64_t amount; /* of a capture; 0: all */
};

/* Begins the operation in memory, on a payment that was just read. */
static bool decide(struct following *following, const struct payment_command *command,
                   const struct following_wish *wish, struct error *err)
{
    struct payment *payment = &following->record.payment;
    struct attempt *attempt = &following->record.attempt;
    bool captures = wish->operation == PAYMENT_CAPTURING;
    int64_t amount = wish->amount;

    following->by_reference = !captures && payment_is_open(payment);
    payment_attempt_begin(attempt, payment, captures ? GATEWAY_CAPTURE : GATEWAY_VOID,
                          &command->caller->trace, clock_now());
    if (!payment_begin_operation(payment, wish->operation,
                                 following->by_reference ? payment->authorization_id : attempt->id,
                                 &following->already, err))
        return false;
    if (captures && !payment_capture_amount(payment, &amount, err))
        return false;
    if (captures)
        attempt->money.amount = amount;
    return true;
}

/* An authorization that is still open is what has to be ended: it is looked after at once, and has
 * no other attempt beside it. */
static bool read_authorization(const struct payment_service *service, struct following *following,
                               struct deadline deadline, struct error *err)
{
    struct payment payment = following->record.payment;

    if (!attempt_store_read(backbone_pool(service->backbone), payment.authorization_id, deadline,
                            &following->record, err))
        return false;
    following->record.payment = payment; /* as it shall be */
    following->record.attempt.wait_ms = ATTEMPT_CALL_MS;
    return true;
}

static bool begin(const struct payment_service *service, const struct payment_command *command,
                  struct following *following, bool *done, struct error *err)
{
    struct attempt_record *record = &following->record;
    struct payment_change change = { .payment = &record->payment, .status = HTTP_OK };

    if (!following->by_reference)
        change.next = &record->attempt;
    else if (!read_authorization(service, following, command->caller->deadline, err))
        return false;
    else if (!attempt_has_ended(&record->attempt))
        change.ended = &record->attempt;
    return commit_intent(service, command, &change, done, err);
}

/* What can not be concluded now will be by others: to the client it is under way. */
static bool was_concluded(bool concluded, const struct error *err)
{
    if (!concluded)
        log_swallowed(LOG_LEVEL_WARNING, "what follows a payment was not concluded", err);
    return concluded;
}

/* Does at the bank what was committed, and answers with what came of it. */
static void carry_out(const struct payment_service *service, const struct payment_command *command,
                      struct following *following, struct answer *out)
{
    const struct payment intent = following->record.payment;
    struct attempt_record *record = &following->record;
    struct deadline deadline = payment_bank_deadline(command->caller);
    struct error err;
    bool concluded = was_concluded(following->by_reference
                                       ? payment_calls_resolve(service, record, deadline, &err)
                                       : payment_calls_follow(service, record, deadline, &err),
                                   &err);

    payment_answer(out, HTTP_OK, concluded ? &record->payment : &intent);
}

/* It is there already, which is an answer as well: from now on the key stands for it. */
static bool keep_unchanged(const struct payment_service *service,
                           const struct payment_command *command, const struct payment *payment,
                           struct answer *out, struct error *err)
{
    const struct answer answer = { .status = HTTP_OK,
                                   .subject = payment->id,
                                   .subject_version = payment->version };
    AUTO(write_release) struct write write;

    answers_keep(&write, command->caller, &command->idempotency, &answer);
    if (!journal_commit(backbone_journal(service->backbone), &write, command->caller->deadline,
                        err))
        return false;
    if (write.outcome != WRITE_DONE) /* a repeat was faster */
        return payment_replay(service, command, out, err);
    payment_answer(out, HTTP_OK, payment);
    return true;
}

static bool follow_once(const struct payment_service *service,
                        const struct payment_command *command, const struct following_wish *wish,
                        struct answer *out, struct error *err)
{
    AUTO(following_release) struct following following = { .record = ATTEMPT_RECORD_EMPTY };
    struct payment *payment = &following.record.payment;
    bool done;

    following.record.wanted = true;
    if (!payment_store_read(backbone_pool(service->backbone), command->caller, command->id, payment,
                            err))
        return false;
    if (!decide(&following, command, wish, err))
        return payment_refused(service, command, out, err);
    if (following.already)
        return keep_unchanged(service, command, payment, out, err);
    if (!begin(service, command, &following, &done, err))
        return false;
    if (!done)
        return payment_replay(service, command, out, err);
    carry_out(service, command, &following, out);
    return true;
}

/* A repeat is answered first: by then the payment has moved on, and would refuse. */
static bool follow(const struct payment_service *service, const struct payment_command *command,
                   const struct following_wish *wish, struct answer *out, struct error *err)
{
    if (!require_merchant(&command->caller->access, err) ||
        !payment_replay(service, command, out, err))
        return false;
    if (out->status == 0 && !payment_calls_acquire(service, err))
        return false;
    bool acquired = out->status == 0, good = true;
    for (int i = 0; i < PAYMENT_ATTEMPTS_MAX && good && out->status == 0; i++)
        good = follow_once(service, command, wish, out, err);
    if (acquired)
        payment_calls_release(service);
    return good && (out->status != 0 || error_set_restless(err, "payment"));
}

bool payment_service_capture(const struct payment_service *service,
                             const struct payment_command *command, int64_t amount,
                             struct answer *out, struct error *err)
{
    return follow(service, command, &(struct following_wish){ PAYMENT_CAPTURING, amount }, out,
                  err);
}

bool payment_service_cancel(const struct payment_service *service,
                            const struct payment_command *command, struct answer *out,
                            struct error *err)
{
    return follow(service, command, &(struct following_wish){ PAYMENT_CANCELING, 0 }, out, err);
}

/* --- refunding -------------------------------------------------------------------------------- */

static void give_back(const struct payment_service *service, const struct payment_command *command,
                      struct attempt_record *record, struct answer *out)
{
    const struct refund intent = record->refund;
    struct deadline deadline = payment_bank_deadline(command->caller);
    struct error err;
    bool concluded = was_concluded(payment_calls_follow(service, record, deadline, &err), &err);

    refund_answer(out, concluded ? &record->refund : &intent);
}

static bool refund_once(const struct payment_service *service,
                        const struct payment_command *command, const struct refund *draft,
                        struct answer *out, struct error *err)
{
    AUTO(attempt_record_release) struct attempt_record record = ATTEMPT_RECORD_EMPTY;
    struct payment_change change = { .payment = &record.payment,
                                     .next = &record.attempt,
                                     .refund = &record.refund,
                                     .refund_event = refund_status_event(REFUND_PENDING),
                                     .status = HTTP_CREATED };
    bool done;

    if (!payment_store_read(backbone_pool(service->backbone), command->caller, command->id,
                            &record.payment, err))
        return false;
    if (!payment_refund_begin(&record, draft, &command->caller->trace, err))
        return refund_refused(service, command, out, err);
    if (!commit_intent(service, command, &change, &done, err))
        return false;
    if (!done)
        return refund_replay(service, command, out, err);
    give_back(service, command, &record, out);
    return true;
}

bool payment_service_refund(const struct payment_service *service,
                            const struct payment_command *command, const struct refund *draft,
                            struct answer *out, struct error *err)
{
    if (!require_merchant(&command->caller->access, err) ||
        !refund_replay(service, command, out, err))
        return false;
    if (out->status == 0 && !payment_calls_acquire(service, err))
        return false;
    bool acquired = out->status == 0, good = true;
    for (int i = 0; i < PAYMENT_ATTEMPTS_MAX && good && out->status == 0; i++)
        good = refund_once(service, command, draft, out, err);
    if (acquired)
        payment_calls_release(service);
    return good && (out->status != 0 || error_set_restless(err, "payment"));
}
