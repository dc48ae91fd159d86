#include "payment-service/payment_calls.h"

#include "payment-service/payment_change.h"
#include "payment-service/payment_conclude.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"

/*
 * How long a conclusion may take. What a bank said is written down even when the time for asking it
 * is over: it would only have to be asked again.
 */
enum { CONCLUDE_MS = 2000 };

static bool conclude(const struct payment_service *service, struct attempt_record *record,
                     const struct gateway_result *result, struct error *err)
{
    const struct gateway_notice notice = { .kind = GATEWAY_NOTICE_OUTCOME, .result = *result };

    return payment_conclude(service, record, &notice, deadline_in_ms(CONCLUDE_MS), err);
}

bool payment_calls_acquire(const struct payment_service *service, struct error *err)
{
    if (sem_trywait(service->calls) == 0)
        return true;
    error_set(err, ERROR_OVERLOADED, "payments_busy",
              "Too many payments wait for a bank. Nothing was done; try again.");
    err->retry_after_s = 1;
    return false;
}

void payment_calls_release(const struct payment_service *service)
{
    sem_post(service->calls);
}

void payment_attempt_begin(struct attempt *attempt, const struct payment *payment,
                           enum gateway_operation operation, const struct trace *trace,
                           struct instant now)
{
    *attempt = (struct attempt){
        .id = id_create(now),
        .payment_id = payment->id,
        .operation = operation,
        .status = ATTEMPT_SENT,
        .money = payment->money,
        .skipped = span_of("[]"),
        .created_at = now,
        .updated_at = now,
        .wait_ms = ATTEMPT_CALL_MS,
    };
    text_copy(attempt->gateway, sizeof(attempt->gateway), payment->gateway);
    trace_format(trace, attempt->traceparent);
}

bool payment_refund_begin(struct attempt_record *record, const struct refund *draft,
                          const struct trace *trace, struct error *err)
{
    struct refund *refund = &record->refund;
    struct attempt *attempt = &record->attempt;
    struct instant now = clock_now();
    int64_t amount = draft->money.amount;

    if (!payment_begin_refund(&record->payment, &amount, err))
        return false;
    *refund = *draft;
    refund_begin(refund, &record->payment, id_create(now), now);
    refund->money.amount = amount;
    payment_attempt_begin(attempt, &record->payment, GATEWAY_REFUND, trace, now);
    attempt->money.amount = amount;
    attempt->has_refund = true;
    attempt->refund_id = refund->id;
    refund->attempt_id = attempt->id;
    return true;
}

/* --- paying ----------------------------------------------------------------------------------- */

static struct gateway_call call_of(const struct attempt_record *record, const struct card *card,
                                   struct deadline deadline)
{
    const struct payment *payment = &record->payment;
    const struct attempt *attempt = &record->attempt;

    return (struct gateway_call){
        .operation = attempt->operation,
        .reference = attempt->id,
        .target = payment->authorization_id,
        .account = payment->merchant,
        .money = attempt->money,
        .capture = payment->capture == PAYMENT_CAPTURE_AUTOMATIC,
        .card = card,
        .traceparent = attempt->traceparent,
        .deadline = deadline,
    };
}

/* The next one that may be asked, while there is time for it; `skipped` tells who was not. */
static const struct gateway *next_gateway(const struct payment_service *service,
                                          const struct attempt_record *record,
                                          struct deadline deadline, struct buffer *skipped)
{
    const struct payment *payment = &record->payment;
    const struct gateway_wish wish = { .money = payment->money,
                                       .operation = record->attempt.operation,
                                       .after = record->attempt.gateway };

    /* Whoever gives the payment up, or has ended the order, wants no other bank asked. */
    if (deadline_passed(deadline) || !record->wanted || payment->operation != PAYMENT_IDLE)
        return NULL;
    return gateway_chain_next(service->chain, &wish, skipped);
}

/* A payment on its way from bank to bank. */
struct tour {
    const struct payment_service *service;
    struct attempt_record *record;
    const struct card *card;       /* NULL for a transfer */
    const struct gateway *gateway; /* whose leave there is, for the record's attempt; NULL: none */
    struct buffer skipped;         /* what the record's attempt says of those that were not asked */
    struct deadline deadline;
};

