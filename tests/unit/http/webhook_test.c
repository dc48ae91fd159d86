#include "shared/http/webhook.h"

#include "shared/crypto/hash.h"
#include "tests/unit/table.h"

/* The example of the Standard Webhooks specification and of its libraries' tests. */
#define SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID        "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY      "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define WRONG     "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="

enum { AT_S = 1614265330 };
#define AT "1614265330"

static void the_example_is_signed_as_published(UNUSED void **state)
{
    char signature[WEBHOOK_SIGNATURE_SIZE];

    webhook_sign(SECRET, ID, AT_S, span_of(BODY), signature);
    assert_string_equal(signature, SIGNATURE);
    webhook_sign(SECRET + strlen("whsec_"), ID, AT_S, span_of(BODY), signature);
    assert_string_equal(signature, SIGNATURE);
}

/* NULL as code: it is accepted. */
static const struct verify_row {
    const char *label;
    const char *secret;
    struct webhook_headers headers;
    const char *body;
    int64_t now_s;
    const char *code;
} verify_rows[] = {
    { "what is valid is accepted", SECRET, { ID, AT, SIGNATURE }, BODY, AT_S, NULL },
    { "a secret may lack its prefix",
      SECRET + sizeof("whsec_") - 1,
      { ID, AT, SIGNATURE },
      BODY,
      AT_S,
      NULL },
    { "webhook-id may not be missing",
      SECRET,
      { NULL, AT, SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_missing" },
    { "webhook-timestamp may not be missing",
      SECRET,
      { ID, NULL, SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_missing" },
    { "webhook-signature may not be missing",
      SECRET,
      { ID, AT, NULL },
      BODY,
      AT_S,
      "webhook_signature_missing" },
    { "an empty webhook-id is a missing one",
      SECRET,
      { "", AT, SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_missing" },
    { "an empty webhook-signature is a missing one",
      SECRET,
      { ID, AT, "" },
      BODY,
      AT_S,
      "webhook_signature_missing" },
    { "a timestamp that is no number is refused",
      SECRET,
      { ID, "hello", SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_missing" },
    { "a timestamp with a fraction is refused",
      SECRET,
      { ID, AT ".5", SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_missing" },
    { "the oldest timestamp there can be is refused",
      SECRET,
      { ID, "-9223372036854775808", SIGNATURE },
      BODY,
      AT_S,
      "webhook_too_old" },
    { "the latest timestamp there can be is refused",
      SECRET,
      { ID, "9223372036854775807", SIGNATURE },
      BODY,
      AT_S,
      "webhook_too_old" },
    { "300 s old is accepted", SECRET, { ID, AT, SIGNATURE }, BODY, AT_S + 300, NULL },
    { "301 s old is refused", SECRET, { ID, AT, SIGNATURE }, BODY, AT_S + 301, "webhook_too_old" },
    { "300 s ahead is accepted", SECRET, { ID, AT, SIGNATURE }, BODY, AT_S - 300, NULL },
    { "301 s ahead is refused",
      SECRET,
      { ID, AT, SIGNATURE },
      BODY,
      AT_S - 301,
      "webhook_too_old" },
    { "a signature that is none is refused",
      SECRET,
      { ID, AT, "v1,dawfeoifkpqwoekfpqoekf" },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "a signature of another text is refused",
      SECRET,
      { ID, AT, WRONG },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "a signature cut to 8 characters is refused",
      SECRET,
      { ID, AT, "v1,g0hM9" },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "an empty signature behind the version is refused",
      SECRET,
      { ID, AT, "v1," },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "a signature without its version is refused",
      SECRET,
      { ID, AT, SIGNATURE + 3 },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "the right signature of another version is refused",
      SECRET,
      { ID, AT, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "one valid signature among others and other versions is accepted",
      SECRET,
      { ID, AT, WRONG " v2," WRONG " " SIGNATURE " " WRONG },
      BODY,
      AT_S,
      NULL },
    { "blanks around it do not matter", SECRET, { ID, AT, "  " SIGNATURE "  " }, BODY, AT_S, NULL },
    { "nothing but blanks is refused",
      SECRET,
      { ID, AT, "   " },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "an empty body, validly signed, is accepted",
      SECRET,
      { ID, AT, "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=" },
      "",
      AT_S,
      NULL },
    { "a body changed by one byte is refused",
      SECRET,
      { ID, AT, SIGNATURE },
      "{\"test\": 2432232315}",
      AT_S,
      "webhook_signature_invalid" },
    { "another id is refused",
      SECRET,
      { "msg_p5jXN8AQM9LWM0D4loKWxJel", AT, SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "another timestamp is refused",
      SECRET,
      { ID, "1614265331", SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
    { "another secret is refused",
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx",
      { ID, AT, SIGNATURE },
      BODY,
      AT_S,
      "webhook_signature_invalid" },
};

static void check_verify(void **state)
{
    const struct verify_row *row = *state;
    const struct instant now = { row->now_s * 1000 };
    static struct error err;

    if (webhook_verify(&row->secret, 1, &row->headers, span_of(row->body), now, &err)) {
        assert_null(row->code);
        return;
    }
    assert_non_null(row->code);
    assert_string_equal(err.code, row->code);
    assert_int_equal(err.kind, ERROR_UNAUTHENTICATED);
}

static const struct secret_row {
    const char *label;
    const char *secret;
    bool usable;
} secret_rows[] = {
    { "24 bytes are a secret", SECRET, true },
    { "64 bytes are the longest",
      "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      "==",
      true },
    { "65 bytes are too many",
      "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      "A=",
      false },
    { "25 bytes with their padding are a secret",
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBg==", true },
    { "nothing is no secret", "", false },
    { "the prefix alone is none", "whsec_", false },
    { "23 bytes are too few", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ=", false },
    { "one character of padding may not be missing", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false },
    { "nor may two", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", false },
    { "what is not base64 is none", "whsec_this is not a secret at all, is it?", false },
    { "another prefix is none", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false },
};

static void check_secret(void **state)
{
    const struct secret_row *row = *state;

    assert_int_equal(webhook_secret_check(row->secret), row->usable);
}

static void either_of_two_secrets_verifies(UNUSED void **state)
{
    static const char other[] = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const char *const first[] = { SECRET, other }, *const second[] = { other, SECRET };
    const char *const neither[] = { other, other };
    const struct webhook_headers headers = { ID, AT, SIGNATURE };
    const struct instant now = { AT_S * INT64_C(1000) + 999 };
    static struct error err;

    assert_true(webhook_verify(first, 2, &headers, span_of(BODY), now, &err));
    assert_true(webhook_verify(second, 2, &headers, span_of(BODY), now, &err));
    assert_false(webhook_verify(neither, 2, &headers, span_of(BODY), now, &err));
    assert_false(webhook_verify(first, 0, &headers, span_of(BODY), now, &err));
    assert_string_equal(err.code, "webhook_signature_invalid");
}

static void the_last_millisecond_of_the_tolerance_counts_as_its_second(UNUSED void **state)
{
    const char *const secrets[] = { SECRET };
    const struct webhook_headers headers = { ID, AT, SIGNATURE };
    static struct error err;

    assert_true(webhook_verify(secrets, 1, &headers, span_of(BODY),
                               (struct instant){ (AT_S + 300) * INT64_C(1000) + 999 }, &err));
    assert_false(webhook_verify(secrets, 1, &headers, span_of(BODY),
                                (struct instant){ (AT_S + 301) * INT64_C(1000) }, &err));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start())
        return 1;
    TABLE_ADD(&table, the_example_is_signed_as_published);
    TABLE_ADD_ROWS(&table, verify_rows, check_verify);
    TABLE_ADD_ROWS(&table, secret_rows, check_secret);
    TABLE_ADD(&table, either_of_two_secrets_verifies);
    TABLE_ADD(&table, the_last_millisecond_of_the_tolerance_counts_as_its_second);
    return table_run(&table);
}
