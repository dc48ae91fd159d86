#include "payment-service/payment_service.h"

#include "payment-service/payment_answer.h"
#include "payment-service/payment_calls.h"
#include "payment-service/payment_change.h"
#include "payment-service/payment_events.h"
#include "shared/crypto/hmac.h"
#include "shared/http/page.h"
#include "shared/http/reply.h"
#include "shared/runtime/crash_point.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

/* How long order-service may take to tell of an order that is not known here yet. */
enum { ORDER_WAIT_MS = 2000 };

/* The service that orders come from. */
static const char ORDERS[] = "order-service";

static struct span key_span(const struct seal_key *key)
{
    return (struct span){ (const char *)key->bytes, sizeof(key->bytes) };
}

void payment_command_of(const struct payment_service *service, const struct request *req,
                        struct payment_command *out)
{
    const struct span plain = { (const char *)req->idempotency.body_hash.bytes,
                                sizeof(req->idempotency.body_hash.bytes) };

    *out = (struct payment_command){ .caller = &req->caller, .idempotency = req->idempotency };
    out->idempotency.body_hash = hmac_sha256(key_span(&service->request_key), plain);
}

struct deadline payment_bank_deadline(const struct caller *caller)
{
    int64_t left_ms = deadline_left_ms(caller->deadline) - PAYMENT_REST_MS;

    return deadline_in_ms(left_ms < PAYMENT_BANK_MS ? left_ms : PAYMENT_BANK_MS);
}

/* --- creating --------------------------------------------------------------------------------- */

/* A payment on its way to its first bank. */
struct making {
    const struct payment_service *service;
    const struct payment_command *command;
    const struct payment_draft *draft;
    struct attempt_record record;
    struct buffer sealed;          /* the card's number */
    struct buffer skipped;         /* who was passed over */
    const struct gateway *gateway; /* whose leave we have */
};

static void making_release(struct making *making)
{
    if (making->gateway)
        gateway_chain_forgo(making->service->chain, making->gateway);
    attempt_record_release(&making->record);
    buffer_release(&making->sealed);
    buffer_release(&making->skipped);
}

static bool refuse_unknown_order(struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "order_not_found", "There is no such order.");
}

/*
 * An order is known from its events. One that is not known may have been made a moment ago: then
 * the order-service's log is followed to where it is now, and what is not known after that is not
 * there.
 */
static bool find_order(const struct making *making, struct payable_order *out, struct error *err)
{
    struct backbone *backbone = making->service->backbone;
    const struct caller *caller = making->command->caller;
    struct deadline deadline = deadline_earlier(caller->deadline, deadline_in_ms(ORDER_WAIT_MS));
    bool found, reached;

    if (!payable_order_find(backbone_pool(backbone), caller, making->draft->order_id, &found, out,
                            err))
        return false;
    if (found)
        return true;
    if (!backbone_follow(backbone, ORDERS, caller->access.stream, deadline, &reached, err) ||
        !payable_order_find(backbone_pool(backbone), caller, making->draft->order_id, &found, out,
                            err))
        return false;
    if (!found && !reached)
        return error_set(err, ERROR_UNAVAILABLE, "source_unavailable",
                         "Whether there is such an order could not be told in time. Try again.");
    return found || refuse_unknown_order(err);
}

/* What is to be paid: of the order, or as it was asked for. */
static bool claim(struct making *making, struct error *err)
{
    const struct payment_draft *draft = making->draft;
    struct money wanted = { draft->amount, draft->currency };
    struct payable_order order;

    making->record.payment.money = wanted;
    return !draft->has_order ||
           (find_order(making, &order, err) &&
            payable_order_claim(&order, &wanted, &making->record.payment.money, err));
}

static bool refuse_unsupported(const struct money *money, struct error *err)
{
    error_begin_validation(err);
    error_add_field(err, "/currency", "not_supported",
                    "no bank takes %s of this amount by this method", money->currency.code);
    return false;
}

static bool choose_gateway(struct making *making, struct error *err)
{
    const struct payment *payment = &making->record.payment;
    const struct gateway_wish wish = { .money = payment->money,
                                       .operation = payment->method == PAYMENT_CARD
                                                        ? GATEWAY_AUTHORIZE
                                                        : GATEWAY_TRANSFER };

    if (!gateway_chain_supports(making->service->chain, &wish))
        return refuse_unsupported(&payment->money, err);
    making->gateway = gateway_chain_next(making->service->chain, &wish, &making->skipped);
    if (making->gateway)
        return true;
    error_set(err, ERROR_UNAVAILABLE, "gateways_unavailable",
              "No bank can be asked at the moment. Nothing was done; try again.");
    err->retry_after_s = 2;
    return false;
}

/* The card's face, and its number for as long as the outcome is open. */
static void keep_card(struct making *making)
{
    const struct card *card = &making->draft->card;
    struct payment *payment = &making->record.payment;
    struct id_text id = id_text(payment->id);

    if (payment->method != PAYMENT_CARD)
        return;
    payment->face = card_face(card);
    struct digest print = hmac_sha256(key_span(&making->service->print_key), span_of(card->number));
    text_copy(payment->face.fingerprint, sizeof(payment->face.fingerprint),
              digest_text(print).text);
    seal_close(&making->service->card_key, span_of(id.text), span_of(card->number),
               &making->sealed);
}

