/*
 * Answers: what was answered under an Idempotency-Key, so that a repeat gets the same.
 *
 * The key is written by the statement that has the effect, in the same transaction: a creation
 * inserts key and row together; a change inserts the key only for a target row it has locked at the
 * expected version, so a stale version does not burn the key. The row names the event (subject,
 * version) whose data was the answer. A repeat is therefore found only after something refused:
 *
 *     WRITE_REFUSED, or the domain says no  ->  answers_find()  ->  then read the row again
 */
#ifndef CHECKOUT_EVENTS_ANSWERS_H
#define CHECKOUT_EVENTS_ANSWERS_H

#include "shared/db/pool.h"
#include "shared/db/write.h"
#include "shared/http/reply.h"
#include "shared/http/request.h"

/* How long an answer is kept unless set otherwise, and how many are purged in one bite. */
enum { ANSWERS_RETENTION_S = 86400, ANSWERS_PURGE_MAX = 1000 };

struct answer {
    int status;    /* 0: there is none yet */
    bool replayed; /* it was given before */
    struct id subject;
    int64_t subject_version;
    struct buffer body; /* the event's data at that version, byte for byte; may be empty when
                           the subject has no events (then the service reads its row) */
};

#define ANSWER_EMPTY ((struct answer){ .body = BUFFER_EMPTY })

/* Fills an answer given for the first time; the text is taken over, not copied. */
void answer_make(struct answer *answer, int status, struct id subject, int64_t subject_version,
                 struct buffer *body);

/*
 * Looks the request's key up and, when it was used, fills `out` as it was answered then; otherwise
 * (or without a key) `out` stays without a status. ERROR_VALIDATION "idempotency_key_reused" when
 * it was used with another body. The caller releases the answer.
 */
MUST_CHECK bool answers_find(struct pool *pool, const struct caller *caller,
                             const struct idempotency *idempotency, struct answer *out,
                             struct error *err);

void answer_release(struct answer *answer);

/*
 * Replies with the answer: status, ETag, Idempotent-Replayed where it was given before, and its
 * body, which goes over. Returns true, to end a handler with.
 */
bool reply_answer(struct reply *reply, struct answer *answer);

/*
 * Adds the four columns of the key to a write's parameters, in this order: scope text, key text
 * (NULL without a key), body hash bytea, status bigint, and sets the write's key for ordering.
 * (The merchant, stream, subject, version and time are columns of the write already.)
 */
void answers_add_parameters(struct write *write, const char *merchant,
                            const struct idempotency *idempotency, int status);

/*
 * A write that only keeps an answer (status, subject and version of `answer`): for a request that
 * found things as it wanted them. Refused when the key is there already. Needs a key.
 */
void answers_keep(struct write *write, const struct caller *caller,
                  const struct idempotency *idempotency, const struct answer *answer);

/*
 * Forgets answers that were kept for `kept_s` seconds, at most ANSWERS_PURGE_MAX; `more` if that
 * many were found.
 */
MUST_CHECK bool answers_purge(struct pool *pool, int64_t kept_s, struct deadline deadline,
                              bool *more, struct error *err);

#endif
