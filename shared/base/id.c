#include "shared/base/id.h"

#include "shared/base/noise.h"

/* 48 bits of milliseconds. */
#define STAMP_MAX INT64_C(0xffffffffffff)

/* Bytes of an id that follow the time. */
enum { STAMP_SIZE = 6, RANDOM_SIZE = 10 };

/* Puts the time, the version and the variant around whatever the other bits are. */
static void stamp(struct id *id, struct instant instant)
{
    int64_t ms = instant.ms < 0 ? 0 : instant.ms;

    if (ms > STAMP_MAX)
        ms = STAMP_MAX;
    for (int i = 0; i < STAMP_SIZE; i++)
        id->bytes[i] = (uint8_t)(ms >> (8 * (STAMP_SIZE - 1 - i)));
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | 0x70);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
}

struct id id_create(struct instant now)
{
    struct id id;

    noise_fill(id.bytes + STAMP_SIZE, RANDOM_SIZE);
    stamp(&id, now);
    return id;
}

struct id id_floor(struct instant instant)
{
    struct id id = { { 0 } };

    stamp(&id, instant);
    return id;
}

/* A dash stands before the bytes 4, 6, 8 and 10. */
static bool dash_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

struct id_text id_text(struct id id)
{
    static const char digits[] = "0123456789abcdef";
    struct id_text out;
    char *to = out.text;

    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        if (dash_before(i))
            *to++ = '-';
        *to++ = digits[id.bytes[i] >> 4];
        *to++ = digits[id.bytes[i] & 0x0f];
    }
    *to = '\0';
    return out;
}

/* The value of a hexadecimal digit, -1 for anything else. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool id_parse(const char *text, struct id *out)
{
    struct id id;

    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        if (dash_before(i) && *text++ != '-')
            return false;
        int high = digit_value(text[0]);
        int low = high < 0 ? -1 : digit_value(text[1]);
        if (low < 0)
            return false;
        id.bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text != '\0')
        return false;
    *out = id;
    return true;
}

int id_compare(struct id a, struct id b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

bool id_equal(struct id a, struct id b)
{
    return id_compare(a, b) == 0;
}