/* All but the amount, which claim() found, and the gateway, which was chosen. */
static void begin(struct making *making)
{
    const struct access *access = &making->command->caller->access;
    struct payment *payment = &making->record.payment;
    struct attempt *attempt = &making->record.attempt;
    struct instant now = clock_now();
    enum gateway_operation operation =
        payment->method == PAYMENT_CARD ? GATEWAY_AUTHORIZE : GATEWAY_TRANSFER;

    payment->stream = access->stream;
    text_copy(payment->merchant, sizeof(payment->merchant), access->merchant);
    text_copy(payment->gateway, sizeof(payment->gateway), making->gateway->name);
    memcpy(payment->request_hash, making->command->idempotency.body_hash.bytes,
           sizeof(payment->request_hash));
    payment_begin(payment, making->draft->has_id ? making->draft->id : id_create(now), now);
    keep_card(making);
    payment_attempt_begin(attempt, payment, operation, &making->command->caller->trace, now);
    attempt->skipped = buffer_span(&making->skipped);
    payment->authorization_id = attempt->id;
}

static bool insert(struct making *making, bool *done, struct error *err)
{
    AUTO(announcement_release) struct announcement announcement = ANNOUNCEMENT_EMPTY;
    AUTO(write_release) struct write write;
    const struct payment *payment = &making->record.payment;
    const struct caller *caller = making->command->caller;

    payment_announce(&announcement, payment, payment_status_event(payment->status), &caller->trace);
    payment_insert(&write, payment, &making->record.attempt, buffer_span(&making->sealed),
                   &making->command->idempotency);
    write_announce(&write, &announcement.event);
    CRASH_POINT("payment:before_intent");
    *done =
        journal_commit(backbone_journal(making->service->backbone), &write, caller->deadline, err);
    if (!*done && err->kind != ERROR_DATA) /* which is what two of one id at once come to */
        return false;
    *done = *done && write.outcome == WRITE_DONE;
    if (*done)
        CRASH_POINT("payment:after_intent");
    return true;
}

static bool refuse_id(struct error *err)
{
    return error_set(err, ERROR_CONFLICT, "payment_id_used",
                     "A payment with this id was made of another request.");
}

/* The client's own id was used before: by the same request, under whatever key, or by another. */
static bool find_same(const struct making *making, struct answer *out, struct error *err)
{
    struct payment payment;

    const struct caller *caller = making->command->caller;

    if (!making->draft->has_id)
        return true;
    if (!payment_store_find(backbone_pool(making->service->backbone), caller->access.stream,
                            making->draft->id, caller->deadline, &payment, err))
        return err->kind == ERROR_NOT_FOUND;
    if (strcmp(payment.merchant, caller->access.merchant) != 0 ||
        memcmp(payment.request_hash, making->command->idempotency.body_hash.bytes,
               sizeof(payment.request_hash)) != 0)
        return refuse_id(err);
    out->replayed = true;
    payment_answer(out, HTTP_CREATED, &payment);
    return true;
}

/* The payment may be there already, made by the same request: under its key, or under its id. */
static bool find_made(const struct making *making, struct answer *out, struct error *err)
{
    return payment_replay(making->service, making->command, out, err) &&
           (out->status != 0 || find_same(making, out, err));
}

/* What stands in the way of a payment may be that payment, made by a repeat that was faster. */
static bool refuse(const struct making *making, struct answer *out, struct error *err)
{
    const struct error why = *err;

    if (!find_made(making, out, err))
        return false;
    if (out->status == 0)
        *err = why;
    return out->status != 0;
}

static void count_created(const struct payment *payment)
{
    char labels[64];

    text_format(labels, sizeof(labels), "method=\"%s\",currency=\"%s\"",
                payment_method_words[payment->method], payment->money.currency.code);
    metric_add(metric_counter("checkout_payment_amount_total",
                              "Amounts of payments that were begun, in minor units", labels),
               payment->money.amount);
}

/*
 * The intent is committed: from here on whatever happens somebody brings the conclusion. So even
 * when it can not be written now, the client is told of a payment that is being made, not that
 * nothing was done.
 */
static void call(struct making *making, struct answer *out, struct error *err)
{
    const struct payment intent = making->record.payment;
    const struct caller *caller = making->command->caller;
    struct deadline deadline = payment_bank_deadline(caller);
    bool by_card = intent.method == PAYMENT_CARD;

    making->gateway = NULL; /* the leave is used now */
    count_created(&intent);
    bool concluded = payment_calls_pay(making->service, &making->record,
                                       by_card ? &making->draft->card : NULL, deadline, err);
    if (!concluded)
        log_swallowed(LOG_LEVEL_WARNING, "a payment was not concluded", err);
    payment_answer(out, HTTP_CREATED, concluded ? &making->record.payment : &intent);
}

