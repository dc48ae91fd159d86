#include "order-service/order_payment_store.h"

/* Events may come again, and from a dead letter late: only what is newer is written. */
STATEMENT(order_payment_upsert, "orders",
          "WITH input AS ("
          "SELECT stream::smallint, payment_id, order_id, merchant_id, version::int, status,"
          " currency, amount, amount_captured, amount_refunded, orphaned <> 0 AS orphaned,"
          " updated_at"
          " FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[],"
          " $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],"
          " $12::timestamptz[])"
          " AS input (stream, payment_id, order_id, merchant_id, version, status, currency,"
          " amount, amount_captured, amount_refunded, orphaned, updated_at)"
          ") INSERT INTO order_payments AS p"
          " (stream, payment_id, order_id, merchant_id, version, status, currency, amount,"
          " amount_captured, amount_refunded, orphaned, updated_at)"
          " SELECT stream, payment_id, order_id, merchant_id, version, status, currency, amount,"
          " amount_captured, amount_refunded, orphaned, updated_at FROM input"
          " ON CONFLICT (stream, payment_id) DO UPDATE SET version = excluded.version,"
          " status = excluded.status, amount = excluded.amount,"
          " amount_captured = excluded.amount_captured, amount_refunded = excluded.amount_refunded,"
          " orphaned = excluded.orphaned, updated_at = excluded.updated_at"
          " WHERE p.version < excluded.version"
          " RETURNING p.payment_id AS id");

/* Added up by kind, of which there are few: nobody knows how many payments failed. */
STATEMENT(order_payment_sums, "orders",
          "SELECT p.status, p.orphaned,"
          " least(sum(p.amount_captured), 9223372036854775807)::bigint AS amount_captured,"
          " least(sum(p.amount_refunded), 9223372036854775807)::bigint AS amount_refunded"
          " FROM order_payments p WHERE p.stream = $1::bigint AND p.order_id = $2"
          " GROUP BY p.status, p.orphaned");

void order_payment_keep(struct write *write, int stream, const struct order_payment *payment,
                        struct instant time)
{
    struct parameters *parameters = &write->parameters;

    write_begin(write, &order_payment_upsert, WRITE_CHANGE, stream, payment->id);
    parameters_add_integer(parameters, stream);
    parameters_add_id(parameters, payment->id);
    parameters_add_id(parameters, payment->order_id);
    parameters_add_text(parameters, payment->merchant);
    parameters_add_integer(parameters, payment->version);
    parameters_add_text(parameters, payment_status_words[payment->status]);
    parameters_add_text(parameters, payment->currency.code);
    parameters_add_integer(parameters, payment->amount);
    parameters_add_integer(parameters, payment->amount_captured);
    parameters_add_integer(parameters, payment->amount_refunded);
    parameters_add_integer(parameters, payment->orphaned ? 1 : 0);
    parameters_add_instant(parameters, time);
}

const struct statement *order_payment_store_of(struct parameters *parameters, int stream,
                                               struct id order_id)
{
    parameters_begin(parameters);
    parameters_add_integer(parameters, stream);
    parameters_add_id(parameters, order_id);
    return &order_payment_sums;
}

static enum payment_status status_of(const char *word)
{
    enum payment_status status = PAYMENT_PROCESSING;

    while (status < PAYMENT_STATUS_COUNT && strcmp(payment_status_words[status], word) != 0)
        status++;
    assert(status < PAYMENT_STATUS_COUNT); /* a CHECK admits no other */
    return status;
}

struct order_payments order_payments_from_rows(const struct rows *rows)
{
    struct order_payments payments = { .authorized = false };

    for (size_t i = 0; i < rows->count; i++) {
        struct row row = rows_at(rows, i);

        order_payments_add(&payments, &(struct order_payment){
                                          .status = status_of(row_text(&row, "status")),
                                          .orphaned = row_boolean(&row, "orphaned"),
                                          .amount_captured = row_integer(&row, "amount_captured"),
                                          .amount_refunded = row_integer(&row, "amount_refunded"),
                                      });
    }
    return payments;
}
