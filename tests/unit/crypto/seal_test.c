#include "shared/crypto/seal.h"

#include "shared/crypto/hash.h"
#include "tests/unit/table.h"

#define SECRET "0123456789abcdef0123456789abcdef"

/* Nonce and tag. */
enum { OVERHEAD = 24 + 16 };

static struct error err;

static struct seal_key make_key(const char *secret, const char *purpose)
{
    struct seal_key key;

    assert_true(seal_key_derive(span_of(secret), purpose, &key, &err));
    return key;
}

/* Bytes that may hold a NUL. */
#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct row {
    const char *label;
    struct span context, text;
} rows[] = {
    { "a text comes back", BYTES("row 1"), BYTES("4242424242424242") },
    { "nothing comes back as nothing", BYTES("row 1"), BYTES("") },
    { "a context may be empty", BYTES(""), BYTES("text") },
    { "bytes may be anything", BYTES("\0\xff"), BYTES("\0\1\xfe\xff\0") },
};

static void check_row(void **state)
{
    const struct row *row = *state;
    AUTO(buffer_release) struct buffer sealed = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer opened = BUFFER_EMPTY;
    struct seal_key key = make_key(SECRET, "cards");

    seal_close(&key, row->context, row->text, &sealed);
    assert_int_equal(sealed.length, row->text.length + OVERHEAD);
    if (row->text.length > 0)
        assert_null(memmem(sealed.at, sealed.length, row->text.at, row->text.length));
    assert_true(seal_open(&key, row->context, buffer_span(&sealed), &opened));
    assert_true(span_equal(buffer_span(&opened), row->text));
}

/* Another key, or what is told instead. */
static const struct refused_row {
    const char *label;
    const char *secret, *purpose, *context;
} refused_rows[] = {
    { "another secret opens nothing", "0123456789abcdef0123456789abcdeF", "cards", "row 1" },
    { "another purpose opens nothing", SECRET, "webhooks", "row 1" },
    { "another context opens nothing", SECRET, "cards", "row 2" },
    { "a context that begins alike opens nothing", SECRET, "cards", "row 11" },
    { "no context opens nothing", SECRET, "cards", "" },
};

static void check_refused(void **state)
{
    const struct refused_row *row = *state;
    AUTO(buffer_release) struct buffer sealed = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer opened = BUFFER_EMPTY;
    struct seal_key key = make_key(SECRET, "cards"), other = make_key(row->secret, row->purpose);

    seal_close(&key, span_of("row 1"), span_of("4242424242424242"), &sealed);
    buffer_append(&opened, "before ");
    assert_false(seal_open(&other, span_of(row->context), buffer_span(&sealed), &opened));
    assert_string_equal(opened.at, "before ");
}

static void each_changed_bit_is_noticed(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer sealed = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer opened = BUFFER_EMPTY;
    struct seal_key key = make_key(SECRET, "cards");

    seal_close(&key, span_of("row"), span_of("4242"), &sealed);
    for (size_t bit = 0; bit < 8 * sealed.length; bit++) {
        sealed.at[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(seal_open(&key, span_of("row"), buffer_span(&sealed), &opened));
        sealed.at[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(seal_open(&key, span_of("row"), buffer_span(&sealed), &opened));
}

static void each_cut_is_noticed(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer sealed = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer opened = BUFFER_EMPTY;
    struct seal_key key = make_key(SECRET, "cards");

    seal_close(&key, span_of("row"), span_of("4242"), &sealed);
    for (size_t length = 0; length < sealed.length; length++)
        assert_false(seal_open(&key, span_of("row"), (struct span){ sealed.at, length }, &opened));
}

static void the_same_text_is_never_sealed_alike(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer first = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer second = BUFFER_EMPTY;
    struct seal_key key = make_key(SECRET, "cards");

    seal_close(&key, span_of("row"), span_of("4242"), &first);
    seal_close(&key, span_of("row"), span_of("4242"), &second);
    assert_false(span_equal(buffer_span(&first), buffer_span(&second)));
}

static void sealed_and_opened_texts_are_appended(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer sealed = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer opened = BUFFER_EMPTY;
    struct seal_key key = make_key(SECRET, "cards");

    buffer_append(&sealed, "1:");
    seal_close(&key, span_of("row"), span_of("4242"), &sealed);
    assert_int_equal(strncmp(sealed.at, "1:", 2), 0);
    buffer_append(&opened, "number ");
    assert_true(seal_open(&key, span_of("row"), (struct span){ sealed.at + 2, sealed.length - 2 },
                          &opened));
    assert_string_equal(opened.at, "number 4242");
}

static void a_secret_of_31_characters_is_too_short(UNUSED void **state)
{
    struct seal_key key;

    assert_false(seal_key_derive(span_of("0123456789abcdef0123456789abcde"), "cards", &key, &err));
    assert_int_equal(err.kind, ERROR_CONFIGURATION);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start())
        return 1;
    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD_ROWS(&table, refused_rows, check_refused);
    TABLE_ADD(&table, each_changed_bit_is_noticed);
    TABLE_ADD(&table, each_cut_is_noticed);
    TABLE_ADD(&table, the_same_text_is_never_sealed_alike);
    TABLE_ADD(&table, sealed_and_opened_texts_are_appended);
    TABLE_ADD(&table, a_secret_of_31_characters_is_too_short);
    return table_run(&table);
}
