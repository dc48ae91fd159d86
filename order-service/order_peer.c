#include "order-service/order_peer.h"

#include "shared/http/reply.h"

bool order_peer_get(const struct order_peer *peer, const struct order_question *question,
                    struct json_document *out, struct error *err)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    char traceparent[TRACEPARENT_SIZE];
    int status = 0;

    trace_format(&question->caller->trace, traceparent);
    if (!client_pool_send(peer->clients,
                          &(struct client_request){
                              .method = "GET",
                              .origins = peer->origins,
                              .path = question->path,
                              .authorization = question->caller->authorization,
                              .traceparent = traceparent,
                              .answer_max = ORDER_PEER_ANSWER_MAX,
                              .deadline = question->deadline,
                          },
                          &status, &answer, err))
        return false;
    if (status != HTTP_OK)
        return error_set(err, ERROR_UNAVAILABLE, "peer_unavailable", "%s answered %d",
                         peer->service, status);
    return json_document_parse(buffer_span(&answer), out, err);
}
