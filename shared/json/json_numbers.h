/*
 * JSON numbers: those that are too large for 64 bits, made readable.
 *
 * The library refuses a whole document for one of them, and could not say which field it is. So
 * they are replaced by a number that is as impossible, and the reader of that field refuses it.
 * Inside shared/json only.
 */
#ifndef CHECKOUT_JSON_JSON_NUMBERS_H
#define CHECKOUT_JSON_JSON_NUMBERS_H

#include "shared/base/buffer.h"

/* Stands for a number beyond all bounds. */
#define JSON_NUMBER_BEYOND       "1e300"
#define JSON_NUMBER_BEYOND_VALUE 1e300

/*
 * Appends the text to `out`, with every number outside strings that does not fit replaced. What is
 * no number of RFC 8259 stays, for the parser to refuse.
 */
void json_numbers_replace(struct span text, struct buffer *out);

#endif
