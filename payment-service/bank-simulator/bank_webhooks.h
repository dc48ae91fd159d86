/*
 * Webhooks: what the bank tells by itself, until it is taken.
 *
 * Their queue is a table, written with the entries that they tell of, so that none is lost when the
 * process dies; one whose answer was not written down yet is posted again then. WEBHOOK_WORKERS
 * threads post what is due. Whatever is not answered with 2xx is due again later, ten times at
 * most; 410 ends it. A forged one is posted once: nobody owes an answer to it.
 *
 * Any thread.
 */
#ifndef CHECKOUT_BANK_WEBHOOKS_H
#define CHECKOUT_BANK_WEBHOOKS_H

#include "payment-service/bank-simulator/bank_desk.h"
#include "payment-service/bank-simulator/bank_letter.h"

enum { WEBHOOK_WORKERS = 8 };

struct webhooks;

/* Borrows both. Starts nothing yet. */
struct webhooks *webhooks_create(const struct bank_book *book, struct letters *letters);

/* Takes NULL; the workers have ended. */
void webhooks_destroy(struct webhooks *webhooks);

void webhooks_start(struct webhooks *webhooks);

/* Lets the workers finish the posts at hand, and ends them. May be called again. */
void webhooks_stop(struct webhooks *webhooks);

/* For the desk. */
struct bank_post webhooks_post(struct webhooks *webhooks);

#endif
