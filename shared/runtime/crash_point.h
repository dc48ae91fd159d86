/*
 * Crash point: a place with a name where a test ends the process, as kill -9 would.
 *
 *     CRASH_POINT("journal:before_answer");
 *
 * A kill at a random moment seldom falls between two lines that stand next to each other; a crash
 * point always does. It is there only in a build with -Dcrash_points=true, and nothing at all in
 * any other. In such a build the environment variable CRASH_POINT names one point: the process logs
 * "crash point" and dies by SIGKILL where it comes by, or at the n-th time with ":n" behind the
 * name.
 * `<service> --crash-points` prints the names of all points, so that a test can hit each of them;
 * a program of any other build prints nothing.
 *
 * Names are "<room>:<moment>", unique, and stand between an effect and what must follow it.
 */
#ifndef CHECKOUT_RUNTIME_CRASH_POINT_H
#define CHECKOUT_RUNTIME_CRASH_POINT_H

#include <stdio.h>

#include "shared/base/error.h"

/* Prints the name of every point of the program, one per line. */
void crash_points_print(FILE *to);

/* That CRASH_POINT, if it is set, names a point of this program: a misspelt one is never hit. */
MUST_CHECK bool crash_points_check(struct error *err);

#ifdef CHECKOUT_CRASH_POINTS

/* Ends the process if it is `point` that CRASH_POINT names, and this its time. Any thread. */
void crash_point_pass(const char *point);

/* A block of its own in a section of the program, which makes the list; see STATEMENT(). */
#define CRASH_POINT(name)                                                                        \
    do {                                                                                         \
        static const char *const listed __attribute__((section("crash_points"), used, retain)) = \
            name;                                                                                \
        crash_point_pass(listed);                                                                \
    } while (0)

#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
