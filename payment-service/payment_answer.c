#include "payment-service/payment_answer.h"

#include "shared/http/reply.h"

void payment_answer(struct answer *out, int status, const struct payment *payment)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    bool waits = payment->status == PAYMENT_PROCESSING || payment->operation != PAYMENT_IDLE;
    bool replayed = out->replayed;

    payment_write(&json, payment);
    answer_make(out, waits ? HTTP_ACCEPTED : status, payment->id, payment->version, &body);
    out->replayed = replayed;
}

void refund_answer(struct answer *out, const struct refund *refund)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    bool waits = refund->status == REFUND_PENDING;
    bool replayed = out->replayed;

    refund_write(&json, refund);
    answer_make(out, waits ? HTTP_ACCEPTED : HTTP_CREATED, refund->id, refund->version, &body);
    out->replayed = replayed;
}

/* --- repeats ---------------------------------------------------------------------------------- */

static bool refuse_running(struct error *err)
{
    error_set(err, ERROR_CONFLICT, "idempotency_key_in_use",
              "The first request with this Idempotency-Key still waits for its bank.");
    err->retry_after_s = 1;
    return false;
}

/* The first call of an attempt runs as long as nobody had to look after it. */
static bool check_running(const struct payment_service *service,
                          const struct payment_command *command, struct id attempt_id,
                          struct error *err)
{
    AUTO(attempt_record_release) struct attempt_record record = ATTEMPT_RECORD_EMPTY;

    if (!attempt_store_read(backbone_pool(service->backbone), attempt_id, command->caller->deadline,
                            &record, err))
        return false;
    const struct attempt *attempt = &record.attempt;
    bool running = attempt->status == ATTEMPT_SENT && attempt->tries == 0 &&
                   clock_now().ms < attempt->resolve_at.ms;
    return !running || refuse_running(err);
}

/* What the key stands for; false in `used` when it is new. */
static bool find_key(const struct payment_service *service, const struct payment_command *command,
                     struct answer *out, bool *used, struct error *err)
{
    AUTO(answer_release) struct answer kept = ANSWER_EMPTY;

    if (!answers_find(backbone_pool(service->backbone), command->caller, &command->idempotency,
                      &kept, err))
        return false;
    *used = kept.status != 0;
    out->subject = kept.subject;
    out->replayed = *used;
    return true;
}

bool payment_replay(const struct payment_service *service, const struct payment_command *command,
                    struct answer *out, struct error *err)
{
    struct payment payment;
    bool used;

    if (!find_key(service, command, out, &used, err))
        return false;
    if (!used)
        return true;
    if (!payment_store_read(backbone_pool(service->backbone), command->caller, out->subject,
                            &payment, err))
        return false;
    if (payment_is_open(&payment) &&
        !check_running(service, command, payment.authorization_id, err))
        return false;
    if (payment.operation != PAYMENT_IDLE &&
        !check_running(service, command, payment.operation_id, err))
        return false;
    /* a payment of the request's own path was there before: it was not made by it */
    payment_answer(out, id_equal(payment.id, command->id) ? HTTP_OK : HTTP_CREATED, &payment);
    return true;
}

bool refund_replay(const struct payment_service *service, const struct payment_command *command,
                   struct answer *out, struct error *err)
{
    struct refund refund;
    bool used;

    if (!find_key(service, command, out, &used, err))
        return false;
    if (!used)
        return true;
    if (!refund_store_read(backbone_pool(service->backbone), command->caller, out->subject, &refund,
                           err))
        return false;
    if (refund.status == REFUND_PENDING && !check_running(service, command, refund.attempt_id, err))
        return false;
    refund_answer(out, &refund);
    return true;
}
