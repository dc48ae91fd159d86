/*
 * Compiler: what the language leaves unsaid about a function or a variable.
 */
#ifndef CHECKOUT_BASE_COMPILER_H
#define CHECKOUT_BASE_COMPILER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/banned.h"

/* The result says whether it worked; who ignores it does not compile. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Arguments from `first` on (0: a va_list) are checked against the format at `at`. */
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

/* Releases the variable with `release(&variable)` when it goes out of scope. */
#define AUTO(release) __attribute__((cleanup(release)))

#define UNUSED __attribute__((unused))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
