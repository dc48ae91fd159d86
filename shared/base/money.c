#include "shared/base/money.h"

#include "shared/base/text.h"

bool amount_add(int64_t a, int64_t b, int64_t *out)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

bool amount_multiply(int64_t a, int64_t b, int64_t *out)
{
    int64_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

struct money_text money_text(struct money money)
{
    struct money_text out;
    int exponent = currency_exponent(money.currency);
    const char *sign = money.amount < 0 ? "-" : "";
    uint64_t minor = money.amount < 0 ? 0 - (uint64_t)money.amount : (uint64_t)money.amount;
    uint64_t unit = 1;

    for (int i = 0; i < exponent; i++)
        unit *= 10;
    if (exponent == 0)
        text_format(out.text, sizeof(out.text), "%s%llu %s", sign, (unsigned long long)minor,
                    money.currency.code);
    else
        text_format(out.text, sizeof(out.text), "%s%llu.%0*llu %s", sign,
                    (unsigned long long)(minor / unit), exponent,
                    (unsigned long long)(minor % unit), money.currency.code);
    return out;
}
