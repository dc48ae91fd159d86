/*
 * A wrong clock, for one process: preloaded into it, its calendar is CLOCK_AHEAD_S seconds ahead
 * (or behind, if negative). Its stopwatch is not touched: setting a clock does not move it either.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
    const char *ahead_s = getenv("CLOCK_AHEAD_S");
    long failed = syscall(SYS_clock_gettime, clock, out);

    if (!failed && clock == CLOCK_REALTIME && ahead_s)
        out->tv_sec += strtol(ahead_s, NULL, 10);
    return (int)failed;
}
