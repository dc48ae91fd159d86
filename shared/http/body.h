/*
 * Body: a request's body, read whole or not at all.
 */
#ifndef CHECKOUT_HTTP_BODY_H
#define CHECKOUT_HTTP_BODY_H

#include "shared/http/exchange.h"

/*
 * Reads the body into exchange->body, after the 100 that the client may wait for. ERROR_MALFORMED
 * "body_incomplete" when less came than was announced or a chunk is broken, "body_timeout" when the
 * request's deadline passed; ERROR_TOO_LARGE when chunks exceed the limit.
 */
MUST_CHECK bool body_read(struct exchange *exchange, struct error *err);

#endif
