#include "shared/base/id.h"

#include <pthread.h>

#include "tests/unit/table.h"

static const struct parse_row {
    const char *label;
    const char *text;
    const char *same; /* NULL: refused */
} parse_rows[] = {
    { "a UUIDv7 is read", "019c2d4e-7b3a-7c1d-8e2f-0123456789ab",
      "019c2d4e-7b3a-7c1d-8e2f-0123456789ab" },
    { "capitals become small letters", "019C2D4E-7B3A-7C1D-8E2F-0123456789AB",
      "019c2d4e-7b3a-7c1d-8e2f-0123456789ab" },
    { "a UUIDv4 of a client is read", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
      "f47ac10b-58cc-4372-a567-0e02b2c3d479" },
    { "the nil UUID is read", "00000000-0000-0000-0000-000000000000",
      "00000000-0000-0000-0000-000000000000" },
    { "the max UUID is read", "ffffffff-ffff-ffff-ffff-ffffffffffff",
      "ffffffff-ffff-ffff-ffff-ffffffffffff" },
    { "nothing is refused", "", NULL },
    { "one digit too few is refused", "019c2d4e-7b3a-7c1d-8e2f-0123456789a", NULL },
    { "one digit too many is refused", "019c2d4e-7b3a-7c1d-8e2f-0123456789abc", NULL },
    { "no dashes are refused", "019c2d4e7b3a7c1d8e2f0123456789ab", NULL },
    { "a dash in the wrong place is refused", "019c2d4-e7b3a-7c1d-8e2f-0123456789ab", NULL },
    { "a missing dash is refused", "019c2d4e-7b3a-7c1d-8e2f00123456789ab", NULL },
    { "a letter behind F is refused", "019c2d4e-7b3a-7c1d-8e2f-0123456789ag", NULL },
    { "braces are refused", "{019c2d4e-7b3a-7c1d-8e2f-0123456789ab}", NULL },
    { "a URN is refused", "urn:uuid:019c2d4e-7b3a-7c1d-8e2f-0123456789ab", NULL },
    { "a leading blank is refused", " 019c2d4e-7b3a-7c1d-8e2f-0123456789ab", NULL },
    { "a trailing blank is refused", "019c2d4e-7b3a-7c1d-8e2f-0123456789ab ", NULL },
    { "a text that ends inside a byte is refused", "0", NULL },
    { "a text that ends before a dash is refused", "019c2d4e", NULL },
};

static void check_parse(void **state)
{
    const struct parse_row *row = *state;
    struct id id = { { 42 } };

    assert_int_equal(id_parse(row->text, &id), row->same != NULL);
    if (row->same)
        assert_string_equal(id_text(id).text, row->same);
    else
        assert_int_equal(id.bytes[0], 42);
}

static const struct floor_row {
    const char *label;
    int64_t ms;
    const char *text;
} floor_rows[] = {
    { "the epoch's floor is zeros", 0, "00000000-0000-7000-8000-000000000000" },
    { "a moment's floor begins with it", 0x0123456789ab, "01234567-89ab-7000-8000-000000000000" },
    { "what was before the epoch has the epoch's", -1, "00000000-0000-7000-8000-000000000000" },
    { "the last moment with a text fits", 253402300799999, "e677d21f-dbff-7000-8000-000000000000" },
    { "what does not fit has the last", INT64_MAX, "ffffffff-ffff-7000-8000-000000000000" },
};

static void check_floor(void **state)
{
    const struct floor_row *row = *state;

    assert_string_equal(id_text(id_floor((struct instant){ row->ms })).text, row->text);
}

static void new_ids_have_time_version_and_variant(UNUSED void **state)
{
    for (int i = 0; i < 1000; i++) {
        struct id id = id_create((struct instant){ 0x0123456789ab });
        struct id_text text = id_text(id);

        assert_memory_equal(text.text, "01234567-89ab-7", 15);
        assert_non_null(strchr("89ab", text.text[19]));
    }
}

static void ids_made_later_sort_later(UNUSED void **state)
{
    struct instant now = { 1769903999123 };
    struct id last = id_create(now);

    for (int i = 0; i < 1000; i++) {
        now = instant_add_ms(now, 1);
        struct id id = id_create(now);
        assert_true(id_compare(last, id) < 0);
        assert_true(id_compare(id, last) > 0);
        assert_true(strcmp(id_text(last).text, id_text(id).text) < 0);
        assert_true(id_compare(id_floor(now), id) <= 0);
        assert_true(id_compare(id, id_floor(instant_add_ms(now, 1))) < 0);
        last = id;
    }
}

static int compare(const void *a, const void *b)
{
    return id_compare(*(const struct id *)a, *(const struct id *)b);
}

enum { IDS_PER_THREAD = 5000, THREADS = 4 };

static void *make_ids(void *ctx)
{
    struct id *ids = ctx;

    for (int i = 0; i < IDS_PER_THREAD; i++)
        ids[i] = id_create((struct instant){ 1769903999123 });
    return NULL;
}

static void ids_of_one_millisecond_differ_in_all_threads(UNUSED void **state)
{
    static struct id ids[THREADS * IDS_PER_THREAD];
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * IDS_PER_THREAD), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    qsort(ids, COUNT_OF(ids), sizeof(ids[0]), compare);
    for (size_t i = 1; i < COUNT_OF(ids); i++)
        assert_false(id_equal(ids[i - 1], ids[i]));
}

/* 74 random bits: over many ids each of them is sometimes set and sometimes not. */
static void every_random_bit_varies(UNUSED void **state)
{
    struct id ever = { { 0 } }, always;
    int varying = 0;

    memset(&always, 0xff, sizeof(always));
    for (int i = 0; i < 1000; i++) {
        struct id id = id_create((struct instant){ 0 });
        for (size_t byte = 0; byte < sizeof(id.bytes); byte++) {
            ever.bytes[byte] |= id.bytes[byte];
            always.bytes[byte] &= id.bytes[byte];
        }
    }
    for (size_t byte = 0; byte < sizeof(ever.bytes); byte++)
        varying += __builtin_popcount((unsigned)(ever.bytes[byte] & ~always.bytes[byte]));
    assert_int_equal(varying, 74);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, parse_rows, check_parse);
    TABLE_ADD_ROWS(&table, floor_rows, check_floor);
    TABLE_ADD(&table, new_ids_have_time_version_and_variant);
    TABLE_ADD(&table, ids_made_later_sort_later);
    TABLE_ADD(&table, ids_of_one_millisecond_differ_in_all_threads);
    TABLE_ADD(&table, every_random_bit_varies);
    return table_run(&table);
}
