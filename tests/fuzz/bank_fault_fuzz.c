/* POST /control/faults: what was read is written, and what can be ordered of it reads the same. */
#include "payment-service/bank-simulator/bank_control_json.h"

#include "tests/fuzz/fuzz.h"

static void write_wishes(struct json_writer *json, const struct fault *fault)
{
    json_name(json, "share");
    json_begin_array(json);
    json_number(json, fault->share_part);
    json_number(json, fault->share_of);
    json_end_array(json);
    json_member_integer(json, "probability_percent", fault->probability_percent);
    json_member_integer(json, "seed", fault->seed);
    json_member_integer(json, "delay_ms", fault->delay_ms);
    if (fault->amount > 0)
        json_member_integer(json, "amount", fault->amount);
    if (fault->times > 0)
        json_member_integer(json, "times", fault->times);
    if (fault->seconds > 0)
        json_member_integer(json, "seconds", fault->seconds);
    if (fault->retry_after_s > 0)
        json_member_integer(json, "retry_after_s", fault->retry_after_s);
}

static void write_body(struct json_writer *json, const struct fault *fault)
{
    json_begin_object(json);
    json_member_text(json, "kind", fault_kind_words[fault->kind]);
    json_member_text_or_null(json, "bank", fault->bank ? fault->bank->name : NULL);
    json_member_text_or_null(json, "account", fault->account);
    if (fault->operation >= 0)
        json_member_text(json, "operation", bank_operation_words[fault->operation]);
    json_member_text_or_null(json, "card", fault->card);
    json_member_id(json, "reference", fault->reference);
    write_wishes(json, fault);
    json_end_object(json);
}

static void check_same(const struct fault *a, const struct fault *b)
{
    assert(a->kind == b->kind && a->bank == b->bank && a->operation == b->operation);
    assert(strcmp(a->account, b->account) == 0 && strcmp(a->card, b->card) == 0);
    assert(a->amount == b->amount && id_equal(a->reference, b->reference));
    assert(a->share_part == b->share_part && a->share_of == b->share_of);
    assert(a->probability_percent == b->probability_percent && a->seed == b->seed);
    assert(a->times == b->times && a->delay_ms == b->delay_ms);
    assert(a->seconds == b->seconds && a->retry_after_s == b->retry_after_s);
}

static void check_written(const struct fault *fault)
{
    AUTO(buffer_release) struct buffer body = BUFFER_SECRET;
    struct json_writer json = { .out = &body };
    struct fault again;
    struct error err;

    write_body(&json, fault);
    bool read = control_fault_read(buffer_span(&body), &again, &err);
    assert(read);
    check_same(fault, &again);
}

/* What is told of it is JSON, without the card's number. */
static void check_told(struct fault *fault)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    char number[BANK_CARD_SIZE];

    text_copy(number, sizeof(number), fault->card);
    fault_mask(fault);
    assert(number[0] == '\0' || strcmp(number, fault->card) != 0);
    control_fault_write(&json, fault);
    fuzz_check_json(buffer_span(&body));
}

void fuzz(struct span input)
{
    struct fault fault;
    struct error err;

    if (!control_fault_read(input, &fault, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(strspn(fault.card, "0123456789") == strlen(fault.card));
    assert(fault.account[0] == '\0' || bank_account_is_valid(span_of(fault.account)));
    assert(fault.share_part >= 1 && fault.share_part <= fault.share_of);
    check_written(&fault);
    check_told(&fault);
}
