/*
 * Bank: the rules of its book. Pure: no I/O, and time is a parameter.
 *
 * Whatever comes in has a reference of the caller's, and becomes a record under it. Records that
 * speak of the same money are one payment: an authorization or a transfer begins it, captures,
 * voids and refunds follow it, and it goes through phases:
 *
 *     pending      a challenge that nobody has passed, a transfer that nobody has paid
 *     authorized   the money is held
 *     captured     it was taken, all or a part of it; refunds give it back
 *     released     held, and let go by a void
 *     refused      declined
 *     dead         its reference was voided while it was pending, or before it was known
 *
 * A payment is a line of entries, numbered 1, 2, 3, ...: each says what happened and how payment
 * and record stand afterwards. The book only ever gets more of them, and no payment has two entries
 * of one number: so what is decided here on the newest one counts, or somebody was faster and it is
 * decided again.
 */
#ifndef CHECKOUT_BANK_H
#define CHECKOUT_BANK_H

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/base/text.h"

/* ---- Banks and accounts --------------------------------------------------------------------- */

enum { BANK_NAME_SIZE = 16, BANK_ACCOUNT_SIZE = 41 };

/* Minor units, of one operation. */
#define BANK_AMOUNT_MAX INT64_C(1000000000000000)

struct bank {
    const char *name;
    bool speaks_soap;       /* and nothing else; the others speak JSON */
    const char *currencies; /* codes with blanks between them; NULL: all */
};

/* The bank of that name, or NULL. */
const struct bank *bank_find(const char *name);

bool bank_takes(const struct bank *bank, struct currency currency);

/* Whether that can be an account: [a-z0-9-]{1,40}. */
bool bank_account_is_valid(struct span account);

/* ---- Records -------------------------------------------------------------------------------- */

enum bank_operation {
    BANK_AUTHORIZE,
    BANK_TRANSFER,
    BANK_CAPTURE,
    BANK_VOID,
    BANK_REFUND,
    BANK_VOID_REFERENCE,
    BANK_RECORDED_COUNT, /* those above make records, those below only ask */
    BANK_LOOK_UP = BANK_RECORDED_COUNT,
    BANK_SETTLEMENT,
    BANK_OPERATION_COUNT
};

/* "authorize", "transfer", ... */
extern const char *const bank_operation_words[BANK_OPERATION_COUNT];

/* Whether it follows an authorization or transfer: captures, voids and refunds. */
bool bank_operation_follows(enum bank_operation operation);

enum bank_status { BANK_APPROVED, BANK_DECLINED, BANK_PENDING, BANK_VOIDED, BANK_STATUS_COUNT };

extern const char *const bank_status_words[BANK_STATUS_COUNT];

/* "op_01j...": 26 digits of Crockford's base 32, lower case. */
enum { BANK_ID_SIZE = 30, BANK_CODE_SIZE = 48 };

void bank_record_id(struct id id, char out[BANK_ID_SIZE]);

struct bank_record {
    char id[BANK_ID_SIZE];
    enum bank_operation operation;
    struct id reference;
    struct id payment; /* the reference that began the payment: its own, or the authorization */
    enum bank_status status;
    struct money money; /* code "" for a reference that was dead before it was known */
    bool captured;      /* of an authorization or transfer: its money was taken */
    char failure_code[BANK_CODE_SIZE]; /* "" unless declined */
    char decline_code[BANK_CODE_SIZE]; /* closer, or "" */
    struct instant created_at;
};

/* ---- Payments ------------------------------------------------------------------------------- */

enum bank_phase {
    PHASE_PENDING,
    PHASE_AUTHORIZED,
    PHASE_CAPTURED,
    PHASE_RELEASED,
    PHASE_REFUSED,
    PHASE_DEAD,
    PHASE_COUNT
};

extern const char *const bank_phase_words[PHASE_COUNT];

/* What the card of an authorization has in store for later: all that is kept of it but its face. */
enum bank_marker {
    MARKER_NONE,
    MARKER_DISPUTED,        /* the customer will dispute it */
    MARKER_REFUNDS_RETURN,  /* refunds are approved, and come back */
    MARKER_REFUNDS_PENDING, /* refunds take a moment */
    MARKER_COUNT
};

