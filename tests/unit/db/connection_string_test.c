#include "shared/db/connection_string.h"

#include "tests/unit/table.h"

static const struct row {
    const char *label;
    const char *text;
    bool good;
} rows[] = {
    { "a URI is good", "postgresql://user:secret@host:5432/orders", true },
    { "its other spelling is good", "postgres://user:secret@host/orders", true },
    { "a Unix socket is good",
      "postgresql://user:secret@/orders?host=%2Frun%2Fpostgresql&port=5432", true },
    { "several hosts are good",
      "postgresql://user:secret@one:5432,two:5433/orders?target_session_attrs=read-write", true },
    { "an IPv6 address is good", "postgresql://user:secret@[::1]:5432/orders", true },
    { "TLS is good",
      "postgresql://user:secret@host/orders?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
      true },
    { "keywords are good", "host=one port=5432 user=user password='secret' dbname=orders", true },
    { "a password in percent signs is good", "postgresql://user:sec%25re%2Ft%40@host/orders",
      true },
    { "a % of a password has to be spelled", "postgresql://user:%zzsecret@host/orders", false },
    { "so has a /", "postgresql://user:secret/more@host/orders", false },
    { "so has a / behind digits", "postgresql://user:12/secret@host/orders", false },
    { "so has an @", "postgresql://user:pass@secret@host/orders", false },
    { "a scheme that is misspelt is refused", "postgresql//user:secret@host/orders?sslmode=require",
      false },
    { "so is another one", "mysql://user:secret@host/orders", false },
    { "so is an option that is unknown", "postgresql://user:secret@host/orders?secret=1", false },
    { "so is a keyword that is unknown", "host=one secret=secret", false },
    { "so is a quote that does not end", "host=one password='secret", false },
    { "so is a port that is none", "postgresql://user:secret@host:secret/orders", false },
    { "so is a name alone", "secret", false },
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct error err;
    bool good = connection_string_check("DATABASE_URL", row->text, &err);

    assert_int_equal(good, row->good);
    if (good)
        return;
    assert_int_equal(err.kind, ERROR_CONFIGURATION);
    assert_int_equal(strncmp(err.detail, "DATABASE_URL: ", 14), 0);
    assert_null(strstr(err.detail, "secret")); /* nothing of it is told */
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    return table_run(&table);
}
