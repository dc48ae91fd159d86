/*
 * JSON gateway: banks that speak the JSON API of bank-simulator/README.md.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_JSON_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_JSON_H

#include "payment-service/gateway.h"

extern const struct gateway_protocol gateway_json;

#endif
