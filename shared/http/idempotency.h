/*
 * Idempotency: the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header).
 *
 * 1 to 255 printable ASCII characters, bare (`abc-1`) or as the quoted string of structured fields
 * (`"abc-1"`, RFC 8941): both spell the same key.
 */
#ifndef CHECKOUT_HTTP_IDEMPOTENCY_H
#define CHECKOUT_HTTP_IDEMPOTENCY_H

#include "shared/base/error.h"

/* Writes the key without quotes into `out` of IDEMPOTENCY_KEY_MAX + 1 bytes; ERROR_MALFORMED
 * "idempotency_key_invalid". */
MUST_CHECK bool idempotency_key_parse(const char *header, char *out, struct error *err);

#endif
