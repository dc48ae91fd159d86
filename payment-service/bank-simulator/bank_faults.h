/*
 * Faults: what shall go wrong, as somebody scripted it.
 *
 * A fault matches calls (or, for kinds that begin with "webhook_", webhooks) by bank, account,
 * operation, card and amount; of those that it matches it strikes all, every n-th (`share`), or a
 * share that a seed makes reproducible, and at most `times` of them. Of the faults for calls the
 * first that strikes counts and the others are not asked; those for webhooks add up.
 *
 * Any thread.
 */
#ifndef CHECKOUT_BANK_FAULTS_H
#define CHECKOUT_BANK_FAULTS_H

#include "payment-service/bank-simulator/bank.h"
#include "payment-service/bank-simulator/bank_outcome.h"

enum { FAULTS_MAX = 64, FAULT_DELAY_MAX_MS = 30000, FAULT_TIMES_MAX = 1000000 };
enum { FAULT_COPIES_MAX = 10, FAULT_COPIES_DEFAULT = 2 };

enum fault_kind {
    FAULT_LATENCY,
    FAULT_TIMEOUT,
    FAULT_ERROR_500,
    FAULT_UNAVAILABLE_503,
    FAULT_RESET,
    FAULT_LOSE_ANSWER,
    FAULT_ANSWER_LATE,
    FAULT_DO_LATE,
    FAULT_OUTAGE,
    FAULT_CALL_KINDS, /* those above strike calls, those below webhooks */
    FAULT_WEBHOOK_BEFORE_ANSWER = FAULT_CALL_KINDS,
    FAULT_WEBHOOK_REPEAT,
    FAULT_WEBHOOK_REORDER,
    FAULT_WEBHOOK_LATE,
    FAULT_WEBHOOK_DROP,
    FAULT_WEBHOOK_FORGED,
    FAULT_WEBHOOK_OTHER_REFERENCE,
    FAULT_KIND_COUNT
};

/* "latency", "webhook_repeat", ...: as the control API spells them. */
extern const char *const fault_kind_words[FAULT_KIND_COUNT];

struct fault {
    enum fault_kind kind;

    /* What it matches; NULL, -1, "" or 0: everything. */
    const struct bank *bank;
    int operation; /* enum bank_operation, or -1 */
    char account[BANK_ACCOUNT_SIZE];
    char card[BANK_CARD_SIZE];
    int64_t amount;

    /* Which of those it strikes. */
    int64_t share_part, share_of; /* the last `part` of every `of`: of 1 in 3, the third */
    int64_t probability_percent;  /* 100: all */
    int64_t seed;
    int64_t times; /* at most, 0: no limit; of a webhook_repeat, the copies */

    int64_t delay_ms, seconds, retry_after_s;
    struct id reference; /* of webhook_other_reference */

    /* Kept by whoever keeps the faults. */
    struct id id;
    int64_t matched, struck;
    uint64_t random;    /* the state of its generator */
    int64_t ends_at_ms; /* of an outage, monotonic */
};

/* A call or a webhook. */
struct fault_question {
    const struct bank *bank;
    const char *account;
    enum bank_operation operation;
    const char *card; /* NULL for none */
    int64_t amount;
};

struct faults;

struct faults *faults_create(void);

/* Takes NULL; card numbers are wiped. */
void faults_destroy(struct faults *faults);

/* Adds a copy, with an id of its own; `now_ms` is monotonic, here and below. False when there are
 * FAULTS_MAX already. */
MUST_CHECK bool faults_add(struct faults *faults, const struct fault *fault, int64_t now_ms,
                           struct id *id);

/* Ends one; false when there is none of that id. */
bool faults_remove(struct faults *faults, struct id id);
void faults_clear(struct faults *faults);

/* Leaves the last four digits of its card, if it has one. */
void fault_mask(struct fault *fault);

/* Copies all of them, in the order in which they were added; cards are masked. */
size_t faults_list(struct faults *faults, struct fault out[FAULTS_MAX]);

/* The fault that strikes a call, if one does. */
bool faults_strike_call(struct faults *faults, const struct fault_question *question,
                        int64_t now_ms, struct fault *out);

/* What becomes of a webhook. */
struct fault_plan {
    bool before_answer, held, dropped, forged, other;
    int64_t copies;
    int64_t delay_ms;
    struct id reference; /* with `other` */
};

struct fault_plan faults_strike_webhook(struct faults *faults,
                                        const struct fault_question *question);

#endif
