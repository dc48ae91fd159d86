#include "shared/http/idempotency.h"

#include "shared/http/request.h"

static bool refuse(struct error *err)
{
    return error_set(err, ERROR_MALFORMED, "idempotency_key_invalid",
                     "Idempotency-Key has 1 to %d printable ASCII characters, bare or in quotes.",
                     IDEMPOTENCY_KEY_MAX);
}

static bool is_printable(char byte)
{
    return byte >= 0x20 && byte <= 0x7e;
}

/* Behind the opening quote: unescapes up to the closing one, which must be the end (RFC 8941). */
static bool unquote(const char *at, const char *end, char *out, size_t *length)
{
    *length = 0;
    for (; at < end && *at != '"'; at++) {
        if (*at == '\\') {
            at++;
            if (at == end || (*at != '"' && *at != '\\'))
                return false;
        }
        if (!is_printable(*at) || *length == IDEMPOTENCY_KEY_MAX)
            return false;
        out[(*length)++] = *at;
    }
    return at + 1 == end;
}

static bool copy_bare(const char *at, const char *end, char *out, size_t *length)
{
    *length = 0;
    for (; at < end; at++) {
        if (!is_printable(*at) || *length == IDEMPOTENCY_KEY_MAX)
            return false;
        out[(*length)++] = *at;
    }
    return true;
}

bool idempotency_key_parse(const char *header, char *out, struct error *err)
{
    char key[IDEMPOTENCY_KEY_MAX];
    size_t length;
    const char *at = header + strspn(header, " \t");
    const char *end = at + strlen(at);

    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (!(*at == '"' ? unquote(at + 1, end, key, &length) : copy_bare(at, end, key, &length)) ||
        length == 0)
        return refuse(err);
    memcpy(out, key, length);
    out[length] = '\0';
    return true;
}
