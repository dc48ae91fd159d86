#include "shared/http/cors.h"

bool cors_allows(const char *origins, const char *origin)
{
    if (!origin || origin[0] == '\0')
        return false;
    while (*origins != '\0') {
        origins += strspn(origins, ", ");
        size_t length = strcspn(origins, ", ");
        if (length > 0 && span_equal((struct span){ origins, length }, span_of(origin)))
            return true;
        origins += length;
    }
    return false;
}

void cors_preflight(struct reply *reply, const char *allow)
{
    reply->status = HTTP_NO_CONTENT;
    reply_set_header(reply, "Access-Control-Allow-Methods", "%s", allow);
    reply_set_header(reply, "Access-Control-Allow-Headers",
                     "Authorization, Content-Type, Idempotency-Key, If-Match, traceparent");
    reply_set_header(reply, "Access-Control-Max-Age", "600");
}
