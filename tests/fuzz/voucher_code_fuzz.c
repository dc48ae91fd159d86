/* Voucher codes: one that was read is shown, and reads as the same, in either case. */
#include "voucher-service/voucher_code.h"

#include <ctype.h>

#include "tests/fuzz/fuzz.h"

static void check_reads_as(const char *text, const struct voucher_code *code)
{
    struct voucher_code again;

    assert(voucher_code_parse(text, &again) == VOUCHER_CODE_READ);
    assert(strcmp(again.symbols, code->symbols) == 0);
}

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *text = fuzz_text(input);
    struct voucher_code code;

    if (voucher_code_parse(text, &code) != VOUCHER_CODE_READ)
        return;
    struct voucher_code_text shown = voucher_code_text(&code);
    check_reads_as(shown.text, &code);
    for (char *at = shown.text; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    check_reads_as(shown.text, &code);
    assert(strcmp(voucher_code_mask(&code).text, voucher_code_text(&code).text) != 0);
}
