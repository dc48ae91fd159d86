/*
 * Patience: how long a test waits, and how long what it asks may take.
 *
 * The times in the tests are promised for a fast machine that does little else. TEST_SLOWDOWN says
 * by how many times they may be missed, as for the system tests: `./checkout test` measures it, and
 * sets more under a sanitizer. Who waits for a condition ends with it, however patient it is.
 */
#ifndef CHECKOUT_TESTS_UNIT_PATIENCE_H
#define CHECKOUT_TESTS_UNIT_PATIENCE_H

#include "shared/base/clock.h"

/* That many milliseconds, times TEST_SLOWDOWN (1 when it is not set). Any thread. */
int64_t patience_ms(int64_t ms);

/* It is over when they are. */
struct deadline patience_deadline(int64_t ms);

/* Whether what began then took less than that, times TEST_SLOWDOWN. */
bool patience_lasts(int64_t began_us, int64_t ms);

#endif
