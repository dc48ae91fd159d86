/*
 * Payment workers: what goes on without a request.
 *
 *     reconcile   asks banks what became of attempts that have not ended, when they are due;
 *                 threads and instances share them, each claiming an attempt before it asks
 *     expire      gives up what waited too long: a challenge, a transfer, an authorization
 *     undo        gives back what nobody wants: orphans, and the payments of orders that have ended
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_WORKERS_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_WORKERS_H

#include "payment-service/payment_service.h"
#include "shared/events/worker.h"

/* Threads that reconcile: while one waits for a bank that does not answer, the others go on. */
enum { PAYMENT_RECONCILERS = 3 };

/* How often each looks for work. */
enum { PAYMENT_RECONCILE_EVERY_MS = 250, PAYMENT_EXPIRE_EVERY_MS = 1000 };

/* Adds them to the backbone; the service is borrowed for its life. */
void payment_workers_add(struct payment_service *service);

#endif
