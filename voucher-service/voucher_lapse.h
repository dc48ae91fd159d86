/*
 * Voucher lapse: ends reservations whose time is over, once no order for them can come any more.
 *
 * An order is made only while its reservation certainly holds. So after a reservation's time is
 * over, the order log holds every order that was made with it - but our consumer may not have read
 * that far: it may be late by an hour. Therefore
 *
 *     1  by this database's clock, the time of some reservations is over
 *     2  the head of the order log is fetched from order-service
 *     3  what was over at 1 lapses when the consumer's position has reached that head
 *
 * What is redeemed by then is not reserved any more. While order-service is away nothing lapses.
 *
 * Every instance runs it. Two that find the same voucher both try, and the version decides, so no
 * lease is needed; who extends the reservation meanwhile is faster in the same way.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_LAPSE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_LAPSE_H

#include "voucher-service/voucher_service.h"

/* How late a reservation lapses at worst while nothing else is. */
enum { VOUCHER_LAPSE_EVERY_MS = 1000 };

struct voucher_lapse;

/* `orders` is where the order log is; both are borrowed for its life. */
struct voucher_lapse *voucher_lapse_create(struct voucher_service *service,
                                           const struct feed_source *orders);

/* Takes NULL. */
void voucher_lapse_destroy(struct voucher_lapse *lapse);

/* The worker for backbone_add_worker(). */
struct work voucher_lapse_work(struct voucher_lapse *lapse);

#endif
