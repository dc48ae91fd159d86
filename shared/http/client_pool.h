/*
 * Client pool: HTTP clients that threads borrow for one request.
 *
 * A peer that does not answer must not hold every thread of this process: at most `size` requests
 * are under way at once, and whoever comes then is refused at once instead of waiting.
 *
 * Any thread.
 */
#ifndef CHECKOUT_HTTP_CLIENT_POOL_H
#define CHECKOUT_HTTP_CLIENT_POOL_H

#include "shared/http/client.h"

struct client_pool;

struct client_pool *client_pool_create(size_t size);

/* Nobody may hold a client any more. Takes NULL. */
void client_pool_destroy(struct client_pool *pool);

/* client_send() with a client of the pool; ERROR_OVERLOADED "peer_busy" when none is free. */
MUST_CHECK bool client_pool_send(struct client_pool *pool, const struct client_request *request,
                                 int *status, struct buffer *answer, struct error *err);

#endif