static bool try_once(struct making *making, struct answer *out, struct error *err)
{
    bool done;

    if (!choose_gateway(making, err))
        return refuse(making, out, err);
    begin(making);
    if (!insert(making, &done, err))
        return false;
    if (!done)
        return find_made(making, out, err);
    call(making, out, err);
    return true;
}

/* Whoever waits for an order to be known keeps no place from those who would ask a bank. */
static bool try_in_turn(struct making *making, struct answer *out, struct error *err)
{
    if (!claim(making, err))
        return refuse(making, out, err);
    if (!payment_calls_acquire(making->service, err))
        return false;
    bool tried = try_once(making, out, err);
    payment_calls_release(making->service);
    return tried;
}

/* Payments belong to a merchant, so only a merchant's key may make one. */
static bool make(const struct payment_service *service, const struct payment_command *command,
                 const struct payment_draft *draft, struct answer *out, struct error *err)
{
    for (int i = 0; i < PAYMENT_ATTEMPTS_MAX && out->status == 0; i++) {
        AUTO(making_release)
        struct making making = { .service = service, .command = command, .draft = draft };
        struct payment *payment = &making.record.payment;

        making.record.wanted = true;
        payment->has_order = draft->has_order;
        payment->order_id = draft->order_id;
        payment->capture = draft->capture;
        payment->method = draft->method;
        if (!try_in_turn(&making, out, err))
            return false;
    }
    return out->status != 0 || error_set_restless(err, "order");
}

bool payment_service_create(const struct payment_service *service,
                            const struct payment_command *command,
                            const struct payment_draft *draft, struct answer *out,
                            struct error *err)
{
    if (!access_require_merchant(&command->caller->access, "Payments are made", err) ||
        !payment_replay(service, command, out, err))
        return false;
    return out->status != 0 || make(service, command, draft, out, err);
}

/* --- looking ---------------------------------------------------------------------------------- */

bool payment_service_read(const struct payment_service *service, const struct caller *caller,
                          struct id id, struct answer *out, struct error *err)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct payment payment;

    if (!payment_store_read(backbone_pool(service->backbone), caller, id, &payment, err))
        return false;
    payment_write(&json, &payment);
    answer_make(out, HTTP_OK, payment.id, payment.version, &body);
    return true;
}

bool payment_service_read_refund(const struct payment_service *service, const struct caller *caller,
                                 struct id id, struct answer *out, struct error *err)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct refund refund;

    if (!refund_store_read(backbone_pool(service->backbone), caller, id, &refund, err))
        return false;
    refund_write(&json, &refund);
    answer_make(out, HTTP_OK, refund.id, refund.version, &body);
    return true;
}

bool payment_service_list(const struct payment_service *service, const struct caller *caller,
                          const struct payment_filter *filter, struct buffer *body,
                          struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct payment_filter one_more = *filter;
    struct json_writer json = { .out = body };
    struct payment payment = { .id = filter->window.before };

    one_more.window.limit++;
    if (!payment_store_list(backbone_pool(service->backbone), caller, &one_more, &rows, err))
        return false;
    page_open(body);
    for (size_t i = 0; i < rows.count && i < (size_t)filter->window.limit; i++) {
        struct row row = rows_at(&rows, i);

        payment_from_row(&row, &payment);
        payment_write(&json, &payment);
    }
    page_close(body, rows.count > (size_t)filter->window.limit, payment.id);
    return true;
}

bool payment_service_list_refunds(const struct payment_service *service,
                                  const struct caller *caller, const struct payment_filter *filter,
                                  struct buffer *body, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct payment_filter one_more = *filter;
    struct json_writer json = { .out = body };
    struct refund refund = { .id = filter->window.before };

    one_more.window.limit++;
    if (!refund_store_list(backbone_pool(service->backbone), caller, &one_more, &rows, err))
        return false;
    page_open(body);
    for (size_t i = 0; i < rows.count && i < (size_t)filter->window.limit; i++) {
        struct row row = rows_at(&rows, i);

        refund_from_row(&row, &refund);
        refund_write(&json, &refund);
    }
    page_close(body, rows.count > (size_t)filter->window.limit, refund.id);
    return true;
}

bool payment_service_list_attempts(const struct payment_service *service,
                                   const struct caller *caller, struct id id, struct buffer *body,
                                   struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct json_writer json = { .out = body };
    struct payment payment;

    if (!payment_store_read(backbone_pool(service->backbone), caller, id, &payment, err) ||
        !attempt_store_list(backbone_pool(service->backbone), payment.stream, id, caller->deadline,
                            &rows, err))
        return false;
    json_begin_object(&json);
    json_name(&json, "data");
    json_begin_array(&json);
    for (size_t i = 0; i < rows.count; i++) {
        struct row row = rows_at(&rows, i);
        struct attempt attempt;

        attempt_from_row(&row, &attempt);
        attempt_write(&json, &attempt);
    }
    json_end_array(&json);
    json_end_object(&json);
    return true;
}
