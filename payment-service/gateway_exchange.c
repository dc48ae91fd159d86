#include "payment-service/gateway_exchange.h"

#include "payment-service/gateway_record.h"

void gateway_answer_release(struct gateway_answer *answer)
{
    buffer_release(&answer->body);
}

bool gateway_ask(const struct gateway *gateway, struct client_request *request,
                 struct gateway_answer *answer, struct gateway_result *out)
{
    struct error err;

    request->origins = gateway->origins;
    request->authorization = gateway->authorization;
    request->answer_max = GATEWAY_ANSWER_MAX;
    request->retry_after_s = &answer->retry_after_s;
    if (client_pool_send(gateway->clients, request, &answer->status, &answer->body, &err))
        return true;
    bool untouched = err.kind == ERROR_UNAVAILABLE || err.kind == ERROR_OVERLOADED;
    gateway_result_set(out, untouched ? GATEWAY_NOTHING : GATEWAY_UNKNOWN, "%s: %s", err.code,
                       err.detail);
    return false;
}
