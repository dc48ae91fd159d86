/*
 * Statement: SQL text with a name, prepared once per connection.
 *
 * Statements stand beside their one caller as `static const struct statement`, with explicit
 * columns and $n only. STATEMENT() also lists them in a section of the program, so that
 * `<service> --statements` prints them all and a test can prepare each against the migrated schema.
 */
#ifndef CHECKOUT_DB_STATEMENT_H
#define CHECKOUT_DB_STATEMENT_H

#include <stdio.h>

#include "shared/base/compiler.h"

struct statement {
    const char *name;     /* unique in the program: "order_insert" */
    const char *database; /* which schema it is for: "orders", "vouchers", "access", "events" */
    const char *sql;
};

#define STATEMENT(variable, database_name, text)                                 \
    static const struct statement variable = { #variable, database_name, text }; \
    static const struct statement *const variable##_listed                       \
        __attribute__((section("statements"), used, retain)) = &variable

/* Prints every statement of the program as a JSON array of {name, database, sql}. */
void statements_print(FILE *to);

#endif
