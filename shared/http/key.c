#include "shared/http/key.h"

#include "shared/json/json_writer.h"

static bool get_key(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    const struct access *access = &req->caller.access;
    struct json_writer json = { .out = &reply->body };

    (void)ctx, (void)err;
    json_begin_object(&json);
    json_member_text(&json, "id", access->key_id);
    json_member_text(&json, "merchant_id", access->merchant);
    json_name(&json, "scopes");
    access_write_scopes(access->scopes, &json);
    json_end_object(&json);
    return reply_json(reply, HTTP_OK);
}

void key_add_routes(struct router *router)
{
    static const struct route routes[] = {
        { HTTP_GET, "/v1/key", SCOPE_ANY, ROUTE_UNLIMITED, get_key },
    };

    router_add(router, routes, COUNT_OF(routes), NULL);
}
