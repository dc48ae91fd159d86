#include "shared/base/buffer.h"
#include "tests/unit/freed.h"
#include "tests/unit/table.h"

static const struct integer_row {
    const char *label;
    int64_t number;
    const char *text;
} integer_rows[] = {
    { "zero is one digit", 0, "0" },
    { "nine is one digit", 9, "9" },
    { "ten is two digits", 10, "10" },
    { "a negative number has its sign", -42, "-42" },
    { "the largest number is written", INT64_MAX, "9223372036854775807" },
    { "the smallest number is written", INT64_MIN, "-9223372036854775808" },
};

static void check_integer(void **state)
{
    const struct integer_row *row = *state;
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;

    buffer_append_integer(&buffer, row->number);
    assert_string_equal(buffer.at, row->text);
    assert_int_equal(buffer.length, strlen(row->text));
}

static const struct length_row {
    const char *label;
    size_t length;
} length_rows[] = {
    { "a formatted text of one byte fits", 1 },
    { "a formatted text one short of the first allocation fits", 254 },
    { "a formatted text that fills the first allocation fits", 255 },
    { "a formatted text that needs room for its NUL grows", 256 },
    { "a formatted text one over grows", 257 },
    { "a formatted text of many allocations grows at once", 100000 },
};

static void check_format_length(void **state)
{
    const struct length_row *row = *state;
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;

    buffer_append_format(&buffer, "%0*d", (int)row->length, 7);
    assert_int_equal(buffer.length, row->length);
    assert_int_equal(strlen(buffer.at), row->length);
    assert_int_equal(buffer.at[row->length - 1], '7');
}

static void grows_byte_by_byte_and_keeps_everything(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;

    for (int i = 0; i < 10000; i++) {
        buffer_append_bytes(&buffer, &(char){ (char)('a' + i % 26) }, 1);
        assert_int_equal(buffer.at[buffer.length], '\0');
        assert_true(buffer.capacity > buffer.length);
    }
    assert_int_equal(buffer.length, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buffer.at[i], 'a' + i % 26);
}

static void appends_texts_spans_and_bytes_in_order(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;

    buffer_append(&buffer, "a");
    buffer_append_span(&buffer, (struct span){ "bcd", 2 });
    buffer_append_span(&buffer, (struct span){ NULL, 0 });
    buffer_append_bytes(&buffer, "\0d", 2);
    buffer_append_format(&buffer, "%d%s", 1, "e");
    assert_int_equal(buffer.length, 7);
    assert_memory_equal(buffer.at, "abc\0d1e", 8);
}

static void an_empty_buffer_has_an_empty_span(UNUSED void **state)
{
    struct buffer buffer = BUFFER_EMPTY;

    assert_null(buffer.at);
    assert_int_equal(buffer_span(&buffer).length, 0);
    assert_non_null(buffer_span(&buffer).at);
    buffer_clear(&buffer);
    buffer_release(&buffer);
}

static void an_appended_empty_text_is_a_text(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;

    buffer_append(&buffer, "");
    assert_string_equal(buffer.at, "");
}

static void clearing_keeps_the_memory_and_releasing_does_not(UNUSED void **state)
{
    struct buffer buffer = BUFFER_EMPTY;

    buffer_append(&buffer, "something");
    size_t capacity = buffer.capacity;
    buffer_clear(&buffer);
    assert_string_equal(buffer.at, "");
    assert_int_equal(buffer.length, 0);
    assert_int_equal(buffer.capacity, capacity);

    buffer_release(&buffer);
    assert_null(buffer.at);
    assert_int_equal(buffer.capacity, 0);
    buffer_append(&buffer, "again");
    assert_string_equal(buffer.at, "again");
    buffer_release(&buffer);
}

static void reserved_room_is_used_without_moving(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer buffer = BUFFER_EMPTY;

    buffer_reserve(&buffer, 5000);
    const char *at = buffer.at;
    for (int i = 0; i < 5000; i++)
        buffer_append(&buffer, "x");
    assert_ptr_equal(buffer.at, at);
}

static void copies_of_texts_are_terminated(UNUSED void **state)
{
    char *copy = memory_copy_text((struct span){ "abcdef", 3 });
    char *empty = memory_copy_text((struct span){ NULL, 0 });

    assert_string_equal(copy, "abc");
    assert_string_equal(empty, "");
    free(copy);
    free(empty);
}

static void nothing_is_allocated_as_something(UNUSED void **state)
{
    void *memory = memory_allocate(0);
    unsigned char *zeroed = memory_allocate_zeroed(3, 5);
    void *none = memory_allocate_zeroed(0, 5);

    assert_non_null(memory);
    assert_non_null(none);
    for (int i = 0; i < 15; i++)
        assert_int_equal(zeroed[i], 0);
    free(memory);
    free(zeroed);
    free(none);
}

#define SECRET "4242424242424242"

/* Grows from the first allocation to some that are larger, is cleared, and filled again. */
static void fill_and_release(struct buffer buffer)
{
    while (buffer.length < 10000)
        buffer_append(&buffer, SECRET);
    buffer_clear(&buffer);
    buffer_append(&buffer, SECRET);
    buffer_release(&buffer);
}

static void nothing_that_a_secret_buffer_gives_back_holds_its_text(UNUSED void **state)
{
    freed_watch(span_of(SECRET));
    fill_and_release(BUFFER_EMPTY);
    assert_true(freed_found() > 0);
    freed_watch(span_of(SECRET));
    fill_and_release(BUFFER_SECRET);
    assert_int_equal(freed_found(), 0);
}

static void a_cleared_secret_buffer_holds_nothing(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer buffer = BUFFER_SECRET;

    buffer_append(&buffer, SECRET SECRET);
    buffer.length = 5; /* cut off is not gone */
    buffer_clear(&buffer);
    for (size_t i = 0; i < buffer.capacity; i++)
        assert_int_equal(buffer.at[i], 0);
    buffer_append(&buffer, "a");
    assert_string_equal(buffer.at, "a");
    buffer_release(&buffer);
    assert_true(buffer.secret);
}

static void an_empty_secret_buffer_is_cleared_and_released(UNUSED void **state)
{
    struct buffer buffer = BUFFER_SECRET;

    buffer_clear(&buffer);
    buffer_release(&buffer);
    assert_null(buffer.at);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, integer_rows, check_integer);
    TABLE_ADD_ROWS(&table, length_rows, check_format_length);
    TABLE_ADD(&table, grows_byte_by_byte_and_keeps_everything);
    TABLE_ADD(&table, appends_texts_spans_and_bytes_in_order);
    TABLE_ADD(&table, an_empty_buffer_has_an_empty_span);
    TABLE_ADD(&table, an_appended_empty_text_is_a_text);
    TABLE_ADD(&table, clearing_keeps_the_memory_and_releasing_does_not);
    TABLE_ADD(&table, reserved_room_is_used_without_moving);
    TABLE_ADD(&table, nothing_that_a_secret_buffer_gives_back_holds_its_text);
    TABLE_ADD(&table, a_cleared_secret_buffer_holds_nothing);
    TABLE_ADD(&table, an_empty_secret_buffer_is_cleared_and_released);
    TABLE_ADD(&table, copies_of_texts_are_terminated);
    TABLE_ADD(&table, nothing_is_allocated_as_something);
    return table_run(&table);
}
