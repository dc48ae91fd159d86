#include "shared/runtime/crash_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "shared/base/text.h"
#include "shared/runtime/log.h"

#ifdef CHECKOUT_CRASH_POINTS

/* The bounds of the section that CRASH_POINT() fills; weak, for programs without any. */
extern const char *const __start_crash_points[] __attribute__((weak));
extern const char *const __stop_crash_points[] __attribute__((weak));

/* What CRASH_POINT asks for: "relay:before_position:3". */
struct wish {
    struct span point;
    int64_t passing;
};

/* False when nothing is asked for. What is no number behind the last colon belongs to the name. */
static bool read_wish(struct wish *out)
{
    const char *text = getenv("CRASH_POINT");

    if (text == NULL || text[0] == '\0')
        return false;
    const char *colon = strrchr(text, ':');
    *out = (struct wish){ span_of(text), 1 };
    if (colon != NULL && number_parse(span_of(colon + 1), &out->passing))
        out->point.length = (size_t)(colon - text);
    return true;
}

void crash_points_print(FILE *to)
{
    for (const char *const *at = __start_crash_points; at < __stop_crash_points; at++)
        fprintf(to, "%s\n", *at);
}

bool crash_points_check(struct error *err)
{
    struct wish wish;

    if (&__start_crash_points[0] == &__stop_crash_points[0] || !read_wish(&wish))
        return true;
    for (const char *const *at = __start_crash_points; at < __stop_crash_points; at++)
        if (span_equal(wish.point, span_of(*at)))
            return true;
    return error_set(err, ERROR_CONFIGURATION, "invalid_setting",
                     "CRASH_POINT names no crash point of this program; --crash-points lists them");
}

/* Passings of the one point that is asked for: a static, but of test builds only. */
static _Atomic int64_t passings;

void crash_point_pass(const char *point)
{
    struct wish wish;

    if (!read_wish(&wish) || !span_equal(wish.point, span_of(point)) ||
        atomic_fetch_add(&passings, 1) + 1 != wish.passing)
        return;
    log_error("crash point", LOG_TEXT("point", point), LOG_INTEGER("passing", wish.passing));
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause(); /* the signal is on its way: nothing may happen after the point */
}

#else

/* Nothing of it is in a program for others: no list, no variable that it would listen to. */
void crash_points_print(UNUSED FILE *to)
{
}

bool crash_points_check(UNUSED struct error *err)
{
    return true;
}

#endif
