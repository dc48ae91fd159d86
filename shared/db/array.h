/*
 * Array: one column of many writes, as a binary array of Postgres.
 *
 * The wire format (array_recv): dimensions, whether NULLs occur, the element's type, then length
 * and lower bound of the dimension, then each element with its length (-1 for NULL). Binary spares
 * both sides the quoting of JSON texts.
 */
#ifndef CHECKOUT_DB_ARRAY_H
#define CHECKOUT_DB_ARRAY_H

#include "shared/base/buffer.h"
#include "shared/db/parameters.h"

/* Starts an array of `count` elements. */
void array_begin(struct buffer *out, enum parameter_type type, size_t count);

void array_add(struct buffer *out, struct span value);
void array_add_null(struct buffer *out);
void array_add_integer(struct buffer *out, int64_t number);
void array_add_instant(struct buffer *out, struct instant instant);

#endif
