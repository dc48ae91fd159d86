/*
 * Gateway: one way to a bank.
 *
 * payment-service knows banks by this interface only: a real one is another file that fills a
 * struct gateway_protocol, and another entry of the configuration (gateway_config.h). A gateway
 * keeps nothing: what was asked, and what became of it, is in the attempts' rows.
 *
 * Every call has a reference, the attempt's id, by which the bank knows it again: asking for the
 * same twice has one effect. What comes back is an outcome, never an error, and what matters most
 * about it is whether the bank may have done something:
 *
 *     approved     done
 *     declined     looked at, and refused: final
 *     pending      the bank has it, and its webhook will tell: challenge, transfer, slow refund
 *     voided       the reference is dead: it never took effect, and never will
 *     not_found    the bank knows no such reference (now: it may come a moment later)
 *     nothing      certainly nothing was done: not reached, or refused before it was looked at
 *     unknown      it may have been done: ask with look_up() later
 *
 * Any thread. A call blocks until its deadline at most; `call->deadline` is the caller's, and each
 * operation has a timeout of its own besides.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_H

#include "payment-service/card.h"
#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/http/client_pool.h"

enum { GATEWAY_NAME_SIZE = 33, GATEWAY_CODE_SIZE = 48, GATEWAY_URL_SIZE = 512 };
enum { GATEWAY_ACCOUNT_SIZE = 41, GATEWAY_DETAIL_SIZE = 160 };

/* Currencies that one entry may list; "*" stands for all. */
enum { GATEWAY_CURRENCIES_MAX = 64 };

/* Secrets that incoming webhooks may be signed with: two while one replaces the other. */
enum { GATEWAY_SECRETS_MAX = 2, GATEWAY_SECRET_SIZE = 128 };

enum gateway_outcome {
    GATEWAY_APPROVED,
    GATEWAY_DECLINED,
    GATEWAY_PENDING,
    GATEWAY_VOIDED,
    GATEWAY_NOT_FOUND,
    GATEWAY_NOTHING,
    GATEWAY_UNKNOWN,
    GATEWAY_OUTCOME_COUNT
};

/* "approved", "declined", ...: as in logs, metrics and the attempts' rows. */
extern const char *const gateway_outcome_words[GATEWAY_OUTCOME_COUNT];

enum gateway_operation {
    GATEWAY_AUTHORIZE, /* a card; captured at once if `capture` */
    GATEWAY_TRANSFER,  /* a bank transfer is announced; the customer pays it some day */
    GATEWAY_CAPTURE,   /* of an authorization, all or a part; the rest is released */
    GATEWAY_VOID,      /* of an authorization that was not captured */
    GATEWAY_REFUND,    /* of what was captured, all or a part */
    GATEWAY_OPERATION_COUNT
};

/* "authorize", "transfer", "capture", "void", "refund". */
extern const char *const gateway_operation_words[GATEWAY_OPERATION_COUNT];

struct gateway_call {
    enum gateway_operation operation;
    struct id reference;     /* the attempt's id */
    struct id target;        /* capture, void, refund: the reference that was authorized */
    const char *account;     /* the merchant's account at the bank: its slug */
    struct money money;      /* of a void: what was authorized */
    bool capture;            /* authorize: capture at once */
    const struct card *card; /* authorize */
    const char *traceparent;
    struct deadline deadline;
};

/* Texts are "" where there is nothing to say. */
struct gateway_result {
    enum gateway_outcome outcome;
    char bank_id[64];                     /* how the bank calls it */
    char failure_code[GATEWAY_CODE_SIZE]; /* declined: "card_declined", "expired_card", ... */
    char decline_code[GATEWAY_CODE_SIZE]; /* ... and closer: "insufficient_funds", ... */
    char refusal[GATEWAY_CODE_SIZE];      /* nothing, and never will be: why */
    char action_url[GATEWAY_URL_SIZE];    /* pending: where the customer has to go */
    char detail[GATEWAY_DETAIL_SIZE];     /* nothing and unknown: why, for our log; no card data */
    int64_t retry_after_s;                /* nothing: the bank asked to wait; else 0 */
    bool captured;                        /* approved authorization: the money was taken */
};

