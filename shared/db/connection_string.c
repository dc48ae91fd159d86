#include "shared/db/connection_string.h"

#include <libpq-fe.h>

static void release_options(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

/* What comes behind an '@' or '/' of a password ends up in these. */
static bool is_plausible(const PQconninfoOption *option)
{
    if (option->val == NULL)
        return true;
    if (strcmp(option->keyword, "port") == 0)
        return option->val[strspn(option->val, "0123456789,")] == '\0';
    if (strcmp(option->keyword, "host") == 0 || strcmp(option->keyword, "dbname") == 0)
        return strchr(option->val, '@') == NULL;
    return true;
}

static bool is_readable(const char *text)
{
    char *quoting = NULL; /* libpq's own words: not to be told */
    AUTO(release_options) PQconninfoOption *options = PQconninfoParse(text, &quoting);

    PQfreemem(quoting);
    for (const PQconninfoOption *at = options; at != NULL && at->keyword != NULL; at++)
        if (!is_plausible(at))
            return false;
    return options != NULL;
}

bool connection_string_check(const char *name, const char *text, struct error *err)
{
    return is_readable(text) ||
           error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                     "%s: is not postgresql://user:password@host:port/database?option=value, with "
                     "%%25 for a %%, %%2F for a / and %%40 for an @ in the password",
                     name);
}
