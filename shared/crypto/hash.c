#include "shared/crypto/hash.h"

#include <sodium.h>

_Static_assert(sizeof(struct digest) == crypto_hash_sha256_BYTES, "a digest is SHA-256's");

bool crypto_start(void)
{
    return sodium_init() >= 0; /* 1: it was initialised before */
}

struct digest hash_sha256(struct span span)
{
    struct digest digest;

    crypto_hash_sha256(digest.bytes, (const unsigned char *)span.at, span.length);
    return digest;
}

struct digest_text digest_text(struct digest digest)
{
    struct digest_text out;

    sodium_bin2hex(out.text, sizeof(out.text), digest.bytes, sizeof(digest.bytes));
    return out;
}

bool digest_parse(struct span text, struct digest *out)
{
    struct digest digest;
    size_t length;
    const char *end;

    if (text.length != 2 * sizeof(digest.bytes) ||
        sodium_hex2bin(digest.bytes, sizeof(digest.bytes), text.at, text.length, NULL, &length,
                       &end) != 0)
        return false;
    if (length != sizeof(digest.bytes) || end != text.at + text.length)
        return false;
    *out = digest;
    return true;
}

bool digest_equal(struct digest a, struct digest b)
{
    return sodium_memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

void random_fill(void *bytes, size_t length)
{
    randombytes_buf(bytes, length);
}

uint32_t random_below(uint32_t bound)
{
    assert(bound > 0);
    return randombytes_uniform(bound);
}
