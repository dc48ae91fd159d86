/* What callers of the simulated bank send as JSON: what was read is written again, and reads as the
 * same. Each operation is asked about each body. */
#include "payment-service/bank-simulator/bank_json.h"

#include "tests/fuzz/bank_calls.h"
#include "tests/fuzz/fuzz.h"

static void write_card(struct json_writer *json, const struct bank_card *card)
{
    json_name(json, "card");
    json_begin_object(json);
    json_member_text(json, "number", card->number);
    json_member_integer(json, "exp_month", card->exp_month);
    json_member_integer(json, "exp_year", card->exp_year);
    json_end_object(json);
}

static void write_body(struct json_writer *json, const struct bank_instruction *instruction,
                       const struct bank_card *card)
{
    enum bank_operation operation = instruction->operation;

    json_begin_object(json);
    json_member_id(json, "reference", instruction->reference);
    if (bank_operation_follows(operation))
        json_member_id(json, "authorization", instruction->authorization);
    if (fuzz_call_has_amount(operation))
        json_member_integer(json, "amount", instruction->money.amount);
    if (fuzz_call_has_currency(operation))
        json_member_text(json, "currency", instruction->money.currency.code);
    if (operation == BANK_AUTHORIZE) {
        json_member_boolean(json, "capture", instruction->capture);
        write_card(json, card);
    }
    json_end_object(json);
}

static void check_written(const struct bank_instruction *instruction, const struct bank_card *card)
{
    AUTO(buffer_release) struct buffer body = BUFFER_SECRET;
    struct json_writer json = { .out = &body };
    struct bank_instruction again;
    struct bank_card card_again;
    struct error err;

    write_body(&json, instruction, card);
    bool read = bank_instruction_read(buffer_span(&body), instruction->operation, &again,
                                      &card_again, &err);
    assert(read);
    fuzz_check_same_call(instruction, card, &again, &card_again);
}

/* The record that such a call makes is JSON. */
static void check_record(const struct bank_instruction *instruction, const struct bank_card *card)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };
    struct bank_view view = { bank_find("bank-a"), "http://127.0.0.1:8084" };
    struct bank_record record = fuzz_record(instruction, card);

    bank_record_write(&json, &record, &view);
    fuzz_check_json(buffer_span(&body));
}

void fuzz(struct span input)
{
    for (int operation = 0; operation < BANK_RECORDED_COUNT; operation++) {
        struct bank_instruction instruction;
        struct bank_card card;
        struct error err;

        if (!bank_instruction_read(input, (enum bank_operation)operation, &instruction, &card,
                                   &err)) {
            fuzz_check_refusal(&err);
            continue;
        }
        fuzz_check_call(&instruction, &card);
        check_written(&instruction, &card);
        check_record(&instruction, &card);
    }
}
