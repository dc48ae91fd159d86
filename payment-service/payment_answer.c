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

/*
 * What an attempt came to, read in one look: the payment, or the refund, that was read before may
 * have moved on since. Refused while its first call runs, which it does as long as nobody had to
 * look after it; and while the payment is being made at another bank instead.
 */
static bool read_at_rest(const struct payment_service *service,
                         const struct payment_command *command, struct id attempt_id,
                         struct attempt_record *out, struct error *err)
{
    if (!attempt_store_read(backbone_pool(service->backbone), attempt_id, command->caller->deadline,
                            out, err))
        return false;
    const struct attempt *attempt = &out->attempt;
    bool running = attempt->status == ATTEMPT_SENT && attempt->tries == 0 && !attempt->due;
    bool elsewhere = payment_is_open(&out->payment) && attempt_has_ended(attempt) &&
                     !id_equal(out->payment.authorization_id, attempt->id);
    return (!running && !elsewhere) || refuse_running(err);
}

/* The payment as its attempt leaves it. */
static bool read_payment_at_rest(const struct payment_service *service,
                                 const struct payment_command *command, struct id attempt_id,
                                 struct payment *out, struct error *err)
{
    AUTO(attempt_record_release) struct attempt_record record = ATTEMPT_RECORD_EMPTY;

    if (!read_at_rest(service, command, attempt_id, &record, err))
        return false;
    *out = record.payment;
    return true;
}

static bool read_refund_at_rest(const struct payment_service *service,
                                const struct payment_command *command, struct id attempt_id,
                                struct refund *out, struct error *err)
{
    AUTO(attempt_record_release) struct attempt_record record = ATTEMPT_RECORD_EMPTY;

    if (!read_at_rest(service, command, attempt_id, &record, err))
        return false;
    *out = record.refund;
    return true;
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
        !read_payment_at_rest(service, command, payment.authorization_id, &payment, err))
        return false;
    if (payment.operation != PAYMENT_IDLE &&
        !read_payment_at_rest(service, command, payment.operation_id, &payment, err))
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
    if (refund.status == REFUND_PENDING &&
        !read_refund_at_rest(service, command, refund.attempt_id, &refund, err))
        return false;
    refund_answer(out, &refund);
    return true;
}

/* --- refusals --------------------------------------------------------------------------------- */

static bool keep(const struct answer *answer, const struct error *why, struct error *err)
{
    if (answer->status == 0)
        *err = *why;
    return answer->status != 0;
}

bool payment_refused(const struct payment_service *service, const struct payment_command *command,
                     struct answer *out, struct error *err)
{
    const struct error why = *err;

    return payment_replay(service, command, out, err) && keep(out, &why, err);
}

bool refund_refused(const struct payment_service *service, const struct payment_command *command,
                    struct answer *out, struct error *err)
{
    const struct error why = *err;

    return refund_replay(service, command, out, err) && keep(out, &why, err);
}
