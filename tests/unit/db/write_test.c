#include "shared/db/write.h"

#include "tests/unit/table.h"

static const struct statement one = { "one", "any", "" };
static const struct statement other = { "other", "any", "" };

struct what {
    const struct statement *statement;
    enum write_kind kind;
    uint8_t row;
    const char *key;
    uint8_t also; /* 0: none */
    bool of_new_row;
};

static struct write make(const struct what *what)
{
    struct write write;
    struct id row = { { what->row } }, also = { { what->also } };

    write_begin(&write, what->statement, what->kind, 0, row);
    if (what->also != 0)
        write_also(&write, also);
    write.of_new_row = what->of_new_row;
    text_copy(write.key, sizeof(write.key), what->key);
    return write;
}

static const struct row {
    const char *label;
    struct what a, b;
    int order;  /* which locks first: below 0, a */
    bool share; /* one statement for both */
} rows[] = {
    { "changes lock in the order of their rows",
      { &one, WRITE_CHANGE, 1, "", 0, false },
      { &one, WRITE_CHANGE, 2, "", 0, false },
      -1,
      true },
    { "changes do not care for keys in their order",
      { &one, WRITE_CHANGE, 2, "a", 0, false },
      { &one, WRITE_CHANGE, 1, "b", 0, false },
      1,
      true },
    { "changes come before creations",
      { &one, WRITE_CREATE, 1, "a", 0, false },
      { &one, WRITE_CHANGE, 2, "b", 0, false },
      1,
      false },
    { "creations lock in the order of their keys",
      { &one, WRITE_CREATE, 2, "a", 0, false },
      { &one, WRITE_CREATE, 1, "b", 0, false },
      -1,
      true },
    { "creations without a key are alike",
      { &one, WRITE_CREATE, 2, "", 0, false },
      { &one, WRITE_CREATE, 1, "", 0, false },
      0,
      true },
    { "two changes of one row never share a statement",
      { &one, WRITE_CHANGE, 1, "", 0, false },
      { &one, WRITE_CHANGE, 1, "", 0, false },
      0,
      false },
    { "two writes with one key never share a statement",
      { &one, WRITE_CREATE, 1, "a", 0, false },
      { &one, WRITE_CREATE, 2, "a", 0, false },
      0,
      false },
    { "two changes of a shared row never share a statement",
      { &one, WRITE_CHANGE, 1, "", 9, false },
      { &one, WRITE_CHANGE, 2, "", 9, false },
      0,
      false },
    { "changes lock in the order of their shared rows, which come first",
      { &one, WRITE_CHANGE, 2, "", 8, false },
      { &one, WRITE_CHANGE, 1, "", 9, false },
      -1,
      true },
    { "a change without a shared row stands among those with one",
      { &one, WRITE_CHANGE, 8, "", 0, false },
      { &one, WRITE_CHANGE, 1, "", 9, false },
      -1,
      true },
    { "a change of what is made in the same transaction comes after it",
      { &one, WRITE_CREATE, 1, "", 0, false },
      { &one, WRITE_CHANGE, 1, "", 0, true },
      -1,
      false },
    { "... and after all that was there before",
      { &one, WRITE_CHANGE, 9, "", 0, false },
      { &one, WRITE_CHANGE, 1, "", 0, true },
      -1,
      false },
    { "two statements are not one",
      { &one, WRITE_CREATE, 1, "a", 0, false },
      { &other, WRITE_CREATE, 2, "b", 0, false },
      -1,
      false },
};

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void check_pair(void **state)
{
    const struct row *row = *state;
    struct write a = make(&row->a), b = make(&row->b);

    assert_int_equal(sign(write_compare(&a, &b)), row->order);
    assert_int_equal(sign(write_compare(&b, &a)), -row->order);
    assert_int_equal(write_may_share(&a, &b), row->share);
    assert_int_equal(write_may_share(&b, &a), row->share);
    write_release(&a);
    write_release(&b);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_pair);
    return table_run(&table);
}
