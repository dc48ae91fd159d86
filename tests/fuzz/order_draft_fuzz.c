/* POST /v1/orders: an order that was read is written as a body again, and reads as the same. */
#include "order-service/order_json.h"

#include "tests/fuzz/fuzz.h"

static void write_body(struct json_writer *json, const struct order_draft *draft)
{
    const struct order *order = &draft->order;

    json_begin_object(json);
    json_name(json, "customer");
    json_begin_object(json);
    json_member_text(json, "id", order->customer_id);
    json_member_text_or_null(json, "email", order->customer_email);
    json_end_object(json);
    json_member_text(json, "currency", order->currency.code);
    json_member_raw(json, "lines", order->lines);
    json_member_integer(json, "total_amount", order->total_amount);
    json_member_text(json, "payment_terms", order_terms_words[order->terms]);
    json_member_text_or_null(json, "voucher_code", draft->voucher_code);
    json_member_text_or_null(json, "client_reference", order->client_reference);
    json_member_raw(json, "metadata", order->metadata);
    json_end_object(json);
}

static void check_same(const struct order_draft *a, const struct order_draft *b)
{
    assert(span_equal(a->order.lines, b->order.lines));
    assert(span_equal(a->order.metadata, b->order.metadata));
    assert(a->order.total_amount == b->order.total_amount);
    assert(strcmp(a->order.customer_id, b->order.customer_id) == 0);
    assert(strcmp(a->order.customer_email, b->order.customer_email) == 0);
    assert(strcmp(a->order.client_reference, b->order.client_reference) == 0);
    assert(strcmp(a->voucher_code, b->voucher_code) == 0);
}

static void check_written(const struct order_draft *draft)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    AUTO(order_draft_release) struct order_draft again = ORDER_DRAFT_EMPTY;
    struct json_writer json = { .out = &body };
    struct error err;

    write_body(&json, draft);
    bool read = order_draft_read(buffer_span(&body), &again, &err);
    assert(read);
    check_same(draft, &again);
}

/* What the order's public object is made of is JSON. */
static void check_public(struct order_draft *draft)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };

    order_begin(&draft->order, (struct id){ { 1 } }, (struct instant){ 1 }, 1000);
    order_write(&json, &draft->order);
    fuzz_check_json(buffer_span(&body));
}

void fuzz(struct span input)
{
    AUTO(order_draft_release) struct order_draft draft = ORDER_DRAFT_EMPTY;
    struct error err;

    if (!order_draft_read(input, &draft, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(draft.order.total_amount >= 0 && draft.order.total_amount <= ORDER_TOTAL_MAX);
    check_written(&draft);
    check_public(&draft);
}
