/*
 * Control HTTP: /control, for tests and demonstrations. It has a key of its own.
 */
#ifndef CHECKOUT_BANK_CONTROL_HTTP_H
#define CHECKOUT_BANK_CONTROL_HTTP_H

#include "payment-service/bank-simulator/bank_calls.h"
#include "payment-service/bank-simulator/bank_door.h"
#include "payment-service/bank-simulator/bank_letter.h"
#include "shared/http/router.h"

/* All borrowed; lives as long as the router. */
struct control {
    const char *key;
    struct desk *desk;
    struct door *door;
    struct faults *faults;
    struct calls *calls;
    struct letters *letters;
};

void bank_control_http_add_routes(struct router *router, struct control *control);

#endif
