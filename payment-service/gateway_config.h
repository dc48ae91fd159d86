/*
 * Gateway configuration: which banks there are, in the order in which they are asked.
 *
 *     [{"name": "bank-a", "protocol": "json", "origins": "http://127.0.0.1:8084",
 *       "path": "/bank-a/v1", "currencies": ["EUR", "USD", "GBP"],
 *       "methods": ["card", "bank_transfer"], "amount_min": 1, "amount_max": 1000000000,
 *       "key_file": "/run/secrets/bank-a-key",
 *       "webhook_secret_files": ["/run/secrets/bank-a-hook"],
 *       "timeouts": {"authorize_ms": 2500, "capture_ms": 2500, "void_ms": 2500,
 *                    "refund_ms": 2500, "look_up_ms": 2000},
 *       "breaker": {"window_ms": 10000, "calls_min": 5, "error_percent": 50,
 *                   "open_ms": 5000, "probes": 1}}]
 *
 * "currencies" may be "*". name, protocol, origins, path, currencies, key_file and
 * webhook_secret_files are required. Unknown fields are refused.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_CONFIG_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_CONFIG_H

#include "payment-service/circuit_breaker.h"
#include "payment-service/gateway.h"

enum { GATEWAYS_MAX = 8 };

struct gateway_entry {
    struct gateway gateway;
    struct breaker_settings breaker;
};

struct gateway_config {
    size_t count;
    struct gateway_entry entries[GATEWAYS_MAX];
};

/*
 * Reads the JSON text and the files it names; each gateway gets `clients`. ERROR_CONFIGURATION says
 * which entry and which field is wrong. Before threads.
 */
MUST_CHECK bool gateway_config_read(struct span text, struct client_pool *clients,
                                    struct gateway_config *out, struct error *err);

#endif
