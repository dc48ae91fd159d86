/*
 * HMAC: a digest that only the holder of a key can make (HMAC-SHA-256, RFC 2104). Any thread, after
 * crypto_start().
 */
#ifndef CHECKOUT_CRYPTO_HMAC_H
#define CHECKOUT_CRYPTO_HMAC_H

#include "shared/crypto/hash.h"

/* A key may have any length. */
struct digest hmac_sha256(struct span key, struct span text);

#endif
