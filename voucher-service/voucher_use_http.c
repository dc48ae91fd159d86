#include "voucher-service/voucher_use_http.h"

#include "voucher-service/voucher_json.h"
#include "voucher-service/voucher_use_service.h"

/* Longer than a code with all dashes anyone would write. */
enum { CODE_SIZE = 64 };

/* What names no code at all is looked for like one: it counts as wrong. */
static void read_code(const struct request *req, char code[CODE_SIZE])
{
    struct error err;

    if (!request_text_at(req, 0, code, CODE_SIZE, &err))
        code[0] = '\0';
}

/* Reads the body's wish, does it to the voucher that the path names by its code, and answers. */
static bool use_code(void *ctx, const struct request *req, enum voucher_way way,
                     struct reply *reply, struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    char code[CODE_SIZE];
    const struct voucher_command command = { .caller = &req->caller,
                                             .idempotency = &req->idempotency,
                                             .handle = VOUCHER_BY_CODE,
                                             .code = code,
                                             .status = way == VOUCHER_REDEEM ? HTTP_CREATED
                                                                             : HTTP_OK };
    struct voucher_wish wish;

    read_code(req, code);
    if (!voucher_wish_read(req->body, way, &wish, err))
        return false;
    wish.redemption_id = id_create(clock_now());
    return voucher_use_service_do(ctx, &command, &wish, &answer, err) &&
           reply_answer(reply, &answer);
}

/* POST /v1/vouchers/{code}/validate: an empty body asks for no more than whether it is good. */
static bool post_validate(void *ctx, const struct request *req, struct reply *reply,
                          struct error *err)
{
    struct span body = req->body.length > 0 ? req->body : span_of("{}");
    struct json_writer json = { .out = &reply->body };
    struct voucher_question question;
    struct voucher voucher;
    char code[CODE_SIZE];
    const struct voucher_command command = { .caller = &req->caller,
                                             .handle = VOUCHER_BY_CODE,
                                             .code = code };

    read_code(req, code);
    if (!voucher_question_read(body, &question, err) ||
        !voucher_use_service_ask(ctx, &command, &question.wish, &voucher, err))
        return false;
    voucher_write_discount(&json, &voucher, question.has_total ? &question.total_amount : NULL);
    reply_set_version(reply, voucher.version);
    return reply_json(reply, HTTP_OK);
}

/* POST /v1/vouchers/{code}/reserve */
static bool post_reserve(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    return use_code(ctx, req, VOUCHER_RESERVE, reply, err);
}

/* POST /v1/vouchers/{code}/release */
static bool post_release(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    return use_code(ctx, req, VOUCHER_RELEASE, reply, err);
}

/* POST /v1/vouchers/{code}/redemptions */
static bool post_redemption(void *ctx, const struct request *req, struct reply *reply,
                            struct error *err)
{
    return use_code(ctx, req, VOUCHER_REDEEM, reply, err);
}

/* POST /v1/redemptions/{id}/rollback */
static bool post_rollback(void *ctx, const struct request *req, struct reply *reply,
                          struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct voucher_command command = { .caller = &req->caller,
                                       .idempotency = &req->idempotency,
                                       .handle = VOUCHER_BY_REDEMPTION,
                                       .status = HTTP_OK };
    struct voucher_wish wish = { .way = VOUCHER_ROLL_BACK };

    if (!request_id_at(req, 0, &command.id, err))
        return false;
    wish.redemption_id = command.id;
    return voucher_use_service_do(ctx, &command, &wish, &answer, err) &&
           reply_answer(reply, &answer);
}

/* POST /v1/vouchers/{id}/void: final, so a repeat finds the same without a key to remember it. */
static bool post_void(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct voucher_command command = {
        .caller = &req->caller, .handle = VOUCHER_BY_ID, .status = HTTP_OK
    };
    const struct voucher_wish wish = { .way = VOUCHER_VOID };

    return request_id_at(req, 0, &command.id, err) &&
           voucher_use_service_do(ctx, &command, &wish, &answer, err) &&
           reply_answer(reply, &answer);
}

static const struct route routes[] = {
    { HTTP_POST, "/v1/vouchers/{code}/validate", SCOPE_VOUCHERS_WRITE, ROUTE_BODY, post_validate },
    { HTTP_POST, "/v1/vouchers/{code}/reserve", SCOPE_VOUCHERS_WRITE,
      ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY, post_reserve },
    { HTTP_POST, "/v1/vouchers/{code}/release", SCOPE_VOUCHERS_WRITE,
      ROUTE_BODY | ROUTE_IDEMPOTENCY_KEY, post_release },
    { HTTP_POST, "/v1/vouchers/{code}/redemptions", SCOPE_VOUCHERS_WRITE,
      ROUTE_BODY | ROUTE_KEY_REQUIRED, post_redemption },
    { HTTP_POST, "/v1/redemptions/{id}/rollback", SCOPE_VOUCHERS_WRITE, ROUTE_IDEMPOTENCY_KEY,
      post_rollback },
    { HTTP_POST, "/v1/vouchers/{id}/void", SCOPE_OPERATOR, 0, post_void },
};

void voucher_use_http_add_routes(struct backbone *backbone, struct voucher_service *service)
{
    backbone_add_routes(backbone, routes, COUNT_OF(routes), service);
}
