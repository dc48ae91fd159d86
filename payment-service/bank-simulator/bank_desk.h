/*
 * Desk: what the bank does about what comes in.
 *
 * A call is decided on the payment's newest entry, by the pure rules (bank.h), and appended to the
 * book together with the webhook that tells of it; when somebody was faster, it is decided again.
 * Calls about one payment queue here, so that they need not race for its next number: the book
 * would be right without, and callers would wait for longer.
 *
 * Any thread.
 */
#ifndef CHECKOUT_BANK_DESK_H
#define CHECKOUT_BANK_DESK_H

#include "payment-service/bank-simulator/bank_book.h"
#include "payment-service/bank-simulator/bank_faults.h"
#include "payment-service/bank-simulator/bank_outcome.h"

/* Posts a webhook that is to be there before the call is answered, and tells others to be. */
struct bank_post {
    void *ctx;
    /* Posts it now, and waits for the answer; what is not taken stays queued. */
    void (*now)(void *ctx, const struct bank_place *place, const struct bank_hook *hook);
    /* This was queued. */
    void (*wake)(void *ctx, const struct bank_hook *hook);
};

struct desk_settings {
    struct bank_book book;
    struct faults *faults;  /* borrowed */
    const char *public_url; /* borrowed: where challenges are */
    struct bank_post post;
};

struct desk;

struct desk *desk_create(const struct desk_settings *settings);

/* Takes NULL. */
void desk_destroy(struct desk *desk);

/* A call: who asks for what, and until when. */
struct desk_call {
    const struct bank_place *place;
    const struct bank_instruction *instruction;
    const struct bank_card *card;       /* of an authorization */
    const struct bank_verdict *verdict; /* the same */
    struct deadline deadline;
};

struct desk_answer {
    struct bank_record record;
    bool fresh;  /* a record that was not there before */
    bool effect; /* something was written */
};

/*
 * Does what a call asks for, once: the same reference again gets the record as it is now.
 * ERROR_CONFLICT "reference_reused" or "reference_voided", ERROR_VALIDATION
 * "currency_not_supported", ERROR_NOT_FOUND "authorization_not_found"; ERROR_INTERNAL when nobody
 * knows whether it was done; with any other error, it was not.
 */
MUST_CHECK bool desk_perform(struct desk *desk, const struct desk_call *call,
                             struct desk_answer *out, struct error *err);

/* ERROR_NOT_FOUND "not_found". */
MUST_CHECK bool desk_look_up(struct desk *desk, const struct bank_key *key,
                             struct deadline deadline, struct bank_record *out, struct error *err);

/*
 * Lets something happen to a record: a customer passes a challenge or pays, a refund comes back.
 * `amount` is what is paid, 0 for what is due. ERROR_CONFLICT "not_possible" when it can not happen
 * to a record in that state.
 */
MUST_CHECK bool desk_happen(struct desk *desk, const struct bank_key *key, enum bank_event event,
                            int64_t amount, struct bank_record *out, struct error *err);

/* Does what is due of what the bank owes to do by itself: a worker's bite. */
MUST_CHECK bool desk_do_duties(struct desk *desk, struct error *err, bool *more);

/* The book, for those who only read, and the address of challenges. */
struct bank_book *desk_book(struct desk *desk);
const char *desk_public_url(const struct desk *desk);

#endif
