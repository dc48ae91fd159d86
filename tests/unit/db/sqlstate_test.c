#include "shared/db/sqlstate.h"

#include "tests/unit/table.h"

static const struct row {
    const char *label;
    const char *sqlstate;
    enum error_kind kind;
} rows[] = {
    { "a broken connection is the weather", NULL, ERROR_UNAVAILABLE },
    { "a server that shuts down is the weather", "57P01", ERROR_UNAVAILABLE },
    { "a server that starts up is the weather", "57P03", ERROR_UNAVAILABLE },
    { "a full disk is the weather", "53100", ERROR_UNAVAILABLE },
    { "too many connections are the weather", "53300", ERROR_UNAVAILABLE },
    { "a standby is the weather", "25006", ERROR_UNAVAILABLE },
    { "a deadlock is tried again", "40P01", ERROR_TRANSIENT },
    { "a failed serialization is tried again", "40001", ERROR_TRANSIENT },
    { "a lock timeout is tried again", "55P03", ERROR_TRANSIENT },
    { "a statement timeout is tried again", "57014", ERROR_TRANSIENT },
    { "a duplicate key is in the data", "23505", ERROR_DATA },
    { "a failed check is in the data", "23514", ERROR_DATA },
    { "a number out of range is in the data", "22003", ERROR_DATA },
    { "a missing table is our own bug", "42P01", ERROR_INTERNAL },
    { "a missing privilege is our own bug", "42501", ERROR_INTERNAL },
};

static void check_kind(void **state)
{
    const struct row *row = *state;

    assert_int_equal(sqlstate_kind(row->sqlstate), row->kind);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_kind);
    return table_run(&table);
}