/* What a webhook says. */
enum gateway_notice_kind {
    GATEWAY_NOTICE_OUTCOME,         /* `result` is what became of `reference` */
    GATEWAY_NOTICE_REFUND_RETURNED, /* the refund `reference` had succeeded, and came back */
    GATEWAY_NOTICE_DISPUTED,        /* the customer disputes `reference`, an authorization */
    GATEWAY_NOTICE_DISPUTE_WON,
    GATEWAY_NOTICE_DISPUTE_LOST,
    GATEWAY_NOTICE_OTHER, /* well formed and signed, of a kind that is nothing to us */
};

struct gateway_notice {
    enum gateway_notice_kind kind;
    char id[64]; /* the webhook's own */
    struct id reference;
    enum gateway_operation operation; /* what was asked under the reference */
    struct money money;               /* 0 where the reference never took effect (voided) */
    struct gateway_result result;
};

/* A webhook as it came in; texts are NULL where the header is missing. */
struct gateway_webhook {
    const char *account; /* of the path */
    const char *content_type;
    const char *id, *timestamp, *signature; /* webhook-id, webhook-timestamp, webhook-signature */
    struct span body;
    struct instant now;
};

struct gateway;

/* How a kind of bank is talked to. All fields but name are functions that any thread may call. */
struct gateway_protocol {
    const char *name; /* in the configuration: "json", "soap" */

    /* Does what call->operation says. Never `not_found`. */
    void (*perform)(const struct gateway *gateway, const struct gateway_call *call,
                    struct gateway_result *out);

    /* What became of call->reference. `approved`, `declined`, `pending`, `voided`, `not_found`;
     * `nothing` and `unknown` when the bank could not be asked. */
    void (*look_up)(const struct gateway *gateway, const struct gateway_call *call,
                    struct gateway_result *out);

    /* Makes the reference dead, whether the bank knows it or not: `voided`. What has ended already
     * stays as it was, and is told: `approved`, `declined`. */
    void (*void_reference)(const struct gateway *gateway, const struct gateway_call *call,
                           struct gateway_result *out);

    /*
     * Checks signature (constant time) and time (5 minutes), then reads. ERROR_UNAUTHENTICATED
     * "webhook_signature_missing", "webhook_signature_invalid" or "webhook_too_old";
     * ERROR_MALFORMED or ERROR_VALIDATION for what can not be read, naming the field.
     */
    bool (*parse_webhook)(const struct gateway *gateway, const struct gateway_webhook *webhook,
                          struct gateway_notice *out, struct error *err);
};

/* Milliseconds that each operation may take at this bank. */
struct gateway_timeouts {
    int64_t authorize_ms, capture_ms, void_ms, refund_ms, look_up_ms;
};

/* One entry of the configuration; only read after the start. */
struct gateway {
    char name[GATEWAY_NAME_SIZE]; /* "bank-a"; [a-z0-9-] */
    const struct gateway_protocol *protocol;
    char origins[512];                       /* "http://127.0.0.1:8084" */
    char path[128];                          /* before the protocol's own: "/bank-a/v1" */
    char authorization[GATEWAY_SECRET_SIZE]; /* the header's value; never logged */
    size_t webhook_secret_count;
    char webhook_secrets[GATEWAY_SECRETS_MAX][GATEWAY_SECRET_SIZE];
    bool all_currencies;
    size_t currency_count;
    struct currency currencies[GATEWAY_CURRENCIES_MAX];
    int64_t amount_min, amount_max; /* minor units, whatever the currency */
    bool takes_cards, takes_transfers;
    struct gateway_timeouts timeouts;
    struct client_pool *clients; /* shared by all gateways */
};

/* What a bank is asked about a call. */
enum gateway_question { GATEWAY_PERFORM, GATEWAY_LOOK_UP, GATEWAY_VOID_REFERENCE };

/*
 * Why the bank does not take such a payment at all: "currency", "amount" or "method"; NULL when it
 * does.
 */
const char *gateway_refusal(const struct gateway *gateway, struct money money,
                            enum gateway_operation operation);

/* Whether the bank takes such a payment at all. */
bool gateway_supports(const struct gateway *gateway, struct money money,
                      enum gateway_operation operation);

/* The earlier of the call's deadline and the bank's own for that question. */
struct deadline gateway_deadline(const struct gateway *gateway, enum gateway_question question,
                                 const struct gateway_call *call);

#endif
