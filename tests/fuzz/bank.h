/*
 * Bank: what banks say, in whatever protocol.
 *
 * A webhook is signed by the target, so that it is read; an answer is what the linker makes of
 * gateway_ask(), so nothing is sent.
 */
#ifndef CHECKOUT_TESTS_FUZZ_BANK_H
#define CHECKOUT_TESTS_FUZZ_BANK_H

#include "payment-service/gateway.h"

/* The body as a webhook of account "demo". */
void fuzz_webhook(const struct gateway_protocol *protocol, const char *content_type,
                  struct span body);

/* The body as an answer to what a bank may be asked, with several statuses. */
void fuzz_answer(const struct gateway_protocol *protocol, struct span body);

#endif
