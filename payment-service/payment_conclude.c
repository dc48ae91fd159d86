#include "payment-service/payment_conclude.h"

#include "payment-service/payment_events.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

/* What is to be written: nothing, a time to ask again, or a change with its events. */
struct conclusion {
    enum { CONCLUDE_NOTHING, CONCLUDE_ASK_AGAIN, CONCLUDE_CHANGE } kind;
    const char *payment_event, *refund_event;
};

static const struct conclusion nothing = { .kind = CONCLUDE_NOTHING };
static const struct conclusion ask_again = { .kind = CONCLUDE_ASK_AGAIN };

/* --- committing ------------------------------------------------------------------------------- */

static void count_event(const struct event *event)
{
    char labels[EVENT_TYPE_SIZE + 16];

    text_format(labels, sizeof(labels), "type=\"%s\"", event->type);
    metric_add(
        metric_counter("checkout_payment_events_total", "Changes of payments and refunds", labels),
        1);
}

static void release_pair(struct announcement (*pair)[2])
{
    announcement_release(&(*pair)[0]);
    announcement_release(&(*pair)[1]);
}

bool payment_commit(const struct payment_service *service, const struct payment_change *change,
                    struct deadline deadline, bool *done, struct error *err)
{
    AUTO(release_pair) struct announcement pair[2] = { ANNOUNCEMENT_EMPTY, ANNOUNCEMENT_EMPTY };
    AUTO(write_release) struct write write;

    payment_update(&write, change);
    if (change->payment_event) {
        payment_announce(&pair[0], change->payment, change->payment_event, change->trace);
        write_announce(&write, &pair[0].event);
    }
    if (change->refund_event) {
        refund_announce(&pair[1], change->refund, change->refund_event, change->trace);
        write_announce(&write, &pair[1].event);
    }
    if (!journal_commit(backbone_journal(service->backbone), &write, deadline, err))
        return false;
    *done = write.outcome == WRITE_DONE;
    for (size_t i = 0; *done && i < write.event_count; i++)
        count_event(write.events[i]);
    return true;
}

/* --- deciding --------------------------------------------------------------------------------- */

static struct payment_failure failure_of(const struct gateway_result *result)
{
    struct payment_failure failure;

    text_copy(failure.code, sizeof(failure.code),
              *result->failure_code != '\0' ? result->failure_code : "declined");
    if (*result->refusal != '\0')
        text_copy(failure.code, sizeof(failure.code), result->refusal);
    text_copy(failure.decline_code, sizeof(failure.decline_code), result->decline_code);
    return failure;
}

/* Something that a bank promised can not happen did. Somebody has to look. */
static struct conclusion contradict(const struct attempt_record *record,
                                    const struct gateway_result *result)
{
    log_error("a bank contradicts itself", LOG_TEXT("attempt", id_text(record->attempt.id).text),
              LOG_TEXT("gateway", record->attempt.gateway),
              LOG_TEXT("known", attempt_status_words[record->attempt.status]),
              LOG_TEXT("told", gateway_outcome_words[result->outcome]));
    metric_add(metric_counter("checkout_bank_contradictions_total",
                              "Outcomes that contradict one known before", ""),
               1);
    return nothing;
}

/* Money was taken that was to be held only, or held only that was to be taken. */
static bool is_taken_otherwise(const struct attempt_record *record,
                               const struct gateway_result *result)
{
    bool take = record->payment.capture == PAYMENT_CAPTURE_AUTOMATIC;

    return record->attempt.operation == GATEWAY_AUTHORIZE && payment_is_open(&record->payment) &&
           result->captured != take;
}

/* An authorization or a transfer. One that had ended may still be approved late. */
static struct conclusion conclude_authorization(struct attempt_record *record,
                                                const struct gateway_result *result,
                                                struct instant now)
{
    static const struct payment_failure unavailable = { .code = "bank_unavailable" };
    const struct payment_failure failure = failure_of(result);
    struct payment *payment = &record->payment;
    struct conclusion conclusion = { .kind = CONCLUDE_CHANGE };

    if (!id_equal(payment->authorization_id, record->attempt.id))
        return result->outcome == GATEWAY_APPROVED ? contradict(record, result) : nothing;
    switch (result->outcome) {
    case GATEWAY_APPROVED:
        if (record->attempt.status == ATTEMPT_APPROVED) /* once more, maybe since it was released */
            return nothing;
        if (is_taken_otherwise(record, result)) {
            contradict(record, result);
            return ask_again;
        }
        conclusion.payment_event = payment_authorize(payment, record->wanted, now);
        return conclusion.payment_event ? conclusion : nothing;
    case GATEWAY_DECLINED:
        conclusion.payment_event = payment_refuse(payment, &failure, now);
        break;
    case GATEWAY_VOIDED:
        conclusion.payment_event = payment_void_reference(payment, now);
        break;
    case GATEWAY_NOTHING:
        conclusion.payment_event = payment_refuse(payment, &unavailable, now);
        break;
    case GATEWAY_PENDING:
        conclusion.payment_event = payment_challenge(payment, result->action_url, now);
        break;
    default:
        return ask_again;
    }
    if (!conclusion.payment_event)
        return attempt_has_ended(&record->attempt) ? nothing : ask_again;
    return conclusion;
}

