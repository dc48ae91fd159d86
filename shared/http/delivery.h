/*
 * Delivery: an answer on its way to the client.
 */
#ifndef CHECKOUT_HTTP_DELIVERY_H
#define CHECKOUT_HTTP_DELIVERY_H

#include "shared/http/exchange.h"

/*
 * Writes exchange->reply, and closes the connection behind it where exchange->closes says so. A
 * reply that is not to be sent (reply->fate) only ends the connection.
 */
void delivery_send(struct exchange *exchange);

#endif
