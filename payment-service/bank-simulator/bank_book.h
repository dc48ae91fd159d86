/*
 * Book: what the bank knows, in its database.
 *
 * An entry is appended with everything that hangs on it in one statement: the operation that it
 * opens, the webhook that tells of it, what the bank owes to do later, and the duty that it
 * fulfils. It is refused when the payment has an entry of that number already, or the account an
 * operation of that reference: then it is read again and decided again. Nothing is ever changed.
 *
 * Appends go through the journal, so that those which come at once share a commit, and are ordered
 * by the payment's reference. Any thread.
 */
#ifndef CHECKOUT_BANK_BOOK_H
#define CHECKOUT_BANK_BOOK_H

#include "payment-service/bank-simulator/bank.h"
#include "shared/db/journal.h"
#include "shared/db/pool.h"

/* The appender of a journal whose writes announce nothing. */
extern const struct appender bank_book_appender;

struct bank_book {
    struct pool *pool; /* borrowed, like the journal */
    struct journal *journal;
};

/* An account at a bank. */
struct bank_place {
    const struct bank *bank;
    char account[BANK_ACCOUNT_SIZE];
};

/* Where a record is. */
struct bank_key {
    struct bank_place place;
    struct id reference;
};

/* A record and its payment as they are now, and what was asked for when it came in. */
struct bank_standing {
    struct bank_record record;
    struct bank_payment payment;
    struct bank_instruction asked;
};

enum bank_hook_mode { HOOK_PLAIN, HOOK_FORGED, HOOK_HELD, HOOK_DROPPED, HOOK_MODE_COUNT };

extern const char *const bank_hook_mode_words[HOOK_MODE_COUNT];

enum { BANK_COPIES_MAX = 10 };

/* A webhook to be queued with an entry. */
struct bank_hook {
    struct id id;
    const char *type; /* NULL: there is nothing to tell */
    struct span body;
    enum bank_hook_mode mode;
    int64_t copies;
    struct instant due_at;
};

/* What is appended. */
struct bank_line {
    const struct bank_place *place;
    const struct bank_entry *entry;
    const struct bank_instruction *instruction; /* of an EVENT_OPENED; else NULL */
    const struct bank_hook *hook;
};

/*
 * Writes whether it was appended. Any error but ERROR_INTERNAL means that it certainly was not;
 * when the database did not say, it is asked by appending again.
 */
MUST_CHECK bool bank_book_append(struct bank_book *book, const struct bank_line *line,
                                 struct deadline deadline, bool *appended, struct error *err);

/* ERROR_NOT_FOUND "not_found". */
MUST_CHECK bool bank_book_find(struct bank_book *book, const struct bank_key *key,
                               struct deadline deadline, struct bank_standing *out,
                               struct error *err);

/*
 * Where a reference is, of all accounts of the bank, or of all banks for NULL: for those who know
 * nothing else. References are UUIDs; of several accounts with the same one, the first to use it.
 */
MUST_CHECK bool bank_book_locate(struct bank_book *book, const struct bank *bank,
                                 struct id reference, struct bank_key *out, struct error *err);

/* ---- Duties --------------------------------------------------------------------------------- */

enum { BANK_DUTIES_MAX = 100 };

struct bank_duty {
    struct bank_key key;
    enum bank_event event;
};

/* Those that are due, the longest first, at most BANK_DUTIES_MAX. */
MUST_CHECK bool bank_book_duties(struct bank_book *book, struct instant now,
                                 struct bank_duty out[BANK_DUTIES_MAX], size_t *count,
                                 struct error *err);

/* Forgets one that can not be fulfilled any more. */
MUST_CHECK bool bank_book_forget(struct bank_book *book, const struct bank_duty *duty,
                                 struct error *err);

/* ---- Settlement ----------------------------------------------------------------------------- */

/* One movement of money. */
struct bank_movement_row {
    struct instant at;
    enum bank_movement movement;
    struct id reference, payment;
    struct money money;
};

/* What a settlement is of; `visit` is called for each movement. */
struct bank_day {
    const struct bank_place *place;
    struct instant from; /* midnight, UTC */
    void (*visit)(void *ctx, const struct bank_movement_row *row);
    void *ctx;
};

/* Visits the movements of one day by time. */
MUST_CHECK bool bank_book_movements(struct bank_book *book, const struct bank_day *day,
                                    struct error *err);

#endif
