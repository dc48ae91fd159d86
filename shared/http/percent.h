/*
 * Percent: the encoding of bytes in URIs (RFC 3986, section 2.1).
 */
#ifndef CHECKOUT_HTTP_PERCENT_H
#define CHECKOUT_HTTP_PERCENT_H

#include "shared/base/buffer.h"
#include "shared/base/text.h"

/* The byte that stands encoded at `at` ("%2F" is 47), or -1; reads up to three characters. */
int percent_byte(const char *at);

/*
 * Decodes into `out`, always terminated; '+' is a blank where `plus_is_blank`. False when a '%' is
 * not followed by two digits, the result does not fit, is not UTF-8 or has a NUL.
 */
MUST_CHECK bool percent_decode(struct span text, bool plus_is_blank, char *out, size_t size);

/* Appends the text so that it is one segment of a path: all but unreserved characters encoded. */
void percent_encode(struct span text, struct buffer *out);

#endif
