/*
 * Signatures of webhooks: three lines are the headers, the rest is the body. Nobody gets through
 * without the secret.
 */
#include "shared/http/webhook.h"

#include "tests/fuzz/fuzz.h"
#include "tests/unit/payment/fake_bank.h"

enum { NOW_S = 1769903999 };

static void release(struct webhook_headers *headers)
{
    free((char *)(uintptr_t)headers->id);
    free((char *)(uintptr_t)headers->timestamp);
    free((char *)(uintptr_t)headers->signature);
}

static void check_genuine(const struct webhook_headers *headers, struct span body)
{
    char own[WEBHOOK_SIGNATURE_SIZE];
    int64_t at_s;

    bool is_number = number_parse(span_of(headers->timestamp), &at_s);
    assert(is_number);
    webhook_sign(HOOK_SECRET, headers->id, at_s, body, own);
    assert(strstr(headers->signature, own));
}

void fuzz(struct span input)
{
    static const char *const secrets[] = { HOOK_SECRET };
    struct span rest = input;
    AUTO(release)
    struct webhook_headers headers = {
        .id = fuzz_text(fuzz_take_line(&rest)),
        .timestamp = fuzz_text(fuzz_take_line(&rest)),
        .signature = fuzz_text(fuzz_take_line(&rest)),
    };
    struct error err;

    if (webhook_verify(secrets, 1, &headers, rest, (struct instant){ NOW_S * INT64_C(1000) }, &err))
        check_genuine(&headers, rest);
    else
        fuzz_check_refusal(&err);
}
