/*
 * Exchange: one request to a bank and its answer, whatever language is spoken.
 *
 * What the connection alone tells is decided here: nobody there, or all clients at work, means that
 * nothing was done; silence, a broken connection or an answer without end mean that it is not
 * known.
 *
 * Any thread.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_EXCHANGE_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_EXCHANGE_H

#include "payment-service/gateway.h"

/* Bytes of the longest answer that is read. */
enum { GATEWAY_ANSWER_MAX = 65536 };

struct gateway_answer {
    int status; /* of HTTP */
    int64_t retry_after_s;
    struct buffer body;
};

#define GATEWAY_ANSWER_EMPTY ((struct gateway_answer){ .status = 0 })

void gateway_answer_release(struct gateway_answer *answer);

/*
 * Sends the request, whose place, authorization, limits and deadline are filled in here. When no
 * answer came, returns false with `nothing` or `unknown` in `out`.
 */
MUST_CHECK bool gateway_ask(const struct gateway *gateway, struct client_request *request,
                            struct gateway_answer *answer, struct gateway_result *out);

#endif
