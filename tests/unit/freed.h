/*
 * Freed: whether memory that is given back still holds something.
 *
 * A test that is linked with `unit_freed` has every free() of its objects looked at. What a
 * function of the C library frees by itself, as realloc() does, is not seen, nor what other threads
 * free.
 */
#ifndef CHECKOUT_TESTS_UNIT_FREED_H
#define CHECKOUT_TESTS_UNIT_FREED_H

#include "shared/base/text.h"

/* Starts to look for these bytes, which stay the caller's. */
void freed_watch(struct span bytes);

/* How many pieces of memory were freed with them since. Ends watching. */
int freed_found(void);

#endif
