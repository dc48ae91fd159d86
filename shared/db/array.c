#include "shared/db/array.h"

#include <endian.h>

/* The object ids of built-in types are fixed for ever (pg_type.dat). */
static const uint32_t type_oids[] = {
    [PARAMETER_TEXT] = 25,      [PARAMETER_INTEGER] = 20, [PARAMETER_ID] = 2950,
    [PARAMETER_INSTANT] = 1184, [PARAMETER_BYTES] = 17,
};

static void add_32(struct buffer *out, uint32_t number)
{
    uint32_t network_order = htobe32(number);

    buffer_append_bytes(out, &network_order, sizeof(network_order));
}

void array_begin(struct buffer *out, enum parameter_type type, size_t count)
{
    add_32(out, 1); /* dimensions */
    add_32(out, 1); /* there may be NULLs */
    add_32(out, type_oids[type]);
    add_32(out, (uint32_t)count);
    add_32(out, 1); /* lower bound */
}

void array_add(struct buffer *out, struct span value)
{
    add_32(out, (uint32_t)value.length);
    buffer_append_bytes(out, value.at, value.length);
}

void array_add_null(struct buffer *out)
{
    add_32(out, UINT32_MAX);
}

void array_add_integer(struct buffer *out, int64_t number)
{
    uint64_t network_order = htobe64((uint64_t)number);

    array_add(out, (struct span){ (const char *)&network_order, sizeof(network_order) });
}

void array_add_instant(struct buffer *out, struct instant instant)
{
    array_add_integer(out, parameters_instant(instant));
}
