/*
 * Config: a program's settings, from the environment.
 *
 * A program declares one table; what is not in it does not exist. A setting NAME is read from the
 * variable NAME, or from the file that NAME_FILE names (one trailing newline is cut): secrets
 * belong in files. Both set is an error, as is anything that does not parse: the program then says
 * which setting is wrong and exits with EXIT_CONFIGURATION, having touched nothing.
 *
 *     static const struct setting settings[] = {
 *         { "ORDER_PORT", SETTING_INTEGER, offsetof(struct settings, port), 0, "8081", 1, 65535,
 *           "port of the HTTP API" },
 *     };
 */
#ifndef CHECKOUT_RUNTIME_CONFIG_H
#define CHECKOUT_RUNTIME_CONFIG_H

#include <stdio.h>

#include "shared/base/error.h"

/* Exit codes of every service. */
enum { EXIT_DRAINED = 0, EXIT_FAILED = 1, EXIT_CONFIGURATION = 2, EXIT_DEPENDENCY = 3 };

enum setting_type {
    SETTING_TEXT,     /* char[size], at most size - 1 bytes */
    SETTING_SECRET,   /* as text, never printed */
    SETTING_DOCUMENT, /* as text, but of several lines: JSON, whose reader judges the rest */
    SETTING_INTEGER,  /* int64_t within [min, max] */
    SETTING_BOOLEAN,  /* bool: true, false, 1, 0, yes, no, on, off */
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;        /* of the target in the program's struct */
    size_t size;          /* of a text target */
    const char *fallback; /* NULL: required */
    int64_t min, max;     /* of an integer */
    const char *help;
};

/* Fills `out` from the environment; ERROR_CONFIGURATION names the setting. Before threads. */
MUST_CHECK bool config_load(const struct setting *settings, size_t count, void *out,
                            struct error *err);

/* Prints "NAME<tab>default<tab>help" lines: what `--settings` shows, to people and to scripts. */
void config_print(const struct setting *settings, size_t count, FILE *to);

#endif
