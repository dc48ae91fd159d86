#include "shared/crypto/hash.h"
#include "tests/unit/table.h"

static const struct hash_row {
    const char *label;
    const char *text;
    const char *digest;
} hash_rows[] = {
    { "the empty text", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "the standard's first example", "abc",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "the standard's example of two blocks",
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void check_hash(void **state)
{
    const struct hash_row *row = *state;
    struct digest digest = hash_sha256(span_of(row->text)), parsed;

    assert_string_equal(digest_text(digest).text, row->digest);
    assert_true(digest_parse(span_of(row->digest), &parsed));
    assert_true(digest_equal(digest, parsed));
}

static const struct parse_row {
    const char *label;
    const char *text;
    bool valid;
} parse_rows[] = {
    { "small letters are read", "00000000000000000000000000000000000000000000000000000000000000ab",
      true },
    { "capitals are read", "00000000000000000000000000000000000000000000000000000000000000AB",
      true },
    { "63 digits are refused", "0000000000000000000000000000000000000000000000000000000000000ab",
      false },
    { "65 digits are refused", "000000000000000000000000000000000000000000000000000000000000000ab",
      false },
    { "a letter behind F is refused",
      "00000000000000000000000000000000000000000000000000000000000000ag", false },
    { "a blank is refused", " 0000000000000000000000000000000000000000000000000000000000000ab",
      false },
    { "nothing is refused", "", false },
};

static void check_parse(void **state)
{
    const struct parse_row *row = *state;
    struct digest digest = { { 42 } };

    assert_int_equal(digest_parse(span_of(row->text), &digest), row->valid);
    assert_int_equal(digest.bytes[0], row->valid ? 0 : 42);
    if (row->valid)
        assert_int_equal(digest.bytes[31], 0xab);
}

static void one_different_bit_makes_digests_unequal(UNUSED void **state)
{
    struct digest a = hash_sha256(span_of("a")), b = a;

    assert_true(digest_equal(a, b));
    b.bytes[31] ^= 1;
    assert_false(digest_equal(a, b));
}

static void random_bytes_are_filled_and_nothing_beyond(UNUSED void **state)
{
    unsigned char bytes[66] = { 0 }, ever[64] = { 0 };

    for (int round = 0; round < 64; round++) {
        random_fill(bytes + 1, 64);
        for (int i = 0; i < 64; i++)
            ever[i] |= bytes[i + 1];
    }
    for (int i = 0; i < 64; i++)
        assert_int_equal(ever[i], 0xff);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[65], 0);
}

static void a_random_number_stays_below_its_bound(UNUSED void **state)
{
    int seen[3] = { 0 };

    for (int i = 0; i < 1000; i++) {
        uint32_t number = random_below(3);
        assert_true(number < 3);
        seen[number]++;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(seen[i], 200, 500); /* fails by chance once in far more than a billion */
    assert_int_equal(random_below(1), 0);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start())
        return 1;
    TABLE_ADD_ROWS(&table, hash_rows, check_hash);
    TABLE_ADD_ROWS(&table, parse_rows, check_parse);
    TABLE_ADD(&table, one_different_bit_makes_digests_unequal);
    TABLE_ADD(&table, random_bytes_are_filled_and_nothing_beyond);
    TABLE_ADD(&table, a_random_number_stays_below_its_bound);
    return table_run(&table);
}
