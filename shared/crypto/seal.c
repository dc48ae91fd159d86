#include "shared/crypto/seal.h"

#include <sodium.h>

#include "shared/crypto/hmac.h"

/* A random secret of that many characters can not be guessed, in whatever alphabet it is written.
 */
enum { SECRET_LENGTH_MIN = 32 };

enum {
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

_Static_assert(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key is the seal's");
_Static_assert(sizeof(struct seal_key) == sizeof(struct digest), "a digest makes a key");

bool seal_key_derive(struct span secret, const char *purpose, struct seal_key *out,
                     struct error *err)
{
    if (secret.length < SECRET_LENGTH_MIN)
        return error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                         "a secret to seal with has at least %d characters", SECRET_LENGTH_MIN);

    struct digest digest = hmac_sha256(secret, span_of(purpose));
    memcpy(out->bytes, digest.bytes, sizeof(out->bytes));
    memory_wipe(&digest, sizeof(digest));
    return true;
}

static const unsigned char *bytes_of(struct span span)
{
    return (const unsigned char *)span.at;
}

/* Random nonces of 24 bytes do not meet. */
void seal_close(const struct seal_key *key, struct span context, struct span text,
                struct buffer *out)
{
    buffer_reserve(out, NONCE_SIZE + text.length + TAG_SIZE);
    unsigned char *nonce = (unsigned char *)out->at + out->length;
    unsigned char *sealed = nonce + NONCE_SIZE;

    randombytes_buf(nonce, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, bytes_of(text), text.length,
                                               bytes_of(context), context.length, NULL, nonce,
                                               key->bytes);
    out->length += NONCE_SIZE + text.length + TAG_SIZE;
    out->at[out->length] = '\0';
}

bool seal_open(const struct seal_key *key, struct span context, struct span sealed,
               struct buffer *out)
{
    if (sealed.length < NONCE_SIZE + TAG_SIZE)
        return false;

    size_t length = sealed.length - NONCE_SIZE - TAG_SIZE;
    buffer_reserve(out, length);
    unsigned char *text = (unsigned char *)out->at + out->length;
    bool genuine = crypto_aead_xchacha20poly1305_ietf_decrypt(
                       text, NULL, NULL, bytes_of(sealed) + NONCE_SIZE, sealed.length - NONCE_SIZE,
                       bytes_of(context), context.length, bytes_of(sealed), key->bytes) == 0;

    if (genuine)
        out->length += length;
    out->at[out->length] = '\0';
    return genuine;
}
