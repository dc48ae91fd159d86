/*
 * JSON library: where a struct json_value is known to be jansson's json_t. Inside shared/json only.
 */
#ifndef CHECKOUT_JSON_JSON_LIBRARY_H
#define CHECKOUT_JSON_JSON_LIBRARY_H

#include <jansson.h>

struct json_value;

/* Not const: the library iterates over, and looks into, what it could also change. */
static inline json_t *json_library_value(const struct json_value *value)
{
    return (json_t *)value;
}

static inline struct json_value *json_library_wrap(json_t *value)
{
    return (struct json_value *)value;
}

#endif
