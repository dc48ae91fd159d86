#include "shared/http/method.h"

/* In the order of enum http_method, which is the order of Allow. */
static const char *const names[] = { "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS" };

_Static_assert(COUNT_OF(names) == HTTP_OPTIONS + 1, "every method has a name");

const char *http_method_name(enum http_method method)
{
    return names[method];
}

bool http_method_parse(const char *text, enum http_method *out)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (enum http_method)i;
            return true;
        }
    }
    return false;
}
