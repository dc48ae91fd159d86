#include "shared/crypto/hmac.h"

#include "tests/unit/table.h"

#define REPEATED(byte) byte byte byte byte byte byte byte byte byte byte
#define KEY_OF_131 \
    REPEATED(REPEATED("\xaa")) REPEATED("\xaa") REPEATED("\xaa") REPEATED("\xaa") "\xaa"

/* RFC 4231; its fifth case cuts the digest, which nobody does here. */
static const struct row {
    const char *label;
    const char *key;
    const char *text;
    const char *digest;
} rows[] = {
    { "a key of 20 bytes", REPEATED("\x0b") REPEATED("\x0b"), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { "a key shorter than the digest", "Jefe", "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { "key and text longer than 64 bytes together", REPEATED("\xaa") REPEATED("\xaa"),
      REPEATED("\xdd\xdd\xdd\xdd\xdd"),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { "a key of 25 different bytes",
      "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
      "\x17\x18\x19",
      REPEATED("\xcd\xcd\xcd\xcd\xcd"),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
    { "a key longer than a block is hashed first", KEY_OF_131,
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    { "a long key and a long text", KEY_OF_131,
      "This is a test using a larger than block-size key and a larger than block-size data. The "
      "key needs to be hashed before being used by the HMAC algorithm.",
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
    { "no key and no text", "", "",
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

static void check_row(void **state)
{
    const struct row *row = *state;

    assert_string_equal(digest_text(hmac_sha256(span_of(row->key), span_of(row->text))).text,
                        row->digest);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start())
        return 1;
    TABLE_ADD_ROWS(&table, rows, check_row);
    return table_run(&table);
}
