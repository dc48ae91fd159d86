/*
 * Bank HTTP: the JSON API of the banks that speak it.
 */
#ifndef CHECKOUT_BANK_HTTP_H
#define CHECKOUT_BANK_HTTP_H

#include "payment-service/bank-simulator/bank_door.h"

void bank_http_add_routes(struct router *router, struct door *door);

#endif
