/* What callers of the simulated bank send as SOAP: what was read is written again, and reads as the
 * same. Each operation is asked about each message, whatever its name says. */
#include "payment-service/bank-simulator/bank_message.h"

#include "tests/fuzz/bank_calls.h"
#include "tests/fuzz/fuzz.h"

static void write_card(struct buffer *out, const struct bank_card *card)
{
    soap_field_begin(out, "card");
    soap_field_text(out, "number", card->number);
    soap_field_integer(out, "exp_month", card->exp_month);
    soap_field_integer(out, "exp_year", card->exp_year);
    soap_field_end(out, "card");
}

static void write_fields(struct buffer *out, const struct bank_message *message)
{
    const struct bank_instruction *instruction = &message->instruction;
    enum bank_operation operation = instruction->operation;

    soap_field_text(out, "account", message->account);
    soap_field_id(out, "reference", instruction->reference);
    if (bank_operation_follows(operation))
        soap_field_id(out, "authorization", instruction->authorization);
    if (fuzz_call_has_amount(operation))
        soap_field_integer(out, "amount", instruction->money.amount);
    if (fuzz_call_has_currency(operation))
        soap_field_text(out, "currency", instruction->money.currency.code);
    if (operation == BANK_AUTHORIZE) {
        soap_field_boolean(out, "capture", instruction->capture);
        write_card(out, &message->card);
    }
}

static void check_written(const struct bank_message *message)
{
    AUTO(buffer_release) struct buffer text = BUFFER_SECRET;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct bank_message again;
    struct error err;

    envelope_begin(&text, BANK_NAME_SPACE, "Again");
    write_fields(&text, message);
    envelope_end(&text, "Again");
    bool read = envelope_parse(buffer_span(&text), &envelope, &err) &&
                bank_message_read(&envelope, message->instruction.operation, &again, &err);
    assert(read && strcmp(again.account, message->account) == 0);
    fuzz_check_same_call(&message->instruction, &message->card, &again.instruction, &again.card);
}

/* The record that such a call makes is XML. */
static void check_record(const struct bank_message *message)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct bank_view view = { bank_find("bank-c"), "http://127.0.0.1:8084/?a=1&b=2" };
    struct bank_record record = fuzz_record(&message->instruction, &message->card);
    const char *name = bank_message_response(message->instruction.operation);
    struct error err;

    envelope_begin(&text, BANK_NAME_SPACE, name);
    bank_message_write_record(&text, &record, &view);
    envelope_end(&text, name);
    bool parsed = envelope_parse(buffer_span(&text), &envelope, &err);
    assert(parsed && strcmp(envelope_message(&envelope), name) == 0);
}

static void read_as(const struct envelope *envelope, enum bank_operation operation)
{
    struct bank_message message;
    struct error err;

    if (!bank_message_read(envelope, operation, &message, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    fuzz_check_call(&message.instruction, &message.card);
    check_written(&message);
    check_record(&message);
}

void fuzz(struct span input)
{
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    enum bank_operation named;
    static bool started;
    struct error err;

    started = started || soap_library_start();
    assert(started);
    if (!envelope_parse(input, &envelope, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    if (bank_message_operation(envelope_message(&envelope), &named))
        assert(named <= BANK_LOOK_UP && bank_message_response(named) != NULL);
    for (int operation = 0; operation <= BANK_LOOK_UP; operation++)
        read_as(&envelope, (enum bank_operation)operation);
}
