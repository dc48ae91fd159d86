#include "shared/http/percent.h"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

int percent_byte(const char *at)
{
    int high = at[0] == '%' ? hex_value(at[1]) : -1;
    int low = high < 0 ? -1 : hex_value(at[2]);

    return low < 0 ? -1 : high * 16 + low;
}

/* Decodes what stands at `at`; returns how many characters that took, 0 when it is broken. */
static size_t decode_one(struct span rest, bool plus_is_blank, char *out)
{
    if (rest.at[0] == '%') {
        int byte = rest.length < 3 ? -1 : percent_byte(rest.at);
        *out = (char)(unsigned char)byte;
        return byte < 0 ? 0 : 3;
    }
    *out = rest.at[0];
    if (plus_is_blank && *out == '+')
        *out = ' ';
    return 1;
}

bool percent_decode(struct span text, bool plus_is_blank, char *out, size_t size)
{
    size_t length = 0;

    out[0] = '\0';
    for (size_t at = 0; at < text.length;) {
        char byte;
        struct span rest = { text.at + at, text.length - at };
        size_t taken = decode_one(rest, plus_is_blank, &byte);
        if (taken == 0 || byte == '\0' || length + 1 >= size)
            return false;
        out[length++] = byte;
        out[length] = '\0';
        at += taken;
    }
    return text_is_utf8((struct span){ out, length });
}

void percent_encode(struct span text, struct buffer *out)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";

    for (size_t i = 0; i < text.length; i++) {
        char byte = text.at[i];

        if (byte != '\0' && strchr(unreserved, byte))
            buffer_append_bytes(out, &byte, 1);
        else
            buffer_append_format(out, "%%%02X", (unsigned)(unsigned char)byte);
    }
}
