#include "shared/http/webhook.h"

#include "shared/base/base64.h"
#include "shared/base/buffer.h"
#include "shared/crypto/hmac.h"

#define SECRET_PREFIX    "whsec_"
#define SIGNATURE_PREFIX "v1,"

/* Bytes of a key: what Standard Webhooks recommends. */
enum { KEY_MIN = 24, KEY_MAX = 64 };

_Static_assert(WEBHOOK_SIGNATURE_SIZE ==
                   sizeof(SIGNATURE_PREFIX) - 1 + BASE64_SIZE(sizeof(struct digest)),
               "a signature is its version and a digest");

struct key {
    uint8_t bytes[KEY_MAX];
    size_t length;
};

static bool read_key(const char *secret, struct key *out)
{
    size_t prefix = strlen(SECRET_PREFIX);

    if (strncmp(secret, SECRET_PREFIX, prefix) == 0)
        secret += prefix;
    return base64_decode(span_of(secret), out->bytes, sizeof(out->bytes), &out->length) &&
           out->length >= KEY_MIN;
}

bool webhook_secret_check(const char *secret)
{
    struct key key;

    return read_key(secret, &key);
}

static void sign(const char *secret, struct span content, char out[WEBHOOK_SIGNATURE_SIZE])
{
    struct key key;
    bool usable = read_key(secret, &key);

    assert(usable);
    struct digest digest =
        hmac_sha256((struct span){ (const char *)key.bytes, key.length }, content);
    text_copy(out, WEBHOOK_SIGNATURE_SIZE, SIGNATURE_PREFIX);
    base64_encode((struct span){ (const char *)digest.bytes, sizeof(digest.bytes) },
                  out + strlen(SIGNATURE_PREFIX),
                  WEBHOOK_SIGNATURE_SIZE - strlen(SIGNATURE_PREFIX));
}

static void write_content(struct buffer *out, const char *id, const char *timestamp,
                          struct span body)
{
    buffer_append_format(out, "%s.%s.", id, timestamp);
    buffer_append_span(out, body);
}

void webhook_sign(const char *secret, const char *id, int64_t timestamp_s, struct span body,
                  char out[WEBHOOK_SIGNATURE_SIZE])
{
    AUTO(buffer_release) struct buffer content = BUFFER_EMPTY;
    char timestamp[24];

    text_format(timestamp, sizeof(timestamp), "%lld", (long long)timestamp_s);
    write_content(&content, id, timestamp, body);
    sign(secret, buffer_span(&content), out);
}

/* Whether a list of signatures with blanks between holds this one; all of it is looked at. */
static bool lists(const char *list, const char *signature)
{
    bool found = false;

    for (; *list != '\0'; list += strspn(list, " ")) {
        struct span listed = { list, strcspn(list, " ") };
        found |= text_equal_constant_time(listed, span_of(signature));
        list += listed.length;
    }
    return found;
}

static bool is_empty(const char *header)
{
    return !header || header[0] == '\0';
}

static bool check_time(const char *timestamp, struct instant now, struct error *err)
{
    int64_t now_s = now.ms / 1000;
    int64_t at_s;

    if (!number_parse(span_of(timestamp), &at_s))
        return error_set(err, ERROR_UNAUTHENTICATED, "webhook_signature_missing",
                         "webhook-timestamp has to be in seconds since 1970.");
    if (at_s < now_s - WEBHOOK_TOLERANCE_S || at_s > now_s + WEBHOOK_TOLERANCE_S)
        return error_set(err, ERROR_UNAUTHENTICATED, "webhook_too_old",
                         "webhook-timestamp is more than %d s from now.", WEBHOOK_TOLERANCE_S);
    return true;
}

bool webhook_verify(const char *const *secrets, size_t secret_count,
                    const struct webhook_headers *headers, struct span body, struct instant now,
                    struct error *err)
{
    AUTO(buffer_release) struct buffer content = BUFFER_EMPTY;
    bool genuine = false;

    if (is_empty(headers->id) || is_empty(headers->timestamp) || is_empty(headers->signature))
        return error_set(err, ERROR_UNAUTHENTICATED, "webhook_signature_missing",
                         "webhook-id, webhook-timestamp and webhook-signature are needed.");
    if (!check_time(headers->timestamp, now, err))
        return false;
    write_content(&content, headers->id, headers->timestamp, body);
    for (size_t i = 0; i < secret_count; i++) {
        char signature[WEBHOOK_SIGNATURE_SIZE];

        sign(secrets[i], buffer_span(&content), signature);
        genuine |= lists(headers->signature, signature);
    }
    return genuine || error_set(err, ERROR_UNAUTHENTICATED, "webhook_signature_invalid",
                                "No signature fits the body, its id and its time.");
}
