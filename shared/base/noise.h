/*
 * Noise: random bytes for what must be unique and is no secret, such as ids and traces.
 *
 * Each thread fetches many at once: every request needs some dozens, and a system call for each few
 * of them would cost more than writing its answer. Bytes are used once, but lie in memory before;
 * for keys, codes and nonces there is random_fill() (shared/crypto/hash.h). A process that forks
 * must not go on using noise in the child.
 */
#ifndef CHECKOUT_BASE_NOISE_H
#define CHECKOUT_BASE_NOISE_H

#include <stddef.h>

/* At most this many bytes at once. */
enum { NOISE_MAX = 64 };

/* Fills `bytes`; ends the process where the kernel has no randomness. Any thread. */
void noise_fill(void *bytes, size_t size);

#endif
