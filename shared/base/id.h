/*
 * Id: a UUIDv7 (RFC 9562), 48 bits of milliseconds and 74 random bits.
 *
 * Ids made later sort later (to the millisecond), so they serve as the keyset of lists. A client's
 * own id may be any UUID.
 */
#ifndef CHECKOUT_BASE_ID_H
#define CHECKOUT_BASE_ID_H

#include "shared/base/clock.h"
#include "shared/base/compiler.h"

struct id {
    uint8_t bytes[16];
};

/* 36 characters and their NUL. */
enum { ID_TEXT_SIZE = 37 };

struct id_text {
    char text[ID_TEXT_SIZE];
};

/* A new id, stamped with `now`; random bits from the system. Any thread. */
struct id id_create(struct instant now);

/* The smallest UUIDv7 of that millisecond: a bound for "created after". */
struct id id_floor(struct instant instant);

struct id_text id_text(struct id id);

/* Reads the 36-character form, in either case; anything else is refused. */
MUST_CHECK bool id_parse(const char *text, struct id *out);

int id_compare(struct id a, struct id b);

bool id_equal(struct id a, struct id b);

#endif
