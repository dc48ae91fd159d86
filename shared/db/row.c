#include "shared/db/row.h"

#include <libpq-fe.h>

static PGresult *result_of(const struct rows *rows)
{
    return (PGresult *)rows->result;
}

void rows_release(struct rows *rows)
{
    PQclear(result_of(rows));
    *rows = ROWS_EMPTY;
}

struct row rows_at(const struct rows *rows, size_t index)
{
    assert(index < rows->count);
    return (struct row){ rows, index };
}

static int column_of(const struct row *row, const char *column)
{
    int number = PQfnumber(result_of(row->rows), column);

    assert(number >= 0);
    return number;
}

bool row_is_null(const struct row *row, const char *column)
{
    return PQgetisnull(result_of(row->rows), (int)row->index, column_of(row, column)) != 0;
}

struct span row_span(const struct row *row, const char *column)
{
    PGresult *result = result_of(row->rows);
    int number = column_of(row, column);

    return (struct span){ PQgetvalue(result, (int)row->index, number),
                          (size_t)PQgetlength(result, (int)row->index, number) };
}

const char *row_text(const struct row *row, const char *column)
{
    return row_span(row, column).at;
}

int64_t row_integer(const struct row *row, const char *column)
{
    struct span text = row_span(row, column);
    int64_t number = 0;

    if (text.length == 0)
        return 0;
    bool is_number = number_parse(text, &number);
    assert(is_number);
    return number;
}

bool row_boolean(const struct row *row, const char *column)
{
    return row_text(row, column)[0] == 't';
}

void row_copy_text(const struct row *row, const char *column, char *out, size_t size)
{
    bool fits = text_copy_span(out, size, row_span(row, column));

    assert(fits);
}

size_t row_choice(const struct row *row, const char *column, const char *const *words, size_t count)
{
    const char *word = row_text(row, column);
    size_t index = 0;

    while (index < count && strcmp(words[index], word) != 0)
        index++;
    assert(index < count);
    return index;
}

struct id row_id(const struct row *row, const char *column)
{
    struct id id = { { 0 } };
    bool is_id = row_is_null(row, column) || id_parse(row_text(row, column), &id);

    assert(is_id);
    return id;
}

struct instant row_instant(const struct row *row, const char *column)
{
    struct instant instant = { 0 };
    bool is_instant = row_is_null(row, column) || instant_parse(row_text(row, column), &instant);

    assert(is_instant);
    return instant;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* bytea arrives in its hexadecimal form: "\x" and two digits per byte. */
bool row_bytes(const struct row *row, const char *column, void *out, size_t length)
{
    struct span text = row_span(row, column);
    uint8_t *bytes = out;

    if (row_is_null(row, column) || text.length != 2 + 2 * length)
        return false;
    for (size_t i = 0; i < length; i++) {
        int high = nibble(text.at[2 + 2 * i]), low = nibble(text.at[3 + 2 * i]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}