static void tour_release(struct tour *tour)
{
    tour->record->attempt.skipped = span_of("[]"); /* it was borrowed from here */
    buffer_release(&tour->skipped);
}

/* Ends the attempt, which did nothing, and begins one at the next gateway, as one change. */
static bool move_on(struct tour *tour, const struct gateway *next, bool *done, struct error *err)
{
    static const struct gateway_result did_nothing = { .outcome = GATEWAY_NOTHING };
    struct attempt_record *record = tour->record;
    struct payment *payment = &record->payment;
    struct instant now = clock_now();
    struct attempt attempt, ended = record->attempt;
    struct trace trace;

    if (!trace_parse(span_of(record->attempt.traceparent), &trace))
        trace = trace_create();
    attempt_take(&ended, &did_nothing, now);
    text_copy(payment->gateway, sizeof(payment->gateway), next->name);
    payment_attempt_begin(&attempt, payment, record->attempt.operation, &trace, now);
    attempt.skipped = buffer_span(&tour->skipped);
    payment->authorization_id = attempt.id;
    payment->revision++;

    const struct payment_change change = { .payment = payment,
                                           .reserved_before = payment_reserved(payment),
                                           .paid_before = payment_paid(payment),
                                           .ended = &ended,
                                           .next = &attempt };
    if (!payment_commit(tour->service, &change, tour->deadline, done, err))
        return false;
    record->attempt = attempt;
    return true;
}

/* Goes on to another bank, because the last one certainly did nothing and never will. */
static bool go_on(struct tour *tour, struct error *err)
{
    const struct payment_service *service = tour->service;
    bool done = false;

    buffer_clear(&tour->skipped);
    tour->gateway = next_gateway(service, tour->record, tour->deadline, &tour->skipped);
    if (!tour->gateway)
        return true;
    bool told = move_on(tour, tour->gateway, &done, err);
    if (told && done)
        return true;
    gateway_chain_forgo(service->chain, tour->gateway);
    tour->gateway = NULL; /* somebody else was faster: the record tells what became of it */
    return told && attempt_store_read(backbone_pool(service->backbone), tour->record->attempt.id,
                                      tour->deadline, tour->record, err);
}

/* Asks the tour's gateway, and whoever comes after it, until one did something. */
static bool pay(struct tour *tour, struct error *err)
{
    for (;;) {
        struct gateway_call call = call_of(tour->record, tour->card, tour->deadline);
        struct gateway_result result;

        CRASH_POINT("payment:before_call");
        gateway_chain_perform(tour->service->chain, tour->gateway, &call, &result);
        CRASH_POINT("payment:after_call");
        if (result.outcome == GATEWAY_NOTHING && !go_on(tour, err))
            return false;
        if (result.outcome != GATEWAY_NOTHING || !tour->gateway)
            return conclude(tour->service, tour->record, &result, err);
    }
}

bool payment_calls_pay(const struct payment_service *service, struct attempt_record *record,
                       const struct card *card, struct deadline deadline, struct error *err)
{
    AUTO(tour_release) struct tour tour = {
        .service = service,
        .record = record,
        .card = card,
        .gateway = gateway_chain_find(service->chain, record->attempt.gateway),
        .skipped = BUFFER_EMPTY,
        .deadline = deadline,
    };

    assert(tour.gateway); /* it was chosen a moment ago */
    return pay(&tour, err);
}

/* --- following -------------------------------------------------------------------------------- */

/* The payment's gateway; one that is configured no more can not be asked, so it is asked later. */
static void follow(const struct payment_service *service, const struct attempt_record *record,
                   enum gateway_question question, struct deadline deadline,
                   struct gateway_result *out)
{
    const struct gateway *gateway = gateway_chain_find(service->chain, record->attempt.gateway);
    struct gateway_call call = call_of(record, NULL, deadline);

