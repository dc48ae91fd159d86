/*
 * Error: why something failed, as a value.
 *
 * A function that can fail is
 *
 *     MUST_CHECK bool f(..., T *out, struct error *err);
 *
 * and writes `out` only when it returns true, `err` only when it returns false. Its kind says what
 * the caller may do about it and maps to one HTTP status; its code names the problem for clients
 * (`/problems/<code>`); its detail is for a person. Whoever swallows an error logs it, nobody else.
 *
 * An error of ERROR_VALIDATION lists every wrong field with its JSON pointer (RFC 6901).
 */
#ifndef CHECKOUT_BASE_ERROR_H
#define CHECKOUT_BASE_ERROR_H

#include "shared/base/compiler.h"

enum error_kind {
    ERROR_NONE,
    ERROR_MALFORMED,         /* 400: cannot be read as what it claims to be */
    ERROR_UNAUTHENTICATED,   /* 401 */
    ERROR_FORBIDDEN,         /* 403 */
    ERROR_NOT_FOUND,         /* 404 */
    ERROR_METHOD,            /* 405 */
    ERROR_CONFLICT,          /* 409: the state of things does not allow it */
    ERROR_PRECONDITION,      /* 412: If-Match is stale */
    ERROR_TOO_LARGE,         /* 413 */
    ERROR_MEDIA_TYPE,        /* 415 */
    ERROR_VALIDATION,        /* 422: readable, but fields are wrong */
    ERROR_RATE_LIMITED,      /* 429 */
    ERROR_HEADERS_TOO_LARGE, /* 431 */
    ERROR_NOT_IMPLEMENTED,   /* 501: an HTTP feature that is not spoken here */
    ERROR_UNAVAILABLE,       /* 503: a dependency is away; nothing was done */
    ERROR_OVERLOADED,        /* 503: a queue is full; nothing was done */
    ERROR_UNKNOWN_OUTCOME,   /* 503: it may have been done; repeat with the same key */
    ERROR_DEADLINE,          /* 503: the time was over before it began */
    ERROR_DATA,              /* the database refuses the data (SQLSTATE class 22 or 23) */
    ERROR_TRANSIENT,         /* deadlock, lock timeout, serialisation: try the whole again */
    ERROR_CONFIGURATION,     /* exit code 2 */
    ERROR_INTERNAL,          /* 500: our own bug */
    ERROR_KIND_COUNT
};

/* Wrong fields that one error lists; `fields_omitted` counts those beyond. */
enum { ERROR_FIELDS_MAX = 64 };

struct error_field {
    char pointer[96];
    char code[40];
    char detail[120];
};

/* No initialisation needed before a call that may fill it. */
struct error {
    enum error_kind kind;
    char code[48];
    char detail[256];
    int64_t retry_after_s; /* 0: no Retry-After */
    char extra[384];       /* further JSON members ("\"from\":\"sent\",..."), or empty */
    size_t field_count;
    size_t fields_omitted;
    struct error_field fields[ERROR_FIELDS_MAX];
};

/* Fills err (without fields) and returns false, so that it can be returned. */
bool error_set(struct error *err, enum error_kind kind, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* ERROR_CONFLICT "version_conflict": others changed the object, "order", each time it was tried. */
bool error_set_restless(struct error *err, const char *object);

/* Makes err an ERROR_VALIDATION without fields yet. */
void error_begin_validation(struct error *err);

/* Adds one wrong field to an error made by error_begin_validation(). */
void error_add_field(struct error *err, const char *pointer, const char *code, const char *format,
                     ...) PRINTF_LIKE(4, 5);

/* Puts context before the detail: "context: detail". Returns false. */
bool error_prefix(struct error *err, const char *context);

/* The HTTP status of a kind, from the one table. */
int error_status(enum error_kind kind);

/* The short title of a kind (RFC 9457 "title"), a static string. */
const char *error_title(enum error_kind kind);

#endif
