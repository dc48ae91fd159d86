/*
 * Log: one JSON object per line on standard error.
 *
 *     log_info("relay is leader", LOG_INTEGER("stream", 0), LOG_TEXT("holder", holder));
 *
 * prints {"time":...,"level":"info","service":...,"message":...,"stream":0,...} and, inside a
 * request, its request_id and trace_id. Nothing secret goes in: no keys, no card data, no codes;
 * route templates, never raw paths.
 *
 * A line is written whole or, when whoever reads the log has stopped reading, dropped and counted:
 * a full disk behind the log must not stop a checkout. Any thread.
 *
 * Warnings and errors are counted too, whatever the lowest level is, in the metric
 * checkout_errors_total{level,message,code}: message and code are the error's fingerprint. The code
 * is the text of a field of that name.
 */
#ifndef CHECKOUT_RUNTIME_LOG_H
#define CHECKOUT_RUNTIME_LOG_H

#include "shared/base/error.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* A line longer than this is cut at a field. */
enum { LOG_LINE_MAX = 4000 };

struct log_field {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

#define LOG_TEXT(name, text)      ((struct log_field){ name, text, 0 })
#define LOG_INTEGER(name, number) ((struct log_field){ name, NULL, number })

/* Once, before threads: the service's name (borrowed for ever), instance and lowest level. */
void log_start(const char *service, const char *instance, enum log_level lowest);

/* "debug", "info", "warning", "error". */
MUST_CHECK bool log_level_parse(const char *text, enum log_level *out);

/* What this thread works on, until set again; NULL for nothing. Copied. */
void log_context_set(const char *request_id, const char *trace_id);

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count);

bool log_enabled(enum log_level level);

/* Lines dropped so far because they could not be written at once: checkout_log_dropped_total. */
int64_t log_dropped(void);

/* Message and fields; LOG_END makes a list of none of them standard C, and is not written. */
#define LOG_END         ((struct log_field){ NULL, NULL, 0 })
#define LOG_FIELDS(...) ((const struct log_field[]){ __VA_ARGS__ })
#define LOG_AT(level, message, ...)                    \
    log_write(level, message, LOG_FIELDS(__VA_ARGS__), \
              sizeof(LOG_FIELDS(__VA_ARGS__)) / sizeof(struct log_field) - 1)

#define log_debug(...)   LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...)    LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__, LOG_END)
#define log_warning(...) LOG_AT(LOG_LEVEL_WARNING, __VA_ARGS__, LOG_END)
#define log_error(...)   LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__, LOG_END)

/* Logs an error that ends here: its kind, code and detail. */
void log_swallowed(enum log_level level, const char *message, const struct error *err);

#endif
