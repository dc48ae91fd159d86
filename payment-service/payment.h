/*
 * Payment: money on its way from a customer to a merchant, and how far it has come.
 *
 * The rules are here and nowhere else: which status may follow which, what may be captured and
 * given back, when money has come that nobody wants any more. Nothing here does I/O or asks what
 * time it is. What a bank did is told to a payment by one of the functions below; each returns the
 * type of the event that announces the change, or NULL when nothing public changed.
 *
 * `version` counts changes of the public object, each with one event; `revision` counts changes of
 * the row, which a change fences itself with.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_PAYMENT_H
#define CHECKOUT_PAYMENT_SERVICE_PAYMENT_H

#include "payment-service/card.h"
#include "shared/base/error.h"
#include "shared/base/id.h"
#include "shared/base/money.h"

enum { PAYMENT_MERCHANT_SIZE = 41, PAYMENT_GATEWAY_SIZE = 33, PAYMENT_CODE_SIZE = 48 };
enum { PAYMENT_URL_SIZE = 512, PAYMENT_HASH_SIZE = 32 };

/* Minor units. */
#define PAYMENT_AMOUNT_MAX INT64_C(1000000000000000)

/* How long a payment may wait for its customer, for its transfer, and for its capture. */
#define PAYMENT_CHALLENGE_MS     INT64_C(3600000)
#define PAYMENT_TRANSFER_MS      INT64_C(604800000)
#define PAYMENT_AUTHORIZATION_MS INT64_C(604800000)

enum payment_status {
    PAYMENT_PROCESSING,
    PAYMENT_REQUIRES_ACTION,
    PAYMENT_AUTHORIZED,
    PAYMENT_SUCCEEDED,
    PAYMENT_FAILED,
    PAYMENT_CANCELED,
    PAYMENT_EXPIRED,
    PAYMENT_STATUS_COUNT
};

enum payment_capture { PAYMENT_CAPTURE_AUTOMATIC, PAYMENT_CAPTURE_MANUAL, PAYMENT_CAPTURE_COUNT };

enum payment_method { PAYMENT_CARD, PAYMENT_BANK_TRANSFER, PAYMENT_METHOD_COUNT };

enum payment_dispute {
    PAYMENT_DISPUTE_NONE,
    PAYMENT_DISPUTE_OPEN,
    PAYMENT_DISPUTE_WON,
    PAYMENT_DISPUTE_LOST,
    PAYMENT_DISPUTE_COUNT
};

/* What is being done with it at the bank right now, one at a time. */
enum payment_operation {
    PAYMENT_IDLE,
    PAYMENT_CAPTURING,
    PAYMENT_CANCELING, /* by the merchant, or because its order ended */
    PAYMENT_EXPIRING,
    PAYMENT_OPERATION_COUNT
};

/* Their words in JSON and SQL, indexed by the enums; PAYMENT_IDLE has "". */
extern const char *const payment_status_words[PAYMENT_STATUS_COUNT];
extern const char *const payment_capture_words[PAYMENT_CAPTURE_COUNT];
extern const char *const payment_method_words[PAYMENT_METHOD_COUNT];
extern const char *const payment_dispute_words[PAYMENT_DISPUTE_COUNT];
extern const char *const payment_operation_words[PAYMENT_OPERATION_COUNT];

/* Refunds and disputes: the object changed without moving. */
#define PAYMENT_UPDATED  "payment.updated"
#define PAYMENT_ORPHANED "payment.orphaned"

/* Why the bank did not take it; "" where there is nothing to say. */
struct payment_failure {
    char code[PAYMENT_CODE_SIZE];
    char decline_code[PAYMENT_CODE_SIZE];
};

struct payment {
    int stream;
    struct id id;
    char merchant[PAYMENT_MERCHANT_SIZE];
    int64_t version, revision;
    enum payment_status status;
    bool has_order;
    struct id order_id;
    struct money money; /* what is to be paid */
    int64_t amount_captured, amount_refunded, amount_refund_pending;
    enum payment_capture capture;
    enum payment_method method;
    struct card_face face;              /* of a card */
    char gateway[PAYMENT_GATEWAY_SIZE]; /* where it is being made, or was */
    struct id authorization_id; /* the attempt that authorizes it: what follows refers to it */
    enum payment_operation operation;
    struct id operation_id; /* the attempt of that operation */
    enum payment_dispute dispute;
    bool orphaned; /* money came that nobody wants any more */
    bool to_undo;  /* ... and has to go back */
    struct payment_failure failure;
    char action_url[PAYMENT_URL_SIZE]; /* where the customer has to go */
    uint8_t request_hash[PAYMENT_HASH_SIZE];
    struct instant created_at, updated_at;
    struct instant expires_at; /* 0 ms: it does not expire (any more) */
};

