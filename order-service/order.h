/*
 * Order: what a shop has sold, what it costs, and how far it has come.
 *
 * The rules are here and nowhere else: which status may follow which, what the lines add up to,
 * what every change does to the version. Nothing here does I/O or asks what time it is.
 *
 * An order's texts are bounded as the columns are; its lines and its metadata are spans of JSON
 * text that somebody else keeps (a request's draft, or the row that was read) for as long as the
 * order is used.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_H
#define CHECKOUT_ORDER_SERVICE_ORDER_H

#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/base/text.h"

/* Texts have 1 to 200 code points, of at most 4 bytes each. */
enum { ORDER_TEXT_MAX = 200, ORDER_TEXT_SIZE = 4 * ORDER_TEXT_MAX + 1 };

/* A merchant's slug has at most 40 characters. */
enum { ORDER_MERCHANT_SIZE = 41 };

enum { ORDER_LINES_MAX = 500, ORDER_QUANTITY_MAX = 10000, ORDER_METADATA_MAX = 50 };

/* Minor units. */
#define ORDER_UNIT_AMOUNT_MAX INT64_C(1000000000000)
#define ORDER_TOTAL_MAX       INT64_C(1000000000000000)

enum order_status {
    ORDER_PENDING,
    ORDER_PAID,
    ORDER_SENT,
    ORDER_DELIVERED,
    ORDER_RETURNED,
    ORDER_CANCELED,
    ORDER_EXPIRED,
    ORDER_STATUS_COUNT
};

enum order_payment_status {
    ORDER_PAYMENT_UNPAID,
    ORDER_PAYMENT_PARTIALLY_PAID,
    ORDER_PAYMENT_AUTHORIZED,
    ORDER_PAYMENT_PAID,
    ORDER_PAYMENT_PARTIALLY_REFUNDED,
    ORDER_PAYMENT_REFUNDED,
    ORDER_PAYMENT_STATUS_COUNT
};

enum order_terms {
    ORDER_PREPAID, /* paid first, then sent; expires when nobody pays */
    ORDER_INVOICE, /* may be sent first */
    ORDER_TERMS_COUNT
};

/* Their words in JSON and SQL, indexed by the enums. */
extern const char *const order_status_words[ORDER_STATUS_COUNT];
extern const char *const order_payment_status_words[ORDER_PAYMENT_STATUS_COUNT];
extern const char *const order_terms_words[ORDER_TERMS_COUNT];

/* "order:", then the hexadecimal SHA-256 or the id that a voucher is reserved for. */
enum { ORDER_HOLDER_SIZE = 6 + 64 + 1 };

/*
 * A voucher that is deducted from an order. It is good for one order, so what it is worth beyond
 * the order's total is forfeited. Amounts are in minor units of the order's currency.
 */
struct order_voucher {
    bool used; /* false: there is none, and nothing else here counts */
    struct id id;
    char holder[ORDER_HOLDER_SIZE]; /* whom it was reserved for */
    int64_t value_amount;
    int64_t discount_amount;
    int64_t forfeited_amount;
};

struct order {
    int stream;
    struct id id;
    char merchant[ORDER_MERCHANT_SIZE];
    int64_t version;
    enum order_status status;
    enum order_payment_status payment_status;
    enum order_terms terms;
    struct currency currency;
    int64_t total_amount;
    int64_t amount_due;
    struct order_voucher voucher;
    char customer_id[ORDER_TEXT_SIZE];
    char customer_email[ORDER_TEXT_SIZE];   /* "" for none */
    char client_reference[ORDER_TEXT_SIZE]; /* "" for none */
    struct span lines;                      /* JSON array, borrowed */
    struct span metadata;                   /* JSON object, borrowed */
    struct instant created_at;
    struct instant updated_at;
    struct instant expires_at; /* 0 ms: it does not expire (any more) */
};

/* Adds one line to a total; false, and the total as it was, beyond ORDER_TOTAL_MAX. */
MUST_CHECK bool order_total_add(int64_t *total, int64_t quantity, int64_t unit_amount);

/* Deducts the voucher (id, holder and value are filled in) from an order of which all is due. */
void order_deduct(struct order *order, const struct order_voucher *voucher);

/*
 * Makes a new order of what a client asked for (customer, currency, terms, amounts, texts):
 * pending, version 1, created `now`. A prepaid one expires `expiry_ms` later. Where nothing is due,
 * nothing has to be paid: its payment status is `paid` from the start.
 */
void order_begin(struct order *order, struct id id, struct instant now, int64_t expiry_ms);

/* True for a pending prepaid order of which nothing is due: order_move() it to ORDER_PAID at once.
 */
bool order_is_settled(const struct order *order);

/*
 * Moves an order to another status: version + 1, updated `now`. `moved` is false, and nothing
 * changes, when it is there already. ERROR_CONFLICT "illegal_transition" with the members `from`,
 * `to` and `allowed` (what a client may ask for instead).
 */
MUST_CHECK bool order_move(struct order *order, enum order_status to, struct instant now,
                           bool *moved, struct error *err);

/* Any other change of the public object: version + 1, updated `now`. */
void order_touch(struct order *order, struct instant now);

/* True for what a client may ask for; the others follow from payments and from time. */
bool order_status_is_requestable(enum order_status status);

/* The type of the event that announces this status: "order.sent"; of pending, "order.created". */
const char *order_status_event(enum order_status status);

#endif
