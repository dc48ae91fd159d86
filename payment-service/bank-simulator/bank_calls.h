/*
 * Calls: what came in, for those who have to know it afterwards.
 *
 * A ring of the last CALLS_MAX calls, in the order in which they came. Nothing of a card is in it.
 * Any thread.
 */
#ifndef CHECKOUT_BANK_CALLS_H
#define CHECKOUT_BANK_CALLS_H

#include "payment-service/bank-simulator/bank.h"

enum { CALLS_MAX = 10000, CALL_ANSWER_SIZE = 12 };

struct call {
    struct instant at;
    const struct bank *bank;
    char account[BANK_ACCOUNT_SIZE];
    enum bank_operation operation;
    struct id reference;             /* all zero: it could not be read, or has none */
    struct id authorization;         /* the same */
    struct money money;              /* 0 and "" where there is none */
    const char *fault;               /* that struck it, a literal; or NULL */
    char answered[CALL_ANSWER_SIZE]; /* "201", "lost", "held", "reset"; "" while it runs */
    bool effect;
};

struct calls;

struct calls *calls_create(void);

/* Takes NULL. */
void calls_destroy(struct calls *calls);

/* Adds one, as far as it is known; what is returned is for calls_tell(). */
int64_t calls_add(struct calls *calls, const struct call *call);

/* Says the rest, unless the call is forgotten by now. */
void calls_tell(struct calls *calls, int64_t number, const struct call *call);

void calls_forget(struct calls *calls);

/* Calls `visit` for each, the oldest first, with the lock held: it must not call back. */
void calls_each(struct calls *calls, void (*visit)(void *ctx, const struct call *call), void *ctx);

#endif
