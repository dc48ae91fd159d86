/*
 * Fake bank: a port that says what a test tells it to, and remembers what it was asked.
 *
 * Every connection is for one request.
 */
#ifndef CHECKOUT_TESTS_UNIT_PAYMENT_FAKE_BANK_H
#define CHECKOUT_TESTS_UNIT_PAYMENT_FAKE_BANK_H

#include "payment-service/gateway.h"

#define REFERENCE "019c2d4e-7b3a-7c1d-8e2f-0123456789ab"
#define TARGET    "019c2d4e-7b3a-7c1d-8e2f-0123456789ac"
#define OTHER     "019c2d4e-7b3a-7c1d-8e2f-0123456789ad"

#define CARD_NUMBER "4242424242424242"

/* A secret that webhooks are signed with, the one it replaces, and one that nobody agreed on. */
#define HOOK_SECRET   "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
#define HOOK_OLD      "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
#define HOOK_STRANGER "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"

/* How the bank behaves once it has the whole request. */
enum fake_behaviour {
    BANK_ANSWERS,
    BANK_HANGS_UP,       /* without a word */
    BANK_RESETS,         /* without having read anything */
    BANK_IS_SILENT,      /* until the caller gives up */
    BANK_CUTS_HEAD,      /* in the middle of its head */
    BANK_CUTS_BODY,      /* in the middle of its body */
    BANK_NEVER_ENDS,     /* its body has more bytes than anybody wants */
    BANK_SPEAKS_NONSENSE /* no HTTP */
};

struct fake_answer {
    enum fake_behaviour behaviour;
    int status;
    const char *headers; /* lines, each with its end; NULL for none */
    const char *body;
};

struct fake_bank;

struct fake_bank *fake_bank_start(void);
void fake_bank_stop(struct fake_bank *bank);

/* What it says to the next requests. Borrowed. */
void fake_bank_tell(struct fake_bank *bank, const struct fake_answer *answer);

/* Head and body of the newest request; "" when there was none since it was told. */
const char *fake_bank_heard(struct fake_bank *bank);

/* A gateway to it, with timeouts of 2 s and both secrets; and one to a port where nobody is. */
struct gateway fake_gateway(const struct fake_bank *bank, const struct gateway_protocol *protocol,
                            struct client_pool *clients);
struct gateway nobody_gateway(const struct gateway_protocol *protocol, struct client_pool *clients);

/* A call of EUR 137.00 under REFERENCE, on TARGET where one is needed, within 3 s. */
struct gateway_call fake_call(enum gateway_operation operation);

/* A webhook of account "demo" with this body, signed now with HOOK_SECRET by the id "msg_1". */
struct gateway_webhook fake_webhook(const char *content_type, const char *body);

/* The same, signed with another secret, `age_s` ago. */
struct gateway_webhook fake_webhook_signed(const char *content_type, const char *body,
                                           const char *secret, int64_t age_s);

#endif
