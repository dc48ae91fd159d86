#include "payment-service/bank-simulator/bank_outcome.h"
#include "tests/unit/table.h"

#define PLAIN_CARD                   \
    {                                \
        "4242424242424242", 12, 2034 \
    }

static const struct row {
    const char *label;
    struct bank_card card;
    int64_t amount;
    enum bank_manner manner;
    enum bank_status status;
    const char *code, *closer;
    enum bank_marker marker;
} rows[] = {
    { "whatever nobody speaks about is approved", PLAIN_CARD, 13700, MANNER_PLAIN, BANK_APPROVED,
      NULL, NULL, MARKER_NONE },
    { "a declined card",
      { "4000000000000002", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "card_declined",
      "generic_decline",
      MARKER_NONE },
    { "a card without funds",
      { "4000000000009995", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "card_declined",
      "insufficient_funds",
      MARKER_NONE },
    { "a lost card",
      { "4000000000009987", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "card_declined",
      "lost_card",
      MARKER_NONE },
    { "a stolen card",
      { "4000000000009979", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "card_declined",
      "stolen_card",
      MARKER_NONE },
    { "an expired card",
      { "4000000000000069", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "expired_card",
      NULL,
      MARKER_NONE },
    { "a wrong code",
      { "4000000000000127", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "incorrect_cvc",
      NULL,
      MARKER_NONE },
    { "a processing error",
      { "4000000000000119", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "processing_error",
      NULL,
      MARKER_NONE },
    { "a card that can be kept and not charged",
      { "4000000000000341", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "card_declined",
      "generic_decline",
      MARKER_NONE },
    { "a card that is disputed later",
      { "4000000000000259", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_DISPUTED },
    { "a challenge",
      { "4000002760003184", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_PENDING,
      NULL,
      NULL,
      MARKER_NONE },
    { "another challenge",
      { "4000000000003220", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_PENDING,
      NULL,
      NULL,
      MARKER_NONE },
    { "refunds that come back",
      { "4000000000005126", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_REFUNDS_RETURN },
    { "refunds that take a moment",
      { "4000000000007726", 12, 2034 },
      1,
      MANNER_PLAIN,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_REFUNDS_PENDING },
    { "05/39",
      { "4242424242424242", 5, 2039 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "card_declined",
      "generic_decline",
      MARKER_NONE },
    { "04/27",
      { "4242424242424242", 4, 2027 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "expired_card",
      NULL,
      MARKER_NONE },
    { "08/28 is silent",
      { "4242424242424242", 8, 2028 },
      1,
      MANNER_SILENT,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_NONE },
    { "01/37 breaks",
      { "4242424242424242", 1, 2037 },
      1,
      MANNER_BROKEN,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_NONE },
    { "02/37",
      { "4242424242424242", 2, 2037 },
      1,
      MANNER_PLAIN,
      BANK_DECLINED,
      "processing_error",
      NULL,
      MARKER_NONE },
    { "05/37 loses the answer",
      { "4242424242424242", 5, 2037 },
      1,
      MANNER_LOST,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_NONE },
    { "05/38 says nothing",
      { "4242424242424242", 5, 2038 },
      1,
      MANNER_PLAIN,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_NONE },
    { "100121", PLAIN_CARD, 100121, MANNER_PLAIN, BANK_DECLINED, "card_declined", "generic_decline",
      MARKER_NONE },
    { "100122", PLAIN_CARD, 100122, MANNER_PLAIN, BANK_DECLINED, "card_declined", "fraudulent",
      MARKER_NONE },
    { "100124", PLAIN_CARD, 100124, MANNER_PLAIN, BANK_DECLINED, "card_declined",
      "insufficient_funds", MARKER_NONE },
    { "100125", PLAIN_CARD, 100125, MANNER_PLAIN, BANK_DECLINED, "card_declined", "stolen_card",
      MARKER_NONE },
    { "100126", PLAIN_CARD, 100126, MANNER_PLAIN, BANK_DECLINED, "expired_card", NULL,
      MARKER_NONE },
    { "100127", PLAIN_CARD, 100127, MANNER_PLAIN, BANK_DECLINED, "invalid_amount", NULL,
      MARKER_NONE },
    { "100128", PLAIN_CARD, 100128, MANNER_PLAIN, BANK_DECLINED, "card_declined", "invalid_account",
      MARKER_NONE },
    { "100130", PLAIN_CARD, 100130, MANNER_PLAIN, BANK_DECLINED, "processing_error", NULL,
      MARKER_NONE },
    { "100123 says nothing", PLAIN_CARD, 100123, MANNER_PLAIN, BANK_APPROVED, NULL, NULL,
      MARKER_NONE },
    { "99121 is too small to speak", PLAIN_CARD, 99121, MANNER_PLAIN, BANK_APPROVED, NULL, NULL,
      MARKER_NONE },
    { "a large amount speaks by its end", PLAIN_CARD, INT64_C(999999999999121), MANNER_PLAIN,
      BANK_DECLINED, "card_declined", "generic_decline", MARKER_NONE },
    { "the card speaks before expiry and amount",
      { "4000000000000259", 5, 2039 },
      100121,
      MANNER_PLAIN,
      BANK_APPROVED,
      NULL,
      NULL,
      MARKER_DISPUTED },
    { "the expiry speaks before the amount",
      { "4242424242424242", 4, 2027 },
      100121,
      MANNER_PLAIN,
      BANK_DECLINED,
      "expired_card",
      NULL,
      MARKER_NONE },
};

static void check_text(const char *is, const char *expected)
{
    assert_string_equal(is ? is : "", expected ? expected : "");
}

static void check_outcome(void **state)
{
    const struct row *row = *state;
    struct bank_outcome outcome = bank_outcome_of(&row->card, row->amount);

    assert_int_equal(outcome.manner, row->manner);
    assert_int_equal(outcome.verdict.status, row->status);
    assert_int_equal(outcome.verdict.marker, row->marker);
    check_text(outcome.verdict.failure_code, row->code);
    check_text(outcome.verdict.decline_code, row->closer);
}

static void keeps_four_digits_and_the_expiry(void **state)
{
    const struct bank_card card = { "6205500000000000004", 3, 2031 };
    struct bank_instruction instruction = { .capture = false };

    (void)state;
    bank_card_keep(&card, &instruction);
    assert_string_equal(instruction.last4, "0004");
    assert_string_equal(instruction.expiry, "03/2031");
}

static void wipes_the_number(void **state)
{
    struct bank_card card = PLAIN_CARD;
    static const struct bank_card nothing;

    (void)state;
    bank_card_wipe(&card);
    assert_memory_equal(&card, &nothing, sizeof(card));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_outcome);
    TABLE_ADD(&table, keeps_four_digits_and_the_expiry);
    TABLE_ADD(&table, wipes_the_number);
    return table_run(&table);
}
