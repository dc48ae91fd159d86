#include "tests/unit/patience.h"

#include <stdlib.h>

int64_t patience_ms(int64_t ms)
{
    const char *slowdown = getenv("TEST_SLOWDOWN");
    int64_t times = slowdown ? strtol(slowdown, NULL, 10) : 1;

    return ms * (times > 1 ? times : 1);
}

struct deadline patience_deadline(int64_t ms)
{
    return deadline_in_ms(patience_ms(ms));
}

bool patience_lasts(int64_t began_us, int64_t ms)
{
    return (clock_monotonic_us() - began_us) / 1000 < patience_ms(ms);
}
