/*
 * Order peer: another service that is asked about an order, as the one who asks us.
 *
 * Whoever may not see something there does not see it here: the caller's own key is forwarded, and
 * what it does not open stays closed. Any thread.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_PEER_H
#define CHECKOUT_ORDER_SERVICE_ORDER_PEER_H

#include "shared/http/client_pool.h"
#include "shared/http/request.h"
#include "shared/json/json_reader.h"

/* Questions to one peer that are under way at once; one more is not asked. */
enum { ORDER_PEER_CALLS_MAX = 32 };

/* Bytes of one answer. */
enum { ORDER_PEER_ANSWER_MAX = 4 * 1024 * 1024 };

struct order_peer {
    const char *service; /* its name: "payment-service" */
    const char *origins; /* of its instances */
    struct client_pool *clients;
};

/* One question. */
struct order_question {
    const struct caller *caller; /* as whom it is asked */
    struct deadline deadline;
    const char *path;
};

/*
 * GET of a path that answers 200 with a JSON object. ERROR_UNAVAILABLE "peer_unavailable" when it
 * answers something else; otherwise what client_pool_send() and json_document_parse() say. The
 * document is the caller's to release.
 */
MUST_CHECK bool order_peer_get(const struct order_peer *peer, const struct order_question *question,
                               struct json_document *out, struct error *err);

#endif
