#include "shared/base/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Writes the digits without padding and terminates them; their number. */
static size_t encode(const char *digits, struct span bytes, char *out, size_t size)
{
    unsigned bits = 0;
    unsigned held = 0; /* how many of them are not written yet */
    size_t length = 0;

    assert(size >= BASE64_SIZE(bytes.length));
    for (size_t i = 0; i < bytes.length; i++) {
        bits = bits << 8 | (unsigned char)bytes.at[i];
        held += 8;
        while (held >= 6) {
            held -= 6;
            out[length++] = digits[bits >> held & 63];
        }
    }
    if (held > 0)
        out[length++] = digits[bits << (6 - held) & 63];
    out[length] = '\0';
    return length;
}

void base64_encode(struct span bytes, char *out, size_t size)
{
    size_t length = encode(standard, bytes, out, size);

    while (length % 4 != 0)
        out[length++] = '=';
    out[length] = '\0';
}

void base64url_encode(struct span bytes, char *out, size_t size)
{
    encode(url, bytes, out, size);
}

/* Reads digits without padding. */
static bool decode(const char *digits, struct span text, uint8_t *out, size_t size, size_t *length)
{
    size_t count = text.length / 4 * 3 + (text.length % 4 * 6) / 8;
    unsigned bits = 0;
    unsigned held = 0;
    size_t written = 0;

    if (text.length % 4 == 1 || count > size)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        const char *digit = text.at[i] == '\0' ? NULL : strchr(digits, text.at[i]);
        if (!digit)
            return false;
        bits = bits << 6 | (unsigned)(digit - digits);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[written++] = (uint8_t)(bits >> held);
        }
    }
    if (bits & ((1U << held) - 1)) /* another spelling of the same bytes */
        return false;
    *length = written;
    return true;
}

bool base64_decode(struct span text, uint8_t *out, size_t size, size_t *length)
{
    size_t padding = 0;

    if (text.length % 4 != 0)
        return false;
    while (padding < 2 && text.length > 0 && text.at[text.length - 1] == '=') {
        text.length--;
        padding++;
    }
    return decode(standard, text, out, size, length);
}

bool base64url_decode(struct span text, uint8_t *out, size_t size, size_t *length)
{
    return decode(url, text, out, size, length);
}