    *out = (struct gateway_result){ .outcome = GATEWAY_UNKNOWN };
    if (gateway)
        gateway_chain_follow(service->chain, gateway, question, &call, out);
    else
        log_error("a gateway is not configured any more",
                  LOG_TEXT("gateway", record->attempt.gateway));
}

bool payment_calls_follow(const struct payment_service *service, struct attempt_record *record,
                          struct deadline deadline, struct error *err)
{
    struct gateway_result result;

    CRASH_POINT("payment:before_follow");
    follow(service, record, GATEWAY_PERFORM, deadline, &result);
    CRASH_POINT("payment:after_follow");
    return conclude(service, record, &result, err);
}

/* --- resolving -------------------------------------------------------------------------------- */

static bool authorizes(const struct attempt *attempt)
{
    return attempt->operation == GATEWAY_AUTHORIZE || attempt->operation == GATEWAY_TRANSFER;
}

/* The number is kept for this; the code never was, which banks accept for a repeated try. */
static bool open_card(const struct payment_service *service, const struct attempt_record *record,
                      struct card *out)
{
    AUTO(buffer_release) struct buffer number = BUFFER_SECRET;
    const struct card_face *face = &record->payment.face;
    const struct span sealed = { record->sealed, record->sealed_length };
    struct id_text id = id_text(record->payment.id);

    *out = (struct card){ .exp_month = face->exp_month, .exp_year = face->exp_year };
    if (sealed.length == 0 || !seal_open(&service->card_key, span_of(id.text), sealed, &number))
        return false;
    bool fits = text_copy_span(out->number, sizeof(out->number), buffer_span(&number));
    return fits;
}

/* A payment whose bank never had it goes on to another one, while its customer may still wait. */
static bool pay_elsewhere(const struct payment_service *service, struct attempt_record *record,
                          const struct gateway_result *result, struct deadline deadline,
                          struct error *err)
{
    AUTO(card_wipe) struct card card;
    AUTO(tour_release) struct tour tour = { .service = service,
                                            .record = record,
                                            .card = &card,
                                            .skipped = BUFFER_EMPTY,
                                            .deadline = deadline };
    int64_t age_ms = clock_now().ms - record->payment.created_at.ms;
    bool young = age_ms >= 0 && age_ms < PAYMENT_ELSEWHERE_MS;

    if (record->attempt.operation == GATEWAY_AUTHORIZE && young &&
        open_card(service, record, &card) && !go_on(&tour, err))
        return false;
    return tour.gateway ? pay(&tour, err) : conclude(service, record, result, err);
}

/* What a bank has not heard of may still be in a socket: only when it is dead is it over. */
static bool resolve_authorization(const struct payment_service *service,
                                  struct attempt_record *record, struct deadline deadline,
                                  struct error *err)
{
    enum payment_operation operation = record->payment.operation;
    struct gateway_result result = { .outcome = GATEWAY_NOT_FOUND };

    if (operation == PAYMENT_IDLE)
        follow(service, record, GATEWAY_LOOK_UP, deadline, &result);
    if (result.outcome == GATEWAY_NOT_FOUND) {
        CRASH_POINT("payment:before_void_reference");
        follow(service, record, GATEWAY_VOID_REFERENCE, deadline, &result);
    }
    CRASH_POINT("payment:after_look_up");
    if (result.outcome == GATEWAY_VOIDED)
        return pay_elsewhere(service, record, &result, deadline, err);
    if (result.outcome == GATEWAY_NOTHING) /* the question did not arrive: that says nothing */
        result.outcome = GATEWAY_UNKNOWN;
    return conclude(service, record, &result, err);
}

bool payment_calls_resolve(const struct payment_service *service, struct attempt_record *record,
                           struct deadline deadline, struct error *err)
{
    struct gateway_result result;

    if (authorizes(&record->attempt))
        return resolve_authorization(service, record, deadline, err);
    follow(service, record, GATEWAY_LOOK_UP, deadline, &result);
    if (result.outcome == GATEWAY_NOT_FOUND)
        return payment_calls_follow(service, record, deadline, err);
    return conclude(service, record, &result, err);
}
