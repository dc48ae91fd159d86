/*
 * Banned: calls that lose a length, an error or a thread. Use of one does not compile.
 *
 * Bounded text is made with text_copy() and text_format(), growing text with struct buffer; numbers
 * are read with number_parse().
 */
#ifndef CHECKOUT_BASE_BANNED_H
#define CHECKOUT_BASE_BANNED_H

/* The headers that declare them come first: poisoned names may not be declared any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With clang, fortified headers make macros of some of them, which may not be poisoned. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat strtok sprintf vsprintf gets
#pragma GCC poison atoi atol atoll atof asctime ctime gmtime localtime

#endif
