/* POST /v1/payments: what was read is written as a body again, and reads as the same. */
#include "payment-service/payment_json.h"

#include "tests/fuzz/fuzz.h"

#define NOW ((struct instant){ INT64_C(1769903999123) })

static void write_card(struct json_writer *json, const struct card *card)
{
    json_name(json, "card");
    json_begin_object(json);
    json_member_text(json, "number", card->number);
    json_member_integer(json, "exp_month", card->exp_month);
    json_member_integer(json, "exp_year", card->exp_year);
    json_member_text(json, "cvc", card->cvc);
    json_member_text_or_null(json, "name", card->name);
    json_end_object(json);
}

static void write_body(struct json_writer *json, const struct payment_draft *draft)
{
    json_begin_object(json);
    json_member_id_or_null(json, "id", draft->has_id, draft->id);
    json_member_id_or_null(json, "order_id", draft->has_order, draft->order_id);
    if (draft->amount > 0)
        json_member_integer(json, "amount", draft->amount);
    json_member_text_or_null(json, "currency", draft->currency.code);
    json_member_text(json, "capture_method", payment_capture_words[draft->capture]);
    json_name(json, "payment_method");
    json_begin_object(json);
    json_member_text(json, "type", payment_method_words[draft->method]);
    if (draft->method == PAYMENT_CARD)
        write_card(json, &draft->card);
    json_end_object(json);
    json_end_object(json);
}

/* The structs were zeroed before they were filled, and texts end with their NUL. */
static void check_same(const struct payment_draft *a, const struct payment_draft *b)
{
    assert(a->has_id == b->has_id && id_equal(a->id, b->id));
    assert(a->has_order == b->has_order && id_equal(a->order_id, b->order_id));
    assert(a->amount == b->amount && strcmp(a->currency.code, b->currency.code) == 0);
    assert(a->capture == b->capture && a->method == b->method);
    assert(strcmp(a->card.number, b->card.number) == 0 && strcmp(a->card.cvc, b->card.cvc) == 0);
    assert(a->card.exp_month == b->card.exp_month && a->card.exp_year == b->card.exp_year);
    assert(strcmp(a->card.name, b->card.name) == 0);
}

static void check_written(const struct payment_draft *draft)
{
    AUTO(buffer_release) struct buffer body = BUFFER_SECRET;
    AUTO(payment_draft_release) struct payment_draft again;
    struct json_writer json = { .out = &body };
    struct error err;

    write_body(&json, draft);
    bool read = payment_draft_read(buffer_span(&body), NOW, &again, &err);
    assert(read);
    check_same(draft, &again);
}

static void check_card(const struct card *card)
{
    struct card_face face = card_face(card);
    char mask[CARD_MASK_SIZE];

    card_mask(&face, mask);
    assert(card_luhn(span_of(card->number)) && strlen(mask) == strlen(card->number));
    assert(strstr(mask, card->number) == NULL);
}

void fuzz(struct span input)
{
    AUTO(payment_draft_release) struct payment_draft draft;
    struct error err;

    if (!payment_draft_read(input, NOW, &draft, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(draft.amount >= 0 && draft.amount <= PAYMENT_AMOUNT_MAX);
    assert(draft.has_order || draft.amount > 0);
    if (draft.method == PAYMENT_CARD)
        check_card(&draft.card);
    check_written(&draft);
}
