#include "shared/crypto/hmac.h"

#include <sodium.h>

_Static_assert(sizeof(struct digest) == crypto_auth_hmacsha256_BYTES, "a digest is HMAC's");

struct digest hmac_sha256(struct span key, struct span text)
{
    crypto_auth_hmacsha256_state state;
    struct digest digest;

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.at, key.length);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.at, text.length);
    crypto_auth_hmacsha256_final(&state, digest.bytes);
    sodium_memzero(&state, sizeof(state)); /* it stands for the key */
    return digest;
}