extern const char *const bank_marker_words[MARKER_COUNT];

enum bank_dispute { DISPUTE_NONE, DISPUTE_OPEN, DISPUTE_WON, DISPUTE_LOST, DISPUTE_COUNT };

extern const char *const bank_dispute_words[DISPUTE_COUNT];

struct bank_payment {
    struct id reference;
    int64_t version; /* of its newest entry */
    enum bank_phase phase;
    bool is_transfer;
    bool capture; /* at once when it is approved */
    enum bank_marker marker;
    enum bank_dispute dispute;
    struct money money; /* authorized or announced */
    int64_t captured;
    int64_t refunded; /* or on its way */
};

/* ---- Entries -------------------------------------------------------------------------------- */

enum bank_event {
    EVENT_OPENED, /* the record's call came in */
    EVENT_CHALLENGE_PASSED,
    EVENT_CHALLENGE_FAILED,
    EVENT_PAID,            /* a transfer, by the customer */
    EVENT_VOIDED,          /* a pending record, by its reference */
    EVENT_REFUND_APPROVED, /* a pending one */
    EVENT_REFUND_RETURNED, /* an approved one */
    EVENT_DISPUTE_OPENED,
    EVENT_DISPUTE_WON,
    EVENT_DISPUTE_LOST,
    EVENT_COUNT
};

extern const char *const bank_event_words[EVENT_COUNT];

/* Money that moved for good: what a settlement lists. */
enum bank_movement {
    MOVEMENT_NONE,
    MOVEMENT_CAPTURE,
    MOVEMENT_TRANSFER,
    MOVEMENT_REFUND,
    MOVEMENT_REFUND_RETURN,
    MOVEMENT_COUNT
};

extern const char *const bank_movement_words[MOVEMENT_COUNT];

struct bank_entry {
    enum bank_event event;
    struct bank_record record;   /* as it is afterwards */
    struct bank_payment payment; /* the same; its version is this entry's number */
    enum bank_movement movement; /* of record.money */
    enum bank_event duty;        /* what the bank will do by itself later; EVENT_OPENED: nothing */
    struct instant at;
};

/* How much later that is. */
enum { BANK_DUTY_MS = 1000 };

/* What came in. */
struct bank_instruction {
    enum bank_operation operation;
    struct id reference;
    struct id authorization; /* of what follows one */
    struct money money;      /* captures and refunds: the currency is the payment's */
    bool capture;            /* of an authorization: at once */
    /* Of an authorization, what is kept of its card. */
    char last4[5];
    char expiry[8]; /* "MM/YYYY" */
};

/* How an authorization ends; for all others, approved without a marker. */
struct bank_verdict {
    enum bank_status status;                 /* approved, declined or pending */
    const char *failure_code, *decline_code; /* or NULL */
    enum bank_marker marker;
};

/*
 * The first entry of a payment: an authorization, a transfer, or a reference that is made dead
 * before it is known. The record's id is made of `id`.
 */
void bank_open(const struct bank_instruction *instruction, const struct bank_verdict *verdict,
               struct id id, struct instant now, struct bank_entry *out);

/* A capture, void or refund: approved, or declined for what the payment's state does not allow. */
void bank_follow(const struct bank_instruction *instruction, const struct bank_payment *payment,
                 struct id id, struct instant now, struct bank_entry *out);

/*
 * What happens to a record without its caller; `record` is the payment's own unless it is a
 * refund's event. `amount` is what a customer pays. False when it can not happen now.
 */
MUST_CHECK bool bank_happen(enum bank_event event, const struct bank_payment *payment,
                            const struct bank_record *record, int64_t amount, struct instant now,
                            struct bank_entry *out);

/* The type of the webhook that tells of an entry ("refund.approved"), or NULL for none. */
const char *bank_notice_type(const struct bank_entry *entry);

/* Times that a webhook is posted. */
enum { NOTICE_TRIES_MAX = 10 };

/*
 * How long after its n-th try (from 1) it is posted again, by the status that it was answered with
 * (0: none); 0 when it has ended.
 */
int64_t bank_notice_pause_ms(int64_t tries, int status);

#endif
