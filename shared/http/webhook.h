/*
 * Webhook signatures, as Standard Webhooks 1.0 have them: HMAC-SHA-256 over "id.timestamp.body".
 *
 * A secret is "whsec_" and base64 of 24 to 64 bytes (the prefix may be missing). The signature
 * header lists one or more signatures with blanks between them, "v1,<base64>"; other versions are
 * passed over. Any thread.
 */
#ifndef CHECKOUT_HTTP_WEBHOOK_H
#define CHECKOUT_HTTP_WEBHOOK_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

/* How far its timestamp may be from now, in either direction. */
enum { WEBHOOK_TOLERANCE_S = 300 };

/* "v1," and 44 characters, and a NUL. */
enum { WEBHOOK_SIGNATURE_SIZE = 48 };

/* True for a secret that can be used. */
MUST_CHECK bool webhook_secret_check(const char *secret);

/* Our own bug when the secret can not be used. `timestamp_s` is in seconds since 1970. */
void webhook_sign(const char *secret, const char *id, int64_t timestamp_s, struct span body,
                  char out[WEBHOOK_SIGNATURE_SIZE]);

/* The headers as they came; NULL where one is missing. */
struct webhook_headers {
    const char *id, *timestamp, *signature;
};

/*
 * In constant time over all secrets (two while one replaces the other). ERROR_UNAUTHENTICATED
 * "webhook_signature_missing" (a header is missing or can not be read), "webhook_too_old" (or too
 * far ahead), "webhook_signature_invalid".
 */
MUST_CHECK bool webhook_verify(const char *const *secrets, size_t secret_count,
                               const struct webhook_headers *headers, struct span body,
                               struct instant now, struct error *err);

#endif
