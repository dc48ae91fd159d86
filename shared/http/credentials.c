#include "shared/http/credentials.h"

#include <strings.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Shorter secrets could be guessed. */
enum { SECRET_MIN = 32 };

/* Moves behind the prefix. */
static bool skip(const char **at, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*at, prefix, length) != 0)
        return false;
    *at += length;
    return true;
}

/* The scheme, in either case, and the blanks behind it. */
static bool skip_scheme(const char **at)
{
    static const char scheme[] = "Bearer";
    size_t length = sizeof(scheme) - 1;

    if (strncasecmp(*at, scheme, length) != 0 || (*at)[length] != ' ')
        return false;
    *at += length + strspn(*at + length, " ");
    return true;
}

/* Takes min to max of the characters. */
static bool take(const char **at, const char *characters, size_t min, size_t max, struct span *out)
{
    *out = (struct span){ *at, strspn(*at, characters) };
    *at += out->length;
    return out->length >= min && out->length <= max;
}

/* ck_<key id>_<secret>, and moves behind it. */
static bool take_key(const char **at, struct span *key_id, struct span *secret)
{
    return skip(at, "ck_") && take(at, LOWER DIGITS, 1, ACCESS_KEY_ID_MAX, key_id) &&
           skip(at, "_") && take(at, LOWER UPPER DIGITS, SECRET_MIN, ACCESS_SECRET_MAX, secret);
}

bool credentials_find_key(const char *text, char key_id[ACCESS_KEY_ID_MAX + 1])
{
    struct span id, secret;

    for (const char *at = strstr(text, "ck_"); at; at = strstr(at + 1, "ck_")) {
        const char *end = at;
        if (take_key(&end, &id, &secret))
            return text_copy_span(key_id, ACCESS_KEY_ID_MAX + 1, id);
    }
    return false;
}

bool credentials_parse(const char *authorization, struct credentials *out, struct error *err)
{
    struct span key_id, secret;
    const char *at = authorization;

    if (!authorization)
        return error_set(err, ERROR_UNAUTHENTICATED, "key_missing",
                         "An API key is needed: Authorization: Bearer ck_<key id>_<secret>.");
    if (!skip_scheme(&at) || !take_key(&at, &key_id, &secret) || at[strspn(at, " \t")] != '\0')
        return error_set(
            err, ERROR_UNAUTHENTICATED, "key_malformed",
            "This is not Authorization: Bearer ck_<key id>_<secret>. Send the key whole, "
            "as it was shown when it was made.");
    text_copy_span(out->key_id, sizeof(out->key_id), key_id);
    out->secret_hash = hash_sha256(secret);
    return true;
}