/* True if the bank has nothing of it any more, whatever it calls that. */
static bool is_released(const struct gateway_result *result)
{
    return result->outcome == GATEWAY_APPROVED ||
           (result->outcome == GATEWAY_DECLINED &&
            strcmp(result->failure_code, "already_voided") == 0);
}

/*
 * Refused, and again and again, for what it is; not for a key or a rate of ours, which can be
 * mended. What would be asked for ever is given up.
 */
static bool is_hopeless(const struct attempt *attempt, const struct gateway_result *result)
{
    return result->outcome == GATEWAY_NOTHING && *result->refusal != '\0' &&
           result->retry_after_s == 0 && attempt->tries >= ATTEMPT_REFUSALS_MAX;
}

static bool is_declined(const struct attempt *attempt, const struct gateway_result *result)
{
    return result->outcome == GATEWAY_DECLINED || is_hopeless(attempt, result);
}

/* A capture or a void; both are repeated under their reference until the bank answers. */
static struct conclusion conclude_operation(struct attempt_record *record,
                                            const struct gateway_result *result, struct instant now)
{
    struct payment *payment = &record->payment;
    const struct payment_failure failure = failure_of(result);
    bool captures = record->attempt.operation == GATEWAY_CAPTURE;
    struct conclusion conclusion = { .kind = CONCLUDE_CHANGE };

    if (payment->operation == PAYMENT_IDLE || !id_equal(payment->operation_id, record->attempt.id))
        return nothing;
    if (captures ? result->outcome == GATEWAY_APPROVED : is_released(result))
        conclusion.payment_event =
            payment_end_operation(payment, captures ? record->attempt.money.amount : 0, now);
    else if (is_declined(&record->attempt, result))
        conclusion.payment_event = payment_fail_operation(payment, &failure, now);
    else
        return ask_again;
    return conclusion;
}

static struct conclusion conclude_refund(struct attempt_record *record,
                                         const struct gateway_result *result, struct instant now)
{
    const struct payment_failure failure = failure_of(result);
    bool approved = result->outcome == GATEWAY_APPROVED;
    struct conclusion conclusion = { .kind = CONCLUDE_CHANGE };

    if (record->refund.status != REFUND_PENDING)
        return nothing; /* it has ended, and only coming back can change that */
    if (!approved && !is_declined(&record->attempt, result))
        return ask_again;
    conclusion.refund_event =
        refund_move(&record->refund, approved ? REFUND_SUCCEEDED : REFUND_FAILED,
                    approved ? "" : failure.code, now);
    conclusion.payment_event =
        payment_end_refund(&record->payment, record->refund.money.amount, approved, now);
    return conclusion;
}

/* A refund that had succeeded came back, maybe before it was known here that it had. */
static struct conclusion conclude_return(struct attempt_record *record, struct instant now)
{
    struct conclusion conclusion = { .kind = CONCLUDE_CHANGE };
    int64_t amount = record->refund.money.amount;
    bool succeeded = record->refund.status == REFUND_SUCCEEDED;

    if (!record->attempt.has_refund)
        return nothing;
    conclusion.refund_event = refund_move(&record->refund, REFUND_FAILED, "refund_returned", now);
    if (!conclusion.refund_event)
        return nothing;
    conclusion.payment_event = succeeded ? payment_return_refund(&record->payment, amount, now)
                                         : payment_end_refund(&record->payment, amount, false, now);
    return conclusion;
}

static struct conclusion conclude_dispute(struct attempt_record *record,
                                          enum payment_dispute dispute, struct instant now)
{
    struct conclusion conclusion = { .kind = CONCLUDE_CHANGE };

    conclusion.payment_event = payment_set_dispute(&record->payment, dispute, now);
    return conclusion.payment_event ? conclusion : nothing;
}

static struct conclusion conclude_outcome(struct attempt_record *record,
                                          const struct gateway_result *result, struct instant now)
{
    switch (record->attempt.operation) {
    case GATEWAY_CAPTURE:
    case GATEWAY_VOID:
        return conclude_operation(record, result, now);
    case GATEWAY_REFUND:
        return conclude_refund(record, result, now);
    default:
        return conclude_authorization(record, result, now);
    }
}

