/*
 * Turns: whoever works on a payment does so alone.
 *
 * Payments share TURNS queues by the end of their references, so some wait for others now and then.
 * Any thread.
 */
#ifndef CHECKOUT_BANK_TURNS_H
#define CHECKOUT_BANK_TURNS_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"

enum { TURNS = 256 };

struct turns;

struct turns *turns_create(void);

/* Nobody may have a turn any more. Takes NULL. */
void turns_destroy(struct turns *turns);

/* Waits for the turn; ERROR_DEADLINE when it did not come in time. Give it back. */
MUST_CHECK bool turns_take(struct turns *turns, struct id payment, struct deadline deadline,
                           struct error *err);
void turns_give_back(struct turns *turns, struct id payment);

#endif
