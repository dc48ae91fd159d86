/*
 * Parameters: the values of one statement, in the order of $1, $2, ...
 *
 * Values are copied into one block, so nothing has to outlive the call that adds it.
 *
 *     struct parameters parameters;
 *     parameters_begin(&parameters);
 *     parameters_add_text(&parameters, merchant);
 *     parameters_add_integer(&parameters, limit);
 *     ... execute ...
 *     parameters_release(&parameters);
 *
 * A struct parameters may hold one value per column (of a single statement, or of one row of a
 * set-based write: see write.h).
 */
#ifndef CHECKOUT_DB_PARAMETERS_H
#define CHECKOUT_DB_PARAMETERS_H

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/base/id.h"

/* Columns of our widest write, with room. */
enum { PARAMETERS_MAX = 52 };

/* The wire format, and with it the type the statement must give its parameter. */
enum parameter_type {
    PARAMETER_TEXT,    /* text, json, jsonb, any type with a text form */
    PARAMETER_INTEGER, /* bigint */
    PARAMETER_ID,      /* uuid */
    PARAMETER_INSTANT, /* timestamptz */
    PARAMETER_BYTES,   /* bytea */
};

struct parameter {
    enum parameter_type type;
    bool null;
    size_t offset; /* into the block */
    size_t length;
};

struct parameters {
    size_t count;
    struct parameter at[PARAMETERS_MAX];
    struct buffer block;
};

void parameters_begin(struct parameters *parameters);
void parameters_release(struct parameters *parameters);

void parameters_add_text(struct parameters *parameters, const char *text);
void parameters_add_span(struct parameters *parameters, struct span text);
void parameters_add_integer(struct parameters *parameters, int64_t number);
void parameters_add_id(struct parameters *parameters, struct id id);
void parameters_add_instant(struct parameters *parameters, struct instant instant);
void parameters_add_bytes(struct parameters *parameters, const void *bytes, size_t length);

/* NULL of the given type; the _or_null forms turn "" (or 0 ms) into NULL. */
void parameters_add_null(struct parameters *parameters, enum parameter_type type);
void parameters_add_text_or_null(struct parameters *parameters, const char *text);
void parameters_add_instant_or_null(struct parameters *parameters, struct instant instant);

/* An instant as Postgres counts: microseconds since 2000-01-01. */
int64_t parameters_instant(struct instant instant);

/* The bytes of one value as they go over the wire. */
struct span parameters_value(const struct parameters *parameters, size_t index);

#endif
