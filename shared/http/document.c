#include "shared/http/document.h"

/* GET /openapi.json */
static bool get_document(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    (void)ctx, (void)req, (void)err;
    buffer_append_span(&reply->body, api_document);
    return reply_json(reply, HTTP_OK);
}

void document_add_routes(struct router *router)
{
    static const struct route routes[] = {
        { HTTP_GET, "/openapi.json", 0, ROUTE_PUBLIC, get_document },
    };

    router_add(router, routes, COUNT_OF(routes), NULL);
}
