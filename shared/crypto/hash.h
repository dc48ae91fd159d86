/*
 * Hash: SHA-256 (FIPS 180-4) and random bytes. Any thread, after
 * crypto_start().
 */
#ifndef CHECKOUT_CRYPTO_HASH_H
#define CHECKOUT_CRYPTO_HASH_H

#include "shared/base/text.h"

struct digest {
    uint8_t bytes[32];
};

/* 64 hexadecimal digits and a NUL. */
struct digest_text {
    char text[65];
};

/* Once, before threads; false when the library cannot be used. */
MUST_CHECK bool crypto_start(void);

struct digest hash_sha256(struct span span);

/* The digest in lower-case hexadecimal. */
struct digest_text digest_text(struct digest digest);

/* Reads 64 hexadecimal digits, in either case. */
MUST_CHECK bool digest_parse(struct span text, struct digest *out);

/* In constant time. */
bool digest_equal(struct digest a, struct digest b);

/* From the system's random source. */
void random_fill(void *bytes, size_t length);

/* A number below `bound` (1 or more), without bias. */
uint32_t random_below(uint32_t bound);

#endif
