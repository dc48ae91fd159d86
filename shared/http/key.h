/*
 * Key: GET /v1/key, what a caller's own API key is and may do.
 *
 * A client learns whether its key is good without touching an object, and a proxy in front whether
 * to let a request's body in; neither counts against the key's limit. Any key may ask, whatever its
 * scopes; the secret is never shown.
 */
#ifndef CHECKOUT_HTTP_KEY_H
#define CHECKOUT_HTTP_KEY_H

#include "shared/http/router.h"

void key_add_routes(struct router *router);

#endif
