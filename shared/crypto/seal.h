/*
 * Seal: text that only the holder of a key can read or make (XChaCha20-Poly1305, libsodium). Any
 * thread, after crypto_start().
 *
 * What is sealed is bound to a context, such as the id of the row it stands in: it opens nowhere
 * else.
 */
#ifndef CHECKOUT_CRYPTO_SEAL_H
#define CHECKOUT_CRYPTO_SEAL_H

#include "shared/base/buffer.h"
#include "shared/base/error.h"

enum { SEAL_KEY_SIZE = 32 };

struct seal_key {
    uint8_t bytes[SEAL_KEY_SIZE];
};

/* Makes a key of a secret text of 32 characters or more, one for each `purpose` (a literal).
 * ERROR_CONFIGURATION when the secret is shorter. */
MUST_CHECK bool seal_key_derive(struct span secret, const char *purpose, struct seal_key *out,
                                struct error *err);

/* Appends nonce and ciphertext to `out`. */
void seal_close(const struct seal_key *key, struct span context, struct span text,
                struct buffer *out);

/* Appends the text to `out`; false when it was not sealed with this key and context. */
MUST_CHECK bool seal_open(const struct seal_key *key, struct span context, struct span sealed,
                          struct buffer *out);

#endif
