#include "payment-service/bank-simulator/bank_settlement.h"

bool settlement_day(const char *text, struct instant *out, struct error *err)
{
    char midnight[INSTANT_TEXT_SIZE];

    if (strlen(text) == sizeof("2026-01-31") - 1 &&
        text_format(midnight, sizeof(midnight), "%sT00:00:00.000Z", text) &&
        instant_parse(midnight, out))
        return true;
    return error_set(err, ERROR_MALFORMED, "date_malformed", "A day is written YYYY-MM-DD.");
}

void settlement_begin(struct buffer *out)
{
    buffer_append(out, "settled_at,account,operation,reference,authorization,amount,currency,"
                       "direction\r\n");
}

/* No field has a comma, a quote or a line's end in it. */
void settlement_add(struct buffer *out, const char *account, const struct bank_movement_row *row)
{
    buffer_append_format(out, "%s,%s,%s,%s,%s,%lld,%s,%s\r\n", instant_text(row->at).text, account,
                         bank_movement_words[row->movement], id_text(row->reference).text,
                         id_text(row->payment).text, (long long)row->money.amount,
                         row->money.currency.code,
                         row->movement == MOVEMENT_REFUND ? "debit" : "credit");
}
