#include "payment-service/bank-simulator/bank_http.h"

#include "payment-service/bank-simulator/bank_json.h"
#include "payment-service/bank-simulator/bank_settlement.h"

/* The key, the bank and the account of a request; the visit's other fields are zero. */
static bool begin_visit(struct door *door, const struct request *req, enum bank_operation operation,
                        struct visit *out, struct error *err)
{
    enum door_language language = operation == BANK_SETTLEMENT ? SPEAKS_FILES : SPEAKS_JSON;

    *out = (struct visit){ .operation = operation, .deadline = req->caller.deadline };
    return door_find(door, req, language, &out->place.bank, err) &&
           door_read_account(req->segments[1], &out->place, err);
}

static bool end_visit(struct door *door, struct visit *visit, bool done, const struct reply *reply,
                      const struct error *err)
{
    door_leave(door, visit, done ? reply : NULL, err);
    return done;
}

static void write_record(struct door *door, const struct visit *visit,
                         const struct bank_record *record, struct reply *reply)
{
    struct bank_view view = { visit->place.bank, desk_public_url(door_desk(door)) };
    struct json_writer json = { .out = &reply->body };

    bank_record_write(&json, record, &view);
}

/* ---- What makes records --------------------------------------------------------------------- */

/* What came in with a POST. */
struct post {
    struct door *door;
    struct bank_instruction instruction;
    struct bank_outcome outcome;
};

static bool perform(void *ctx, struct visit *visit, struct reply *reply, struct error *err)
{
    struct post *post = ctx;
    bool has_card = visit->operation == BANK_AUTHORIZE;
    struct desk_call call = { .place = &visit->place,
                              .instruction = &post->instruction,
                              .card = has_card ? &visit->card : NULL,
                              .verdict = &post->outcome.verdict,
                              .deadline = visit->deadline };
    struct desk_answer answer;

    if (!desk_perform(door_desk(post->door), &call, &answer, err))
        return false;
    visit->call.effect = answer.effect;
    write_record(post->door, visit, &answer.record, reply);
    return reply_json(reply, answer.fresh ? HTTP_CREATED : HTTP_OK);
}

static bool read_post(struct post *post, const struct request *req, struct visit *visit,
                      struct error *err)
{
    if (!bank_instruction_read(req->body, visit->operation, &post->instruction, &visit->card, err))
        return false;
    visit_note(visit, &post->instruction);
    if (visit->operation == BANK_AUTHORIZE)
        post->outcome = bank_outcome_of(&visit->card, post->instruction.money.amount);
    visit->manner = post->outcome.manner;
    return true;
}

static bool serve_post(struct door *door, const struct request *req, enum bank_operation operation,
                       struct reply *reply, struct error *err)
{
    struct post post = { .door = door };
    struct visit visit;

    if (!begin_visit(door, req, operation, &visit, err))
        return false;
    visit.act = perform;
    visit.ctx = &post;
    door_enter(door, &visit);
    bool done = read_post(&post, req, &visit, err) && door_serve(door, &visit, reply, err);
    return end_visit(door, &visit, done, reply, err);
}

/* POST /{bank}/v1/accounts/{account}/authorizations */
static bool post_authorization(void *ctx, const struct request *req, struct reply *reply,
                               struct error *err)
{
    return serve_post(ctx, req, BANK_AUTHORIZE, reply, err);
}

/* POST /{bank}/v1/accounts/{account}/transfers */
static bool post_transfer(void *ctx, const struct request *req, struct reply *reply,
                          struct error *err)
{
    return serve_post(ctx, req, BANK_TRANSFER, reply, err);
}

/* POST /{bank}/v1/accounts/{account}/captures */
static bool post_capture(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    return serve_post(ctx, req, BANK_CAPTURE, reply, err);
}

/* POST /{bank}/v1/accounts/{account}/voids */
static bool post_void(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    return serve_post(ctx, req, BANK_VOID, reply, err);
}

/* POST /{bank}/v1/accounts/{account}/refunds */
static bool post_refund(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    return serve_post(ctx, req, BANK_REFUND, reply, err);
}

