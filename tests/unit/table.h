/*
 * Table: tests by rows.
 *
 * A row is a struct whose first member is its label, a sentence; each row is run as a test of its
 * own, which gets the row as its state. Tests that have no table are added one by one.
 *
 *     static const struct row { const char *label; int64_t amount; const char *text; } rows[] = {
 *         { "yen have no decimals", 500, "500 JPY" },
 *     };
 *
 *     static void check_text(void **state)
 *     {
 *         const struct row *row = *state;
 *         ...
 *     }
 *
 *     int main(void)
 *     {
 *         struct table table = TABLE_EMPTY;
 *
 *         TABLE_ADD_ROWS(&table, rows, check_text);
 *         TABLE_ADD(&table, forgets_nothing);
 *         return table_run(&table);
 *     }
 */
#ifndef CHECKOUT_TESTS_UNIT_TABLE_H
#define CHECKOUT_TESTS_UNIT_TABLE_H

#include "shared/base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Tests of one executable. */
enum { TABLE_MAX = 512 };

struct table {
    struct CMUnitTest tests[TABLE_MAX];
    size_t count;
};

#define TABLE_EMPTY ((struct table){ .count = 0 })

void table_add(struct table *table, const char *name, CMUnitTestFunction check);

void table_add_rows(struct table *table, const void *rows, size_t count, size_t row_size,
                    CMUnitTestFunction check);

/* The function's name is the sentence. */
#define TABLE_ADD(table, check) table_add(table, #check, check)

#define TABLE_ADD_ROWS(table, rows, check) \
    table_add_rows(table, rows, COUNT_OF(rows), sizeof((rows)[0]), check)

/* Runs them all; returns what main() returns. */
int table_run(const struct table *table);

#endif
