/*
 * Write: one statement for one row, and what it announces.
 *
 * Writes that are equal but for their values go to the server as one statement for many rows: each
 * parameter becomes an array. So a write's statement is set-based; its first line is
 *
 *     WITH input AS (SELECT * FROM unnest($1::bigint[], $2::uuid[], ...) AS input (stream, ...))
 *
 * and it returns the column `id` (the write's `row`) for each input that took effect. An input that
 * returns no row was refused; a statement is written so that it refuses instead of raising.
 *
 * Order of locks: changes come before creations, changes sorted by the row they change, creations
 * by `key`. Two writes of the same row or the same key never share a statement. A write that also
 * changes a row that other writes change too - payments of one order reserve on its row - names it
 * with write_also(): it is sorted by that row, and shares no statement with another of it.
 *
 * A change of a row that is made in the same transaction comes last, after what makes it; nobody
 * else can wait for that row.
 */
#ifndef CHECKOUT_DB_WRITE_H
#define CHECKOUT_DB_WRITE_H

#include "shared/base/id.h"
#include "shared/db/parameters.h"
#include "shared/db/statement.h"

struct event; /* shared/events/event.h: this room passes it on and never looks inside */

/* What one write can announce: its own change, and one that follows from it. */
enum { WRITE_EVENTS_MAX = 2 };

/* Room for "merchant scope key" at their longest, which a creation is sorted by. */
enum { WRITE_KEY_SIZE = 512 };

enum write_kind {
    WRITE_CHANGE, /* of an existing row: locked in the order of `row` */
    WRITE_CREATE, /* of a new row: in the order of `key`, which may be "" */
};

enum write_outcome {
    WRITE_REFUSED, /* no row came back: nothing written, nothing announced */
    WRITE_DONE,    /* committed, with its events */
};

struct write {
    const struct statement *statement;
    enum write_kind kind;
    int stream;
    struct id row;            /* the subject's id: what the statement returns as `id` */
    struct id also;           /* a row that other writes change too; all zero for none */
    bool of_new_row;          /* a change of a row that its transaction makes; set by that */
    char key[WRITE_KEY_SIZE]; /* idempotency key with its scope, or "" */
    struct parameters parameters;
    size_t event_count;
    const struct event *events[WRITE_EVENTS_MAX]; /* borrowed until the commit returned */
    enum write_outcome outcome;                   /* set by whoever commits */
};

/* An empty write; release it with write_release(). */
void write_begin(struct write *write, const struct statement *statement, enum write_kind kind,
                 int stream, struct id row);

/* Names the shared row; the statement has to lock it before its own. Of a WRITE_CHANGE. */
void write_also(struct write *write, struct id also);

/* Announces an event if the write takes effect. */
void write_announce(struct write *write, const struct event *event);

void write_release(struct write *write);

/* The order in which a transaction takes locks; for qsort-like sorting of pointers. */
int write_compare(const struct write *a, const struct write *b);

/* True when both may be rows of one statement. */
bool write_may_share(const struct write *a, const struct write *b);

#endif