/* POST /{bank}/v1/accounts/{account}/void_references */
static bool post_void_reference(void *ctx, const struct request *req, struct reply *reply,
                                struct error *err)
{
    return serve_post(ctx, req, BANK_VOID_REFERENCE, reply, err);
}

/* ---- What only asks ------------------------------------------------------------------------- */

static bool look_up(void *ctx, struct visit *visit, struct reply *reply, struct error *err)
{
    struct bank_key key = { visit->place, visit->call.reference };
    struct door *door = ctx;
    struct bank_record record;

    if (!desk_look_up(door_desk(door), &key, visit->deadline, &record, err))
        return false;
    write_record(door, visit, &record, reply);
    return reply_json(reply, HTTP_OK);
}

/* GET /{bank}/v1/accounts/{account}/operations/{reference} */
static bool get_operation(void *ctx, const struct request *req, struct reply *reply,
                          struct error *err)
{
    struct visit visit;

    if (!begin_visit(ctx, req, BANK_LOOK_UP, &visit, err))
        return false;
    visit.act = look_up;
    visit.ctx = ctx;
    door_enter(ctx, &visit);
    bool done =
        request_id_at(req, 2, &visit.call.reference, err) && door_serve(ctx, &visit, reply, err);
    return end_visit(ctx, &visit, done, reply, err);
}

struct settling {
    struct door *door;
    struct instant day;
    struct buffer *out;
    const char *account;
};

static void add_movement(void *ctx, const struct bank_movement_row *row)
{
    struct settling *settling = ctx;

    settlement_add(settling->out, settling->account, row);
}

static bool settle(void *ctx, struct visit *visit, struct reply *reply, struct error *err)
{
    struct settling *settling = ctx;
    struct bank_day day = { &visit->place, settling->day, add_movement, settling };

    settling->out = &reply->body;
    settling->account = visit->place.account;
    settlement_begin(&reply->body);
    if (!bank_book_movements(desk_book(door_desk(settling->door)), &day, err))
        return false;
    reply->content_type = "text/csv; charset=utf-8";
    return true;
}

/* GET /{bank}/v1/accounts/{account}/settlements/{date} */
static bool get_settlement(void *ctx, const struct request *req, struct reply *reply,
                           struct error *err)
{
    struct settling settling = { .door = ctx };
    struct visit visit;
    char date[32] = "";

    if (!begin_visit(ctx, req, BANK_SETTLEMENT, &visit, err))
        return false;
    visit.act = settle;
    visit.ctx = &settling;
    door_enter(ctx, &visit);
    bool done = request_text_at(req, 2, date, sizeof(date), err) &&
                settlement_day(date, &settling.day, err) && door_serve(ctx, &visit, reply, err);
    return end_visit(ctx, &visit, done, reply, err);
}

#define ACCOUNT "/{bank}/v1/accounts/{account}"

/* The bank's terms are its own: it looks at its key itself. */
static const struct route routes[] = {
    { HTTP_POST, ACCOUNT "/authorizations", 0, ROUTE_PUBLIC | ROUTE_BODY | ROUTE_SECRET_BODY,
      post_authorization },
    { HTTP_POST, ACCOUNT "/transfers", 0, ROUTE_PUBLIC | ROUTE_BODY, post_transfer },
    { HTTP_POST, ACCOUNT "/captures", 0, ROUTE_PUBLIC | ROUTE_BODY, post_capture },
    { HTTP_POST, ACCOUNT "/voids", 0, ROUTE_PUBLIC | ROUTE_BODY, post_void },
    { HTTP_POST, ACCOUNT "/refunds", 0, ROUTE_PUBLIC | ROUTE_BODY, post_refund },
    { HTTP_POST, ACCOUNT "/void_references", 0, ROUTE_PUBLIC | ROUTE_BODY, post_void_reference },
    { HTTP_GET, ACCOUNT "/operations/{reference}", 0, ROUTE_PUBLIC, get_operation },
    { HTTP_GET, ACCOUNT "/settlements/{date}", 0, ROUTE_PUBLIC, get_settlement },
};

void bank_http_add_routes(struct router *router, struct door *door)
{
    router_add(router, routes, COUNT_OF(routes), door);
}
