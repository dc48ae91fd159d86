/*
 * Rows: what a statement returned.
 *
 *     AUTO(rows_release) struct rows rows = ROWS_EMPTY;
 *     if (!db_query(pool, &order_select, &parameters, deadline, &rows, err))
 *         return false;
 *     for (size_t i = 0; i < rows.count; i++) {
 *         struct row row = rows_at(&rows, i);
 *         order.total_amount = row_integer(&row, "total_amount");
 *     }
 *
 * Columns are asked for by name; a name that is not there, or a value of another type, is our own
 * bug (assert): the schema test prepares every statement. Spans and texts live as long as the rows.
 */
#ifndef CHECKOUT_DB_ROW_H
#define CHECKOUT_DB_ROW_H

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/base/text.h"

struct pg_result; /* libpq's PGresult */

struct rows {
    struct pg_result *result;
    size_t count;
};

#define ROWS_EMPTY ((struct rows){ NULL, 0 })

struct row {
    const struct rows *rows;
    size_t index;
};

void rows_release(struct rows *rows);

struct row rows_at(const struct rows *rows, size_t index);

bool row_is_null(const struct row *row, const char *column);

/* bigint, int, smallint; a NULL is 0. */
int64_t row_integer(const struct row *row, const char *column);
bool row_boolean(const struct row *row, const char *column);

/* Any type, as Postgres prints it; a NULL is "". */
const char *row_text(const struct row *row, const char *column);
struct span row_span(const struct row *row, const char *column);

/* Copies the text; our own bug when it does not fit (the SQL CHECKs bound it). */
void row_copy_text(const struct row *row, const char *column, char *out, size_t size);

/* The index of a text among the words that a CHECK admits (a NULL is ""); another one is our own
 * bug. */
size_t row_choice(const struct row *row, const char *column, const char *const *words,
                  size_t count);

/* uuid; a NULL is all zero. */
struct id row_id(const struct row *row, const char *column);

/* timestamptz; a NULL is 0 ms. */
struct instant row_instant(const struct row *row, const char *column);

/* bytea of exactly `length` bytes; false when it is NULL or of another length. */
MUST_CHECK bool row_bytes(const struct row *row, const char *column, void *out, size_t length);

#endif
