#include "voucher-service/voucher_http.h"

#include "voucher-service/voucher_json.h"

/* Longer than an id, and than a code with all dashes anyone would write. */
enum { HANDLE_SIZE = 64 };

/* What is no id may be a code. */
static bool find_voucher(const struct voucher_service *service, const struct request *req,
                         struct voucher *out, struct error *err)
{
    char handle[HANDLE_SIZE];
    struct id id;

    if (!request_text_at(req, 0, handle, sizeof(handle), err))
        return false;
    if (id_parse(handle, &id))
        return voucher_service_read(service, &req->caller, id, out, err);
    return voucher_service_find_code(service, &req->caller, handle, out, err);
}

/* GET /v1/vouchers/{voucher}: by id or by code. Only the voucher's own merchant sees its code. */
static bool get_voucher(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    struct json_writer json = { .out = &reply->body };
    bool everyone = access_is_everyone(&req->caller.access);
    struct voucher voucher;

    if (!find_voucher(ctx, req, &voucher, err))
        return false;
    voucher_write(&json, &voucher, everyone ? VOUCHER_MASKED : VOUCHER_WHOLE);
    reply_set_version(reply, voucher.version);
    return reply_json(reply, HTTP_OK);
}

static bool read_filter(const struct request *req, struct voucher_filter *filter, struct error *err)
{
    struct query query;
    size_t status;

    query_begin(&query, req->query, err);
    if (query_read_choice(&query, "status", voucher_status_words, VOUCHER_STATUS_COUNT, &status))
        filter->status = voucher_status_words[status];
    query_read_text(&query, "customer_id", 1, VOUCHER_TEXT_MAX, filter->customer_id,
                    sizeof(filter->customer_id));
    filter->has_order = query_read_id(&query, "order_id", &filter->order_id);
    page_read_window(&query, &filter->window);
    query_end(&query);
    return query_ok(&query);
}

/* GET /v1/vouchers */
static bool get_vouchers(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct voucher_filter filter = { .status = "" };

    return read_filter(req, &filter, err) &&
           voucher_service_list(ctx, &req->caller, &filter, &reply->body, err) &&
           reply_json(reply, HTTP_OK);
}

/* GET /v1/voucher_rules */
static bool get_rules(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct query query;
    struct page page;

    query_begin(&query, req->query, err);
    page_read(&query, &page);
    query_end(&query);
    return query_ok(&query) &&
           voucher_service_list_rules(ctx, &req->caller, &page, &reply->body, err) &&
           reply_json(reply, HTTP_OK);
}

/* POST /v1/voucher_rules */
static bool post_rule(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct json_writer json = { .out = &reply->body };
    struct voucher_rule rule;
    bool replayed;

    if (!voucher_rule_read(req->body, &rule, err) ||
        !voucher_service_add_rule(ctx, req, &rule, &replayed, err))
        return false;
    voucher_rule_write(&json, &rule);
    if (replayed)
        reply_set_header(reply, "Idempotent-Replayed", "true");
    return reply_json(reply, HTTP_CREATED);
}

static const struct route routes[] = {
    { HTTP_GET, "/v1/vouchers", SCOPE_VOUCHERS_READ, 0, get_vouchers },
    { HTTP_GET, "/v1/vouchers/{voucher}", SCOPE_VOUCHERS_READ, 0, get_voucher },
    { HTTP_GET, "/v1/voucher_rules", SCOPE_VOUCHERS_READ | SCOPE_OPERATOR, 0, get_rules },
    { HTTP_POST, "/v1/voucher_rules", SCOPE_OPERATOR, ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY,
      post_rule },
};

void voucher_http_add_routes(struct backbone *backbone, struct voucher_service *service)
{
    backbone_add_routes(backbone, routes, COUNT_OF(routes), service);
}
