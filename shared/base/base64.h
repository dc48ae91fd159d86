/*
 * Base64: bytes as text (RFC 4648), in the standard alphabet with padding (section 4) and in that
 * of URLs without (section 5).
 *
 * Reading is strict: bytes have one spelling. White space, missing padding, the other alphabet and
 * bits behind the end are refused.
 */
#ifndef CHECKOUT_BASE_BASE64_H
#define CHECKOUT_BASE_BASE64_H

#include "shared/base/text.h"

/* Room for the text of `length` bytes, its NUL included; enough for both alphabets. */
#define BASE64_SIZE(length) (((length) + 2) / 3 * 4 + 1)

/* Writes the text; `size` is at least BASE64_SIZE(bytes.length). */
void base64_encode(struct span bytes, char *out, size_t size);
void base64url_encode(struct span bytes, char *out, size_t size);

/* Writes the bytes, and how many they are; false when the text is none, or has more than `size`:
 * then what is in `out` means nothing. */
MUST_CHECK bool base64_decode(struct span text, uint8_t *out, size_t size, size_t *length);
MUST_CHECK bool base64url_decode(struct span text, uint8_t *out, size_t size, size_t *length);

#endif
