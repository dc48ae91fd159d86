/*
 * Voucher use HTTP: the routes by which vouchers are validated, reserved, released, redeemed,
 * rolled back and voided. Answers show the code masked: who asks by the code knows it.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_USE_HTTP_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_USE_HTTP_H

#include "voucher-service/voucher_service.h"

/* The service is borrowed for the backbone's life. */
void voucher_use_http_add_routes(struct backbone *backbone, struct voucher_service *service);

#endif
