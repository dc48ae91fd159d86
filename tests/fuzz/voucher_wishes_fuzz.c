/* Vouchers: the bodies of reservations, releases, redemptions, validations and rules. */
#include "voucher-service/voucher_json.h"

#include "tests/fuzz/fuzz.h"

static void check_wish(struct span input, enum voucher_way way)
{
    struct voucher_wish wish;
    struct error err;

    if (!voucher_wish_read(input, way, &wish, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(wish.way == way);
    assert(!text_has_control(span_of(wish.holder)) && !text_has_control(span_of(wish.reference)));
    assert(way != VOUCHER_RESERVE || (wish.ttl_s >= 1 && wish.ttl_s <= VOUCHER_TTL_MAX_S));
}

static void check_question(struct span input)
{
    struct voucher_question question;
    struct error err;

    if (voucher_question_read(input, &question, &err))
        assert(!question.has_total || question.total_amount >= 0);
    else
        fuzz_check_refusal(&err);
}

/* Its public object is JSON. */
static void check_rule(struct span input)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct voucher_rule rule = { .threshold_amount = 0 };
    struct error err;

    if (!voucher_rule_read(input, &rule, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(rule.threshold_amount >= 0 && rule.value_amount >= 1 && rule.valid_days >= 1);
    voucher_rule_write(&json, &rule);
    fuzz_check_json(buffer_span(&body));
}

void fuzz(struct span input)
{
    check_wish(input, VOUCHER_RESERVE);
    check_wish(input, VOUCHER_RELEASE);
    check_wish(input, VOUCHER_REDEEM);
    check_question(input);
    check_rule(input);
}
