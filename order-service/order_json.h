/*
 * Order JSON: from a request's body to values, and from an order to its public object.
 *
 * Reading names every wrong field at once. Writing is done once per version: the same text is the
 * answer, the event's data and what a repeated request is answered with.
 */
#ifndef CHECKOUT_ORDER_SERVICE_ORDER_JSON_H
#define CHECKOUT_ORDER_SERVICE_ORDER_JSON_H

#include "order-service/order.h"
#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"

/* A code has 12 symbols and a check symbol; there may be dashes and blanks between. */
enum { ORDER_VOUCHER_CODE_MAX = 32, ORDER_VOUCHER_CODE_SIZE = 4 * ORDER_VOUCHER_CODE_MAX + 1 };

/* What POST asks for: an order without id, times and status, and the texts that it borrows. */
struct order_draft {
    struct order order;
    char voucher_code[ORDER_VOUCHER_CODE_SIZE]; /* as it was typed; "" for none */
    struct buffer lines;
    struct buffer metadata;
};

#define ORDER_DRAFT_EMPTY ((struct order_draft){ .lines = BUFFER_EMPTY, .metadata = BUFFER_EMPTY })

/*
 * Reads the body of POST /v1/orders into an empty draft. Lines are rewritten with exactly their
 * four members; total_amount is computed, and one that was sent must equal it.
 */
MUST_CHECK bool order_draft_read(struct span body, struct order_draft *out, struct error *err);

/* Also after a failed read. */
void order_draft_release(struct order_draft *draft);

/* What PATCH asks for. */
struct order_change {
    bool has_status;
    enum order_status status;
    struct json_value *metadata; /* a JSON merge patch of it, or NULL; lives in the document */
};

/* Reads the body of PATCH /v1/orders/{id}; the document must outlive the change. */
MUST_CHECK bool order_change_read(const struct json_document *document, struct order_change *out,
                                  struct error *err);

/*
 * Applies a merge patch (RFC 7396) to metadata: null removes a pair, text sets it. Writes the
 * result into the empty buffer `out`; `changed` tells whether it differs. ERROR_VALIDATION when too
 * many pairs would be left.
 */
MUST_CHECK bool order_metadata_merge(struct span metadata, struct json_value *patch,
                                     struct buffer *out, bool *changed, struct error *err);

/* Writes the public object. */
void order_write(struct json_writer *json, const struct order *order);

#endif
