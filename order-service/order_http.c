#include "order-service/order_http.h"

#include "order-service/order_timeline.h"
#include "shared/http/page.h"

/* POST /v1/orders */
static bool post_order(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct order_command command = { .caller = &req->caller, .idempotency = &req->idempotency };

    if (!order_draft_read(req->body, &draft, err) ||
        !order_service_create(ctx, &command, &draft, &answer, err))
        return false;
    reply_set_header(reply, "Location", "/v1/orders/%s", id_text(answer.subject).text);
    return reply_answer(reply, &answer);
}

/* PATCH /v1/orders/{id}: moves an order to another status, edits its metadata. */
static bool patch_order(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct order_change change;
    struct order_command command = { .caller = &req->caller,
                                     .idempotency = &req->idempotency,
                                     .if_match = req->if_match };

    if (!request_id_at(req, 0, &command.id, err) ||
        !json_document_parse(req->body, &document, err) ||
        !order_change_read(&document, &change, err) ||
        !order_service_change(ctx, &command, &change, &answer, err))
        return false;
    return reply_answer(reply, &answer);
}

/* GET /v1/orders/{id} */
static bool get_order(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct id id;

    if (!request_id_at(req, 0, &id, err) ||
        !order_service_read(ctx, &req->caller, id, &answer, err))
        return false;
    return reply_answer(reply, &answer);
}

static bool read_filter(const struct request *req, struct order_filter *filter, struct error *err)
{
    struct query query;
    size_t status;

    query_begin(&query, req->query, err);
    if (query_read_choice(&query, "status", order_status_words, ORDER_STATUS_COUNT, &status))
        filter->status = order_status_words[status];
    query_read_text(&query, "customer_id", 1, ORDER_TEXT_MAX, filter->customer_id,
                    sizeof(filter->customer_id));
    query_read_text(&query, "client_reference", 1, ORDER_TEXT_MAX, filter->client_reference,
                    sizeof(filter->client_reference));
    page_read_window(&query, &filter->window);
    query_end(&query);
    return query_ok(&query);
}

/* GET /v1/orders */
static bool get_orders(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct order_filter filter = { .status = "" };

    return read_filter(req, &filter, err) &&
           order_service_list(ctx, &req->caller, &filter, &reply->body, err) &&
           reply_json(reply, HTTP_OK);
}

/* GET /v1/orders/{id}/timeline */
static bool get_timeline(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct id id;

    return request_id_at(req, 0, &id, err) &&
           order_timeline_write(ctx, &req->caller, id, &reply->body, err) &&
           reply_json(reply, HTTP_OK);
}

/* Which of the two scopes a PATCH needs depends on its body: the use case decides. */
static const struct route routes[] = {
    { HTTP_POST, "/v1/orders", SCOPE_ORDERS_WRITE, ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY, post_order },
    { HTTP_GET, "/v1/orders", SCOPE_ORDERS_READ, 0, get_orders },
    { HTTP_GET, "/v1/orders/{id}", SCOPE_ORDERS_READ, 0, get_order },
    { HTTP_PATCH, "/v1/orders/{id}", SCOPE_ORDERS_WRITE | SCOPE_ORDERS_FULFIL,
      ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY, patch_order },
    { HTTP_GET, "/v1/orders/{id}/timeline", SCOPE_ORDERS_READ, 0, get_timeline },
};

void order_http_add_routes(struct backbone *backbone, struct order_service *service)
{
    backbone_add_routes(backbone, routes, COUNT_OF(routes), service);
}
