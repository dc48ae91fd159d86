#include "payment-service/payment_http.h"

#include "payment-service/provider_webhook.h"
#include "shared/http/page.h"

/* POST /v1/payments */
static bool post_payment(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    AUTO(payment_draft_release) struct payment_draft draft;
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct payment_command command;

    payment_command_of(ctx, req, &command);
    if (!payment_draft_read(req->body, clock_now(), &draft, err) ||
        !payment_service_create(ctx, &command, &draft, &answer, err))
        return false;
    reply_set_header(reply, "Location", "/v1/payments/%s", id_text(answer.subject).text);
    return reply_answer(reply, &answer);
}

/* POST /v1/payments/{id}/capture */
static bool post_capture(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct payment_command command;
    int64_t amount;

    payment_command_of(ctx, req, &command);
    return request_id_at(req, 0, &command.id, err) &&
           payment_capture_read(req->body, &amount, err) &&
           payment_service_capture(ctx, &command, amount, &answer, err) &&
           reply_answer(reply, &answer);
}

/* POST /v1/payments/{id}/cancel */
static bool post_cancel(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct payment_command command;

    payment_command_of(ctx, req, &command);
    return request_id_at(req, 0, &command.id, err) && payment_cancel_read(req->body, err) &&
           payment_service_cancel(ctx, &command, &answer, err) && reply_answer(reply, &answer);
}

/* POST /v1/payments/{id}/refunds */
static bool post_refund(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct payment_command command;
    struct refund draft;

    payment_command_of(ctx, req, &command);
    if (!request_id_at(req, 0, &command.id, err) || !refund_draft_read(req->body, &draft, err) ||
        !payment_service_refund(ctx, &command, &draft, &answer, err))
        return false;
    reply_set_header(reply, "Location", "/v1/refunds/%s", id_text(answer.subject).text);
    return reply_answer(reply, &answer);
}

/* GET /v1/payments/{id} */
static bool get_payment(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct id id;

    return request_id_at(req, 0, &id, err) &&
           payment_service_read(ctx, &req->caller, id, &answer, err) &&
           reply_answer(reply, &answer);
}

/* GET /v1/refunds/{id} */
static bool get_refund(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct id id;

    return request_id_at(req, 0, &id, err) &&
           payment_service_read_refund(ctx, &req->caller, id, &answer, err) &&
           reply_answer(reply, &answer);
}

/* GET /v1/payments/{id}/attempts */
static bool get_attempts(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct id id;

    return request_id_at(req, 0, &id, err) &&
           payment_service_list_attempts(ctx, &req->caller, id, &reply->body, err) &&
           reply_json(reply, HTTP_OK);
}

static void read_status(struct query *query, const char *const *words, size_t count,
                        struct payment_filter *filter)
{
    size_t status;

    if (query_read_choice(query, "status", words, count, &status))
        filter->status = words[status];
}

/* GET /v1/payments */
static bool get_payments(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct payment_filter filter = { .status = NULL };
    struct query query;

    query_begin(&query, req->query, err);
    read_status(&query, payment_status_words, PAYMENT_STATUS_COUNT, &filter);
    filter.has_order = query_read_id(&query, "order_id", &filter.order_id);
    page_read_window(&query, &filter.window);
    query_end(&query);
    return query_ok(&query) &&
           payment_service_list(ctx, &req->caller, &filter, &reply->body, err) &&
           reply_json(reply, HTTP_OK);
}

/* GET /v1/refunds */
static bool get_refunds(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    struct payment_filter filter = { .status = NULL };
    struct query query;

    query_begin(&query, req->query, err);
    read_status(&query, refund_status_words, REFUND_STATUS_COUNT, &filter);
    filter.has_order = query_read_id(&query, "order_id", &filter.order_id);
    filter.has_payment = query_read_id(&query, "payment_id", &filter.payment_id);
    page_read_window(&query, &filter.window);
    query_end(&query);
    return query_ok(&query) &&
           payment_service_list_refunds(ctx, &req->caller, &filter, &reply->body, err) &&
           reply_json(reply, HTTP_OK);
}

/* GET /v1/gateways */
static bool get_gateways(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    const struct payment_service *service = ctx;
    struct json_writer json = { .out = &reply->body };
    struct query query;

    query_begin(&query, req->query, err);
    query_end(&query);
    if (!query_ok(&query))
        return false;
    json_begin_object(&json);
    json_name(&json, "data");
    gateway_chain_write(service->chain, &json);
    json_end_object(&json);
    return reply_json(reply, HTTP_OK);
}

/* POST /v1/provider_webhooks/{gateway}/{merchant_id}: signed by the bank, so it needs no key. */
static bool post_webhook(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct provider_address address;
    struct gateway_webhook webhook = {
        .account = address.merchant,
        .content_type = request_header(req, "Content-Type"),
        .id = request_header(req, "webhook-id"),
        .timestamp = request_header(req, "webhook-timestamp"),
        .signature = request_header(req, "webhook-signature"),
        .body = req->body,
        .now = clock_now(),
    };

    if (!request_text_at(req, 0, address.gateway, sizeof(address.gateway), err) ||
        !request_text_at(req, 1, address.merchant, sizeof(address.merchant), err) ||
        !provider_webhook_take(ctx, &address, &webhook, req->caller.deadline, err))
        return false;
    reply->status = HTTP_NO_CONTENT;
    return true;
}

/* What moves money needs a key, so that no repeat moves it twice. */
enum { ACTION = ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY | ROUTE_KEY_REQUIRED };

static const struct route routes[] = {
    { HTTP_POST, "/v1/payments", SCOPE_PAYMENTS_WRITE, ACTION | ROUTE_SECRET_BODY, post_payment },
    { HTTP_GET, "/v1/payments", SCOPE_PAYMENTS_READ, 0, get_payments },
    { HTTP_GET, "/v1/payments/{id}", SCOPE_PAYMENTS_READ, 0, get_payment },
    { HTTP_GET, "/v1/payments/{id}/attempts", SCOPE_PAYMENTS_READ, 0, get_attempts },
    { HTTP_POST, "/v1/payments/{id}/capture", SCOPE_PAYMENTS_WRITE, ACTION, post_capture },
    { HTTP_POST, "/v1/payments/{id}/cancel", SCOPE_PAYMENTS_WRITE, ACTION, post_cancel },
    { HTTP_POST, "/v1/payments/{id}/refunds", SCOPE_REFUNDS_WRITE, ACTION, post_refund },
    { HTTP_GET, "/v1/refunds", SCOPE_PAYMENTS_READ, 0, get_refunds },
    { HTTP_GET, "/v1/refunds/{id}", SCOPE_PAYMENTS_READ, 0, get_refund },
    { HTTP_GET, "/v1/gateways", SCOPE_PAYMENTS_READ | SCOPE_OPERATOR, 0, get_gateways },
    { HTTP_POST, "/v1/provider_webhooks/{gateway}/{merchant_id}", 0,
      ROUTE_PUBLIC | ROUTE_BODY | ROUTE_XML, post_webhook },
};

void payment_http_add_routes(struct backbone *backbone, struct payment_service *service)
{
    backbone_add_routes(backbone, routes, COUNT_OF(routes), service);
}
