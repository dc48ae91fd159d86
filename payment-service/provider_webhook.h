/*
 * Provider webhook: what a bank tells by itself.
 *
 * It addresses an attempt by its reference, is signed, and may come late, twice, out of order or
 * before the answer to the call: what it says goes the way of every answer (payment_conclude.h). It
 * is answered 204 when it was taken, or was nothing to us; what is answered otherwise changed
 * nothing. Any thread.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PROVIDER_WEBHOOK_H
#define CHECKOUT_PAYMENT_SERVICE_PROVIDER_WEBHOOK_H

#include "payment-service/payment_service.h"

/* Where a webhook was sent to. */
struct provider_address {
    char gateway[GATEWAY_NAME_SIZE];
    char merchant[PAYMENT_MERCHANT_SIZE];
};

/*
 * ERROR_NOT_FOUND "gateway_not_found" or "attempt_not_found" (of another merchant or bank, too); as
 * gateway_protocol.parse_webhook(); ERROR_VALIDATION at /operation when it speaks of another
 * operation or amount.
 */
MUST_CHECK bool provider_webhook_take(const struct payment_service *service,
                                      const struct provider_address *address,
                                      const struct gateway_webhook *webhook,
                                      struct deadline deadline, struct error *err);

#endif
