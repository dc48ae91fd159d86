#include "shared/db/parameters.h"

#include <endian.h>

/* Postgres counts microseconds from 2000-01-01, we milliseconds from 1970-01-01. */
static const int64_t POSTGRES_EPOCH_MS = 946684800000;

void parameters_begin(struct parameters *parameters)
{
    parameters->count = 0;
    parameters->block = BUFFER_EMPTY;
}

void parameters_release(struct parameters *parameters)
{
    parameters->count = 0;
    buffer_release(&parameters->block);
}

static void add(struct parameters *parameters, enum parameter_type type, bool null,
                struct span value)
{
    assert(parameters->count < PARAMETERS_MAX);
    parameters->at[parameters->count++] = (struct parameter){
        .type = type, .null = null, .offset = parameters->block.length, .length = value.length
    };
    /* The NUL lets libpq take the value as text where it is text. */
    buffer_append_bytes(&parameters->block, value.at, value.length);
    buffer_append_bytes(&parameters->block, "", 1);
}

static void add_number(struct parameters *parameters, enum parameter_type type, int64_t number)
{
    uint64_t network_order = htobe64((uint64_t)number);

    add(parameters, type, false,
        (struct span){ (const char *)&network_order, sizeof(network_order) });
}

void parameters_add_text(struct parameters *parameters, const char *text)
{
    parameters_add_span(parameters, span_of(text));
}

void parameters_add_span(struct parameters *parameters, struct span text)
{
    add(parameters, PARAMETER_TEXT, false, text);
}

void parameters_add_integer(struct parameters *parameters, int64_t number)
{
    add_number(parameters, PARAMETER_INTEGER, number);
}

void parameters_add_id(struct parameters *parameters, struct id id)
{
    add(parameters, PARAMETER_ID, false, (struct span){ (const char *)id.bytes, sizeof(id.bytes) });
}

void parameters_add_instant(struct parameters *parameters, struct instant instant)
{
    add_number(parameters, PARAMETER_INSTANT, parameters_instant(instant));
}

int64_t parameters_instant(struct instant instant)
{
    return (instant.ms - POSTGRES_EPOCH_MS) * 1000;
}

void parameters_add_bytes(struct parameters *parameters, const void *bytes, size_t length)
{
    add(parameters, PARAMETER_BYTES, false, (struct span){ bytes, length });
}

void parameters_add_null(struct parameters *parameters, enum parameter_type type)
{
    add(parameters, type, true, (struct span){ "", 0 });
}

void parameters_add_text_or_null(struct parameters *parameters, const char *text)
{
    if (text == NULL || text[0] == '\0')
        parameters_add_null(parameters, PARAMETER_TEXT);
    else
        parameters_add_text(parameters, text);
}

void parameters_add_instant_or_null(struct parameters *parameters, struct instant instant)
{
    if (instant.ms == 0)
        parameters_add_null(parameters, PARAMETER_INSTANT);
    else
        parameters_add_instant(parameters, instant);
}

struct span parameters_value(const struct parameters *parameters, size_t index)
{
    assert(index < parameters->count);
    const struct parameter *parameter = &parameters->at[index];

    return (struct span){ parameters->block.at + parameter->offset, parameter->length };
}
