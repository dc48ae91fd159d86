/*
 * Query: the parameters behind '?', read like a JSON object.
 *
 * Each is percent-decoded ('+' is a blank), must be UTF-8, may occur once. Wrong ones are recorded
 * with the pointer "?name"; query_end() records those nobody asked for. Same shape as the JSON
 * reader: read, read, end, ok.
 */
#ifndef CHECKOUT_HTTP_QUERY_H
#define CHECKOUT_HTTP_QUERY_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"

enum { QUERY_PARAMETERS_MAX = 16, QUERY_TEXT_MAX = 1024 };

struct query {
    struct error *err;
    size_t count;
    struct {
        char name[40];
        char value[QUERY_TEXT_MAX];
        bool asked;
    } parameters[QUERY_PARAMETERS_MAX];
};

/* Makes err an ERROR_VALIDATION without fields and reads the text. */
void query_begin(struct query *query, const char *text, struct error *err);

/* Each returns true when `out` was written, false when absent or wrong (and recorded). */
bool query_read_text(struct query *query, const char *name, size_t min, size_t max, char *out,
                     size_t size);
bool query_read_integer(struct query *query, const char *name, int64_t min, int64_t max,
                        int64_t *out);
bool query_read_id(struct query *query, const char *name, struct id *out);
bool query_read_instant(struct query *query, const char *name, struct instant *out);
bool query_read_choice(struct query *query, const char *name, const char *const *words,
                       size_t count, size_t *out);

void query_refuse(struct query *query, const char *name, const char *code, const char *detail);
void query_end(struct query *query);
bool query_ok(const struct query *query);

#endif
