/*
 * Credentials: what an Authorization header says, before anybody believes it.
 */
#ifndef CHECKOUT_HTTP_CREDENTIALS_H
#define CHECKOUT_HTTP_CREDENTIALS_H

#include "shared/base/error.h"
#include "shared/crypto/hash.h"
#include "shared/http/access.h"

struct credentials {
    char key_id[ACCESS_KEY_ID_MAX + 1];
    struct digest secret_hash;
};

/*
 * Reads "Bearer ck_<key id>_<secret>" (RFC 6750; the scheme in either case).
 * ERROR_UNAUTHENTICATED "key_missing" for NULL, "key_malformed" otherwise.
 */
MUST_CHECK bool credentials_parse(const char *authorization, struct credentials *out,
                                  struct error *err);

/* True if a key, good or not, stands anywhere in the text; writes the id of the first. */
bool credentials_find_key(const char *text, char key_id[ACCESS_KEY_ID_MAX + 1]);

#endif
