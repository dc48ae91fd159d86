#include "payment-service/bank-simulator/bank_control_http.h"

#include "payment-service/bank-simulator/bank_control_json.h"
#include "payment-service/bank-simulator/bank_json.h"
#include "payment-service/bank-simulator/bank_notice.h"
#include "shared/http/query.h"

static bool check_key(const struct control *control, const struct request *req, struct error *err)
{
    const char *authorization = req->caller.authorization;

    if (!authorization)
        return error_set(err, ERROR_UNAUTHENTICATED, "key_missing",
                         "This needs the control key: Authorization: Bearer.");
    if (!door_knows(authorization, control->key))
        return error_set(err, ERROR_UNAUTHENTICATED, "key_invalid", "That is not the control key.");
    return true;
}

/* ---- Faults --------------------------------------------------------------------------------- */

/* POST /control/faults */
static bool post_fault(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct control *control = ctx;
    struct json_writer json = { .out = &reply->body };
    struct fault fault;

    if (!check_key(control, req, err) || !control_fault_read(req->body, &fault, err))
        return false;
    bool added = faults_add(control->faults, &fault, clock_monotonic_us() / 1000, &fault.id);
    fault_mask(&fault);
    if (!added)
        return error_set(err, ERROR_CONFLICT, "too_many_faults",
                         "There are at most %d faults at once.", FAULTS_MAX);
    control_fault_write(&json, &fault);
    return reply_json(reply, HTTP_CREATED);
}

/* GET /control/faults */
static bool get_faults(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct control *control = ctx;
    struct json_writer json = { .out = &reply->body };
    struct fault list[FAULTS_MAX];

    if (!check_key(control, req, err))
        return false;
    size_t count = faults_list(control->faults, list);
    json_begin_object(&json);
    json_name(&json, "data");
    json_begin_array(&json);
    for (size_t i = 0; i < count; i++)
        control_fault_write(&json, &list[i]);
    json_end_array(&json);
    json_end_object(&json);
    return reply_json(reply, HTTP_OK);
}

/* DELETE /control/faults */
static bool delete_faults(void *ctx, const struct request *req, struct reply *reply,
                          struct error *err)
{
    struct control *control = ctx;

    if (!check_key(control, req, err))
        return false;
    faults_clear(control->faults);
    door_release(control->door);
    return reply_json(reply, HTTP_NO_CONTENT);
}

/* DELETE /control/faults/{id} */
static bool delete_fault(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct control *control = ctx;
    struct id id;

    if (!check_key(control, req, err) || !request_id_at(req, 0, &id, err))
        return false;
    if (!faults_remove(control->faults, id))
        return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such fault.");
    door_release(control->door);
    return reply_json(reply, HTTP_NO_CONTENT);
}

/* ---- What customers do ---------------------------------------------------------------------- */

struct wish {
    enum bank_event event;
    int64_t amount;
};

/* Lets it happen to the record that the path names, of whatever bank and account. */
static bool happen(struct control *control, const struct request *req, const struct wish *wish,
                   struct reply *reply, struct error *err)
{
    struct json_writer json = { .out = &reply->body };
    struct bank_key key;
    struct bank_record record;
    struct id reference;

    if (!request_id_at(req, 0, &reference, err) ||
        !bank_book_locate(desk_book(control->desk), NULL, reference, &key, err) ||
        !desk_happen(control->desk, &key, wish->event, wish->amount, &record, err))
        return false;
    struct bank_view view = { key.place.bank, desk_public_url(control->desk) };
    bank_record_write(&json, &record, &view);
    return reply_json(reply, HTTP_OK);
}

/* POST /control/transfers/{reference}/pay */
static bool post_pay(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct wish wish = { .event = EVENT_PAID };

    return check_key(ctx, req, err) && control_payment_read(req->body, &wish.amount, err) &&
           happen(ctx, req, &wish, reply, err);
}

/* POST /control/disputes/{reference} */
static bool post_dispute(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct wish wish = { .amount = 0 };

    return check_key(ctx, req, err) && control_dispute_read(req->body, &wish.event, err) &&
           happen(ctx, req, &wish, reply, err);
}

/* POST /control/refunds/{reference}/return */
static bool post_return(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    const struct wish wish = { .event = EVENT_REFUND_RETURNED };

    return check_key(ctx, req, err) && happen(ctx, req, &wish, reply, err);
}

/* ---- Webhooks ------------------------------------------------------------------------------- */

static void post_letters(struct control *control, const struct control_webhook *webhook,
                         struct json_writer *json)
{
    struct bank_place place = { .bank = webhook->bank };
    bool typed = webhook->content_type[0] != '\0';
    struct letter letter = {
        .place = &place,
        .id = webhook->id,
        .content_type = typed ? webhook->content_type : bank_notice_content_type(webhook->bank),
        .body = buffer_span(&webhook->body),
        .at = instant_add_ms(clock_now(), -webhook->age_s * 1000),
        .forged = webhook->forged,
    };

