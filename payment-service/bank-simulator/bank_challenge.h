/*
 * Challenge: the page on which a customer proves to be one (3-D Secure), or fails to.
 *
 * Plain HTML with a form for either; no script, and nothing from elsewhere. It needs no key: who
 * has the address may answer it, as with a bank that sends it to the customer's browser.
 */
#ifndef CHECKOUT_BANK_CHALLENGE_H
#define CHECKOUT_BANK_CHALLENGE_H

#include "payment-service/bank-simulator/bank_desk.h"
#include "shared/http/router.h"

void bank_challenge_add_routes(struct router *router, struct desk *desk);

#endif