/* Makes a new payment of what was asked for: processing, version 1. */
void payment_begin(struct payment *payment, struct id id, struct instant now);

/* "payment.succeeded" and the like: the type of the event of a status. */
const char *payment_status_event(enum payment_status status);

/* True while the bank's outcome is still to come. */
bool payment_is_open(const struct payment *payment);

/* --- What the bank told about the authorization ----------------------------------------------- */

/*
 * The money is there: captured, or held where it is captured by hand. `wanted` is false when the
 * order has ended meanwhile. Money for a payment that is over, or not wanted, makes it an orphan,
 * to be undone. NULL when it was known.
 */
const char *payment_authorize(struct payment *payment, bool wanted, struct instant now);

/* The bank refused, or nobody could be asked. NULL when the payment has ended already. */
const char *payment_refuse(struct payment *payment, const struct payment_failure *failure,
                           struct instant now);

/* The bank wants the customer to come to `url`; "" for a transfer, which simply takes its time. */
const char *payment_challenge(struct payment *payment, const char *url, struct instant now);

/* The reference is dead: the end of a payment that is being canceled or expires; else a failure. */
const char *payment_void_reference(struct payment *payment, struct instant now);

/* --- Capturing, canceling, expiring ----------------------------------------------------------- */

/*
 * Begins what the attempt `id` does at the bank. ERROR_CONFLICT "illegal_transition" with `from`,
 * `to`, `allowed`; "operation_in_progress" while another one has not ended. `already` is true, and
 * nothing changes, when the payment is there already.
 */
MUST_CHECK bool payment_begin_operation(struct payment *payment, enum payment_operation operation,
                                        struct id id, bool *already, struct error *err);

/* 0 stands for all. ERROR_VALIDATION at /amount when it is more than was authorized. */
MUST_CHECK bool payment_capture_amount(const struct payment *payment, int64_t *amount,
                                       struct error *err);

/* True when the authorization is held by the bank, so that canceling has to release it. */
bool payment_is_held(const struct payment *payment);

/* Begins to release what is held for nobody, whatever became of the payment; false while something
 * else is done with it. */
MUST_CHECK bool payment_begin_release(struct payment *payment, struct id id);

/* The bank did it: `amount` is what was captured (0 for the others). */
const char *payment_end_operation(struct payment *payment, int64_t amount, struct instant now);

/* The bank refused to do it: the payment stays as it was, and what is to be undone still is. */
const char *payment_fail_operation(struct payment *payment, const struct payment_failure *failure,
                                   struct instant now);

/* --- Giving back ------------------------------------------------------------------------------ */

/* What may still be given back. */
int64_t payment_refundable(const struct payment *payment);

/*
 * Reserves the amount for a refund; 0 stands for all that is left. ERROR_CONFLICT
 * "payment_not_refundable" (nothing was captured), "payment_disputed" (the customer asks the bank
 * for it, or has got it), "payment_refunded" (nothing is left, or what is left is spoken for);
 * ERROR_VALIDATION at /amount.
 */
MUST_CHECK bool payment_begin_refund(struct payment *payment, int64_t *amount, struct error *err);

/* The refund has ended; failed ones give back what was reserved. */
const char *payment_end_refund(struct payment *payment, int64_t amount, bool succeeded,
                               struct instant now);

/* A refund that had succeeded came back. */
const char *payment_return_refund(struct payment *payment, int64_t amount, struct instant now);

/* "none", "partial", "full". */
const char *payment_refund_status(const struct payment *payment);

const char *payment_set_dispute(struct payment *payment, enum payment_dispute dispute,
                                struct instant now);

/* --- Its share of the order ------------------------------------------------------------------- */

/* What of the order's amount it stands for: unresolved, authorized or succeeded; and paid. */
int64_t payment_reserved(const struct payment *payment);
int64_t payment_paid(const struct payment *payment);

/* True while the bank may hold or have money for it that an ended order has no use for. */
bool payment_is_undoable(const struct payment *payment);

#endif
