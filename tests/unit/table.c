#include "tests/unit/table.h"

static struct CMUnitTest *add(struct table *table, const char *name, CMUnitTestFunction check)
{
    assert(table->count < TABLE_MAX);
    struct CMUnitTest *test = &table->tests[table->count++];

    *test = (struct CMUnitTest){ .name = name, .test_func = check };
    return test;
}

void table_add(struct table *table, const char *name, CMUnitTestFunction check)
{
    add(table, name, check);
}

void table_add_rows(struct table *table, const void *rows, size_t count, size_t row_size,
                    CMUnitTestFunction check)
{
    for (size_t i = 0; i < count; i++) {
        const char *row = (const char *)rows + i * row_size;
        const char *label;

        memcpy(&label, row, sizeof(label));
        /* not const for cmocka; a check has the row as const */
        add(table, label, check)->initial_state = (void *)(uintptr_t)row;
    }
}

int table_run(const struct table *table)
{
    assert(table->count > 0); /* a run without tests would look like success */
    return _cmocka_run_group_tests("unit", table->tests, table->count, NULL, NULL);
}
