#include "shared/base/noise.h"

#include <errno.h>
#include <sys/random.h>

#include "shared/base/compiler.h"

/* 64 ids need one system call instead of 64. */
enum { POOL_SIZE = 1024 };

_Static_assert((int)NOISE_MAX <= (int)POOL_SIZE, "the pool would never have enough");

/* The calling thread's own, so nothing is shared. */
static _Thread_local struct {
    uint8_t bytes[POOL_SIZE];
    size_t left;
} pool;

static void pool_fill(void)
{
    size_t have = 0;

    while (have < POOL_SIZE) {
        ssize_t got = getrandom(pool.bytes + have, POOL_SIZE - have, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* a kernel without random bytes: every id would be a lie */
        if (got > 0)
            have += (size_t)got;
    }
    pool.left = POOL_SIZE;
}

void noise_fill(void *bytes, size_t size)
{
    assert(size <= NOISE_MAX);
    if (pool.left < size)
        pool_fill();
    pool.left -= size;
    memcpy(bytes, pool.bytes + pool.left, size);
}
