#include "shared/base/noise.h"

#include <pthread.h>
#include <string.h>

#include "tests/unit/table.h"

/* More than one pool holds. */
enum { TAKES = 200 };

struct takes {
    unsigned char at[TAKES][NOISE_MAX];
};

static void *take(void *ctx)
{
    struct takes *takes = ctx;

    for (size_t i = 0; i < TAKES; i++)
        noise_fill(takes->at[i], NOISE_MAX);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, NOISE_MAX);
}

static void no_bytes_come_twice_in_any_thread(UNUSED void **state)
{
    static struct takes takes[2];
    const unsigned char *all = &takes[0].at[0][0];
    pthread_t other;

    assert_int_equal(pthread_create(&other, NULL, take, &takes[1]), 0);
    (void)take(&takes[0]);
    assert_int_equal(pthread_join(other, NULL), 0);
    qsort(takes, (size_t)2 * TAKES, NOISE_MAX, compare);
    for (size_t i = 1; i < (size_t)2 * TAKES; i++)
        assert_true(compare(all + (i - 1) * NOISE_MAX, all + i * NOISE_MAX) < 0);
}

static void no_more_is_written_than_asked_for(UNUSED void **state)
{
    unsigned char bytes[NOISE_MAX + 1] = { 0 };

    for (size_t size = 0; size <= NOISE_MAX; size++) {
        bytes[size] = 0x5a;
        noise_fill(bytes, size);
        assert_int_equal(bytes[size], 0x5a);
    }
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, no_bytes_come_twice_in_any_thread);
    TABLE_ADD(&table, no_more_is_written_than_asked_for);
    return table_run(&table);
}