/* Changes the record in memory as the bank's words ask for. */
static struct conclusion decide(struct attempt_record *record, const struct gateway_notice *notice,
                                struct instant now)
{
    switch (notice->kind) {
    case GATEWAY_NOTICE_OUTCOME:
        return conclude_outcome(record, &notice->result, now);
    case GATEWAY_NOTICE_REFUND_RETURNED:
        return conclude_return(record, now);
    case GATEWAY_NOTICE_DISPUTED:
        return conclude_dispute(record, PAYMENT_DISPUTE_OPEN, now);
    case GATEWAY_NOTICE_DISPUTE_WON:
        return conclude_dispute(record, PAYMENT_DISPUTE_WON, now);
    case GATEWAY_NOTICE_DISPUTE_LOST:
        return conclude_dispute(record, PAYMENT_DISPUTE_LOST, now);
    default:
        return nothing;
    }
}

/* --- carrying out ----------------------------------------------------------------------------- */

static struct trace trace_of(const struct attempt *attempt)
{
    struct trace trace;

    return trace_parse(span_of(attempt->traceparent), &trace) ? trace : trace_create();
}

/*
 * The attempt as the bank's words leave it; false when they leave it as it is. What certainly did
 * nothing is repeated, if it has to be done all the same; what came back has ended.
 */
static bool take(struct attempt *attempt, const struct gateway_notice *notice, bool again,
                 struct instant now)
{
    static const struct gateway_result returned = { .outcome = GATEWAY_DECLINED,
                                                    .failure_code = "refund_returned" };
    struct gateway_result result = notice->result;

    if (notice->kind == GATEWAY_NOTICE_REFUND_RETURNED && !attempt_has_ended(attempt))
        result = returned;
    else if (notice->kind != GATEWAY_NOTICE_OUTCOME)
        return false;
    if (again && result.outcome != GATEWAY_PENDING)
        result.outcome = GATEWAY_UNKNOWN;
    attempt_take(attempt, &result, now);
    return true;
}

static bool ask_later(const struct payment_service *service, const struct attempt_record *record,
                      struct deadline deadline, struct error *err)
{
    AUTO(write_release) struct write write;

    /* Refused: it has ended meanwhile, or somebody else asks. */
    attempt_reschedule(&write, record->payment.stream, &record->attempt, record->attempt.tries);
    return journal_commit(backbone_journal(service->backbone), &write, deadline, err);
}

/* The shares of the order as they were, for what the change makes of them. */
struct shares {
    int64_t reserved, paid;
};

static struct shares shares_of(const struct payment *payment)
{
    return (struct shares){ payment_reserved(payment), payment_paid(payment) };
}

/* What a conclusion changes of the record that it was drawn for. */
static struct payment_change change_of(const struct attempt_record *record,
                                       const struct conclusion *conclusion, struct shares before,
                                       const struct trace *trace)
{
    return (struct payment_change){
        .payment = &record->payment,
        .reserved_before = before.reserved,
        .paid_before = before.paid,
        .refund = conclusion->refund_event ? &record->refund : NULL,
        .payment_event = conclusion->payment_event,
        .refund_event = conclusion->refund_event,
        .trace = trace,
    };
}

/* One try; `done` is false when somebody was faster, and the record is to be read again. */
static bool conclude_once(const struct payment_service *service, struct attempt_record *record,
                          const struct gateway_notice *notice, struct deadline deadline, bool *done,
                          struct error *err)
{
    struct instant now = clock_now();
    struct shares before = shares_of(&record->payment);
    struct conclusion conclusion = decide(record, notice, now);

    *done = true;
    if (conclusion.kind == CONCLUDE_NOTHING)
        return true;
    bool taken = take(&record->attempt, notice, conclusion.kind == CONCLUDE_ASK_AGAIN, now);
    if (conclusion.kind == CONCLUDE_ASK_AGAIN)
        return ask_later(service, record, deadline, err);

    const struct trace trace = trace_of(&record->attempt);
    struct payment_change change = change_of(record, &conclusion, before, &trace);

    change.ended = taken ? &record->attempt : NULL;
    CRASH_POINT("payment:before_conclusion");
    if (!payment_commit(service, &change, deadline, done, err))
        return false;
    if (*done)
        CRASH_POINT("payment:after_conclusion");
    return true;
}

static bool read_again(const struct payment_service *service, struct attempt_record *record,
                       struct deadline deadline, struct error *err)
{
    return attempt_store_read(backbone_pool(service->backbone), record->attempt.id, deadline,
                              record, err);
}

bool payment_conclude(const struct payment_service *service, struct attempt_record *record,
                      const struct gateway_notice *notice, struct deadline deadline,
                      struct error *err)
{
    for (int i = 0; i < PAYMENT_ATTEMPTS_MAX; i++) {
        bool done;

        if (!conclude_once(service, record, notice, deadline, &done, err))
            return false;
        if (done)
            return true;
        if (!read_again(service, record, deadline, err))
            return false;
    }
    return error_set_restless(err, "payment");
}
