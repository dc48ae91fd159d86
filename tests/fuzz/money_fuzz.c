/*
 * Money: "<minor units> <currency>". What is shown of an amount is that amount, and sums and
 * products are those of wider numbers, or refused.
 */
#include "shared/base/money.h"

#include "tests/fuzz/fuzz.h"

__extension__ typedef __int128 wide;

static void check_sum(int64_t a, int64_t b)
{
    wide sum = (wide)a + b, product = (wide)a * b;
    int64_t out;

    assert(amount_add(a, b, &out) ? out == sum : sum > INT64_MAX || sum < INT64_MIN);
    assert(amount_multiply(a, b, &out) ? out == product
                                       : product > INT64_MAX || product < INT64_MIN);
}

/* Without its point it is the number of minor units; behind the point are as many digits as the
 * currency has. */
static void check_text(struct money money)
{
    struct money_text shown = money_text(money);
    char digits[MONEY_TEXT_SIZE];
    size_t length = 0, decimals = 0;
    bool behind = false;
    int64_t amount;

    for (const char *at = shown.text; *at != ' '; at++) {
        decimals += behind;
        if (*at == '.')
            behind = true;
        else
            digits[length++] = *at;
    }
    bool is_number = number_parse((struct span){ digits, length }, &amount);
    assert(is_number && amount == money.amount);
    assert(decimals == (size_t)currency_exponent(money.currency));
    assert(strcmp(strchr(shown.text, ' ') + 1, money.currency.code) == 0);
}

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *text = fuzz_text(input);
    size_t length = strcspn(text, " ");
    struct money money;

    if (!number_parse((struct span){ text, length }, &money.amount))
        return;
    check_sum(money.amount, INT64_MAX / 3);
    check_sum(money.amount, money.amount / -2);
    if (text[length] == ' ' && currency_parse(text + length + 1, &money.currency))
        check_text(money);
}
