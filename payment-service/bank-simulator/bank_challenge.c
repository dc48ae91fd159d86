#include "payment-service/bank-simulator/bank_challenge.h"

/* ---- The page ------------------------------------------------------------------------------- */

/* What a page says about a payment whose challenge has ended, by its status. */
static const char *const endings[BANK_STATUS_COUNT] = {
    [BANK_APPROVED] = "You have approved this payment.",
    [BANK_DECLINED] = "This payment was declined.",
    [BANK_VOIDED] = "This payment was given up.",
};

/* The address of a form is the page's own, so that it is right behind any proxy. */
static void write_forms(struct buffer *out, const struct bank_key *key)
{
    struct id_text reference = id_text(key->reference);

    buffer_append_format(
        out,
        "<form method=\"post\" action=\"%s/pass\"><button>Approve</button></form>\n"
        "<form method=\"post\" action=\"%s/fail\"><button>Decline</button></form>\n",
        reference.text, reference.text);
}

/* Nothing in it comes from outside but numbers, ids and names of [a-z0-9-]. */
static void write_page(struct buffer *out, const struct bank_key *key,
                       const struct bank_record *record)
{
    buffer_append_format(out,
                         "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width\">\n"
                         "<title>Approve a payment</title>\n</head>\n<body>\n<main>\n"
                         "<h1>%s</h1>\n<p>%s asks for <strong>%s</strong>.</p>\n",
                         key->place.bank->name, key->place.account, money_text(record->money).text);
    if (record->status == BANK_PENDING)
        write_forms(out, key);
    else
        buffer_append_format(out, "<p role=\"status\">%s</p>\n", endings[record->status]);
    buffer_append(out, "</main>\n</body>\n</html>\n");
}

static bool answer_page(struct reply *reply, const struct bank_key *key,
                        const struct bank_record *record)
{
    write_page(&reply->body, key, record);
    reply->content_type = "text/html; charset=utf-8";
    reply_set_header(reply, "Content-Security-Policy",
                     "default-src 'none'; form-action 'self'; base-uri 'none'; "
                     "frame-ancestors 'none'");
    reply_set_header(reply, "Referrer-Policy", "no-referrer");
    return true;
}

/* ---- Finding it ----------------------------------------------------------------------------- */

static void refuse(struct error *err)
{
    error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such challenge.");
}

/* Only authorizations have challenges, whatever else has that reference. */
static bool find(struct desk *desk, const struct request *req, struct bank_key *key,
                 struct bank_record *record, struct error *err)
{
    char name[BANK_NAME_SIZE];
    struct id reference;

    const struct bank *bank =
        text_copy_span(name, sizeof(name), req->segments[0]) ? bank_find(name) : NULL;
    if (!bank) {
        refuse(err);
        return false;
    }
    if (!request_id_at(req, 1, &reference, err) ||
        !bank_book_locate(desk_book(desk), bank, reference, key, err) ||
        !desk_look_up(desk, key, req->caller.deadline, record, err))
        return false;
    if (record->operation != BANK_AUTHORIZE)
        refuse(err);
    return record->operation == BANK_AUTHORIZE;
}

/* GET /{bank}/challenges/{reference} */
static bool get_challenge(void *ctx, const struct request *req, struct reply *reply,
                          struct error *err)
{
    struct bank_key key;
    struct bank_record record;

    return find(ctx, req, &key, &record, err) && answer_page(reply, &key, &record);
}

/* One that has ended meanwhile is shown as it ended. */
static bool end_challenge(struct desk *desk, const struct request *req, enum bank_event event,
                          struct reply *reply, struct error *err)
{
    struct bank_key key;
    struct bank_record record;

    if (!find(desk, req, &key, &record, err))
        return false;
    if (!desk_happen(desk, &key, event, 0, &record, err) && err->kind != ERROR_CONFLICT)
        return false;
    return desk_look_up(desk, &key, req->caller.deadline, &record, err) &&
           answer_page(reply, &key, &record);
}

/* POST /{bank}/challenges/{reference}/pass */
static bool post_pass(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    return end_challenge(ctx, req, EVENT_CHALLENGE_PASSED, reply, err);
}

/* POST /{bank}/challenges/{reference}/fail */
static bool post_fail(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    return end_challenge(ctx, req, EVENT_CHALLENGE_FAILED, reply, err);
}

static const struct route routes[] = {
    { HTTP_GET, "/{bank}/challenges/{reference}", 0, ROUTE_PUBLIC, get_challenge },
    { HTTP_POST, "/{bank}/challenges/{reference}/pass", 0, ROUTE_PUBLIC, post_pass },
    { HTTP_POST, "/{bank}/challenges/{reference}/fail", 0, ROUTE_PUBLIC, post_fail },
};

void bank_challenge_add_routes(struct router *router, struct desk *desk)
{
    router_add(router, routes, COUNT_OF(routes), desk);
}
