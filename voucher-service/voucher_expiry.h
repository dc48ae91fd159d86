/*
 * Voucher expiry: ends vouchers that nobody used in time.
 *
 * Every instance runs it. Two that find the same voucher both try, and the version decides, so no
 * lease is needed.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_EXPIRY_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_EXPIRY_H

#include "voucher-service/voucher_service.h"

/* How late a voucher expires at worst while the service is idle. */
enum { VOUCHER_EXPIRY_EVERY_MS = 1000 };

/* The worker for backbone_add_worker(); the service is borrowed for its life. */
struct work voucher_expiry_work(struct voucher_service *service);

#endif