    text_copy(place.account, sizeof(place.account), webhook->account);
    json_begin_array(json);
    for (int64_t i = 0; i < webhook->repeat; i++) {
        int status = letters_post(control->letters, &letter);

        if (status > 0)
            json_number(json, status);
        else
            json_null_value(json);
    }
    json_end_array(json);
}

/* POST /control/webhooks: answers what each copy was answered with, null for nothing. */
static bool post_webhook(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct control *control = ctx;
    struct json_writer json = { .out = &reply->body };
    struct control_webhook webhook = { .body = BUFFER_EMPTY };

    if (!check_key(control, req, err))
        return false;
    bool read = control_webhook_read(req->body, clock_now(), &webhook, err);
    if (read) {
        json_begin_object(&json);
        json_member_id(&json, "id", webhook.id);
        json_name(&json, "answers");
        post_letters(control, &webhook, &json);
        json_end_object(&json);
    }
    buffer_release(&webhook.body);
    return read && reply_json(reply, HTTP_OK);
}

/* ---- Calls ---------------------------------------------------------------------------------- */

struct listing {
    struct json_writer json;
    /* NULL, "", -1 or false: all. */
    const struct bank *bank;
    char account[BANK_ACCOUNT_SIZE];
    int operation;
    bool has_reference;
    struct id reference;
};

static void list_call(void *ctx, const struct call *call)
{
    struct listing *listing = ctx;

    if ((!listing->bank || listing->bank == call->bank) &&
        (listing->account[0] == '\0' || strcmp(listing->account, call->account) == 0) &&
        (listing->operation < 0 || listing->operation == (int)call->operation) &&
        (!listing->has_reference || id_equal(listing->reference, call->reference)))
        control_call_write(&listing->json, call);
}

static bool read_listing(const struct request *req, struct listing *out, struct error *err)
{
    struct query query;
    char bank[BANK_NAME_SIZE];
    size_t operation;

    query_begin(&query, req->query, err);
    if (query_read_text(&query, "bank", 1, BANK_NAME_SIZE - 1, bank, sizeof(bank)) &&
        !(out->bank = bank_find(bank)))
        query_refuse(&query, "bank", "bank_not_found", "is no bank that is played here");
    query_read_text(&query, "account", 1, BANK_ACCOUNT_SIZE - 1, out->account,
                    sizeof(out->account));
    if (query_read_choice(&query, "operation", bank_operation_words, BANK_OPERATION_COUNT,
                          &operation))
        out->operation = (int)operation;
    out->has_reference = query_read_id(&query, "reference", &out->reference);
    query_end(&query);
    return query_ok(&query);
}

/* GET /control/calls */
static bool get_calls(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    struct control *control = ctx;
    struct listing listing = { .json = { .out = &reply->body }, .operation = -1 };

    if (!check_key(control, req, err) || !read_listing(req, &listing, err))
        return false;
    json_begin_object(&listing.json);
    json_name(&listing.json, "data");
    json_begin_array(&listing.json);
    calls_each(control->calls, list_call, &listing);
    json_end_array(&listing.json);
    json_end_object(&listing.json);
    return reply_json(reply, HTTP_OK);
}

/* DELETE /control/calls */
static bool delete_calls(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct control *control = ctx;

    if (!check_key(control, req, err))
        return false;
    calls_forget(control->calls);
    return reply_json(reply, HTTP_NO_CONTENT);
}

static const struct route routes[] = {
    { HTTP_POST, "/control/faults", 0, ROUTE_PUBLIC | ROUTE_BODY | ROUTE_SECRET_BODY, post_fault },
    { HTTP_GET, "/control/faults", 0, ROUTE_PUBLIC, get_faults },
    { HTTP_DELETE, "/control/faults", 0, ROUTE_PUBLIC, delete_faults },
    { HTTP_DELETE, "/control/faults/{id}", 0, ROUTE_PUBLIC, delete_fault },
    { HTTP_POST, "/control/transfers/{reference}/pay", 0, ROUTE_PUBLIC | ROUTE_BODY, post_pay },
    { HTTP_POST, "/control/disputes/{reference}", 0, ROUTE_PUBLIC | ROUTE_BODY, post_dispute },
    { HTTP_POST, "/control/refunds/{reference}/return", 0, ROUTE_PUBLIC | ROUTE_BODY, post_return },
    { HTTP_POST, "/control/webhooks", 0, ROUTE_PUBLIC | ROUTE_BODY, post_webhook },
    { HTTP_GET, "/control/calls", 0, ROUTE_PUBLIC, get_calls },
    { HTTP_DELETE, "/control/calls", 0, ROUTE_PUBLIC, delete_calls },
};

void bank_control_http_add_routes(struct router *router, struct control *control)
{
    router_add(router, routes, COUNT_OF(routes), control);
}
