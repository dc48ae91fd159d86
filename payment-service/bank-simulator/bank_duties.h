/*
 * Duties: a thread in which the bank does what it owes to do by itself - a slow refund is approved,
 * another one comes back, a customer disputes.
 */
#ifndef CHECKOUT_BANK_DUTIES_H
#define CHECKOUT_BANK_DUTIES_H

#include "payment-service/bank-simulator/bank_desk.h"

struct duties;

/* Starts its thread; borrows the desk. */
struct duties *duties_start(struct desk *desk);

/* Waits for the bite at hand, and frees it. Takes NULL. */
void duties_stop(struct duties *duties);

#endif
