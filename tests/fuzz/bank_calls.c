#include "tests/fuzz/bank_calls.h"

#define NOW ((struct instant){ INT64_C(1769903999123) })

bool fuzz_call_has_amount(enum bank_operation operation)
{
    return operation == BANK_CAPTURE || operation == BANK_REFUND ||
           fuzz_call_has_currency(operation);
}

bool fuzz_call_has_currency(enum bank_operation operation)
{
    return operation == BANK_AUTHORIZE || operation == BANK_TRANSFER;
}

static void check_card(const struct bank_instruction *instruction, const struct bank_card *card)
{
    size_t length = strlen(card->number);

    assert(length >= BANK_CARD_MIN && length <= BANK_CARD_MAX);
    assert(strspn(card->number, "0123456789") == length);
    assert(card->exp_month >= 1 && card->exp_month <= 12);
    assert(strcmp(instruction->last4, card->number + length - 4) == 0);
    assert(strlen(instruction->expiry) == sizeof("MM/YYYY") - 1);
}

void fuzz_check_call(const struct bank_instruction *instruction, const struct bank_card *card)
{
    enum bank_operation operation = instruction->operation;
    int64_t amount = instruction->money.amount;

    assert(fuzz_call_has_amount(operation) ? amount >= 1 && amount <= BANK_AMOUNT_MAX
                                           : amount == 0);
    assert((instruction->money.currency.code[0] != '\0') == fuzz_call_has_currency(operation));
    if (operation == BANK_AUTHORIZE)
        check_card(instruction, card);
    else
        assert(card->number[0] == '\0' && instruction->last4[0] == '\0');
}

void fuzz_check_same_call(const struct bank_instruction *a, const struct bank_card *card_a,
                          const struct bank_instruction *b, const struct bank_card *card_b)
{
    assert(a->operation == b->operation && a->capture == b->capture);
    assert(id_equal(a->reference, b->reference) && id_equal(a->authorization, b->authorization));
    assert(a->money.amount == b->money.amount);
    assert(strcmp(a->money.currency.code, b->money.currency.code) == 0);
    assert(strcmp(a->last4, b->last4) == 0 && strcmp(a->expiry, b->expiry) == 0);
    assert(strcmp(card_a->number, card_b->number) == 0);
    assert(card_a->exp_month == card_b->exp_month && card_a->exp_year == card_b->exp_year);
}

struct bank_record fuzz_record(const struct bank_instruction *instruction,
                               const struct bank_card *card)
{
    struct bank_outcome outcome = { .verdict = { .status = BANK_APPROVED } };
    struct bank_instruction opening = *instruction;
    struct bank_entry entry;

    if (opening.operation == BANK_AUTHORIZE)
        outcome = bank_outcome_of(card, opening.money.amount);
    else
        opening.operation = BANK_VOID_REFERENCE;
    assert(outcome.manner <= MANNER_LOST && outcome.verdict.marker < MARKER_COUNT);
    assert((outcome.verdict.status == BANK_DECLINED) == (outcome.verdict.failure_code != NULL));
    bank_open(&opening, &outcome.verdict, opening.reference, NOW, &entry);
    return entry.record;
}
