#include "order-service/order_vouchers.h"

#include "shared/crypto/hash.h"
#include "shared/http/percent.h"
#include "shared/http/reply.h"
#include "shared/json/json_reader.h"
#include "shared/json/json_writer.h"
#include "shared/runtime/log.h"

/* A voucher's public object, or a problem document. */
enum { ANSWER_MAX = 16384 };

enum { CODE_MAX = 48, TEXT_MAX = 256 };

void order_voucher_holder(const struct order *order, const char *key, char out[ORDER_HOLDER_SIZE])
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    if (key[0] == '\0') {
        text_format(out, ORDER_HOLDER_SIZE, "order:%s", id_text(order->id).text);
        return;
    }
    buffer_append_format(&text, "%s\n%s", order->merchant, key);
    text_format(out, ORDER_HOLDER_SIZE, "order:%s",
                digest_text(hash_sha256(buffer_span(&text))).text);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void write_path(struct buffer *out, const char *code)
{
    buffer_append(out, "/v1/vouchers/");
    percent_encode(span_of(code), out);
    buffer_append(out, "/reserve");
}

static void write_wish(struct buffer *out, const struct order_vouchers *vouchers,
                       const struct order *order, const char *holder)
{
    struct json_writer json = { .out = out };

    json_begin_object(&json);
    json_member_text(&json, "holder", holder);
    json_member_integer(&json, "ttl_s", vouchers->hold_s);
    json_member_text(&json, "currency", order->currency.code);
    json_end_object(&json);
}

/* --- understanding ---------------------------------------------------------------------------- */

/* The reason is for our log's readers as well: it is the error's cause, not its text. */
static bool refuse_unavailable(struct error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "voucher_service_unavailable",
                     "The voucher can not be reserved at the moment, so the order was not made. "
                     "Try again with the same Idempotency-Key, or without the voucher.");
}

static bool refuse_code(struct error *err)
{
    error_begin_validation(err);
    error_add_field(err, "/voucher_code", "voucher_not_found",
                    "is no voucher of yours; compare every symbol with the voucher");
    return false;
}

/* What voucher-service said is wrong with the voucher is what our client has to know. */
static bool pass_refusal(const struct buffer *answer, enum error_kind kind, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;
    char code[4 * CODE_MAX + 1], detail[4 * TEXT_MAX + 1] = "";

    if (!json_document_parse(buffer_span(answer), &document, err))
        return refuse_unavailable(err);
    json_reader_begin(&reader, &document, err);
    json_read_text(&reader, "code", JSON_REQUIRED, 1, CODE_MAX, code, sizeof(code));
    json_read_text(&reader, "detail", JSON_OPTIONAL, 1, TEXT_MAX, detail, sizeof(detail));
    if (!json_reader_ok(&reader))
        return refuse_unavailable(err);
    return error_set(err, kind, code, "%s", detail);
}

static bool explain(int status, const struct buffer *answer, struct error *err)
{
    switch (status) {
    case 400: /* of a code that can not be part of a path */
    case 404:
        return refuse_code(err);
    case 401:
        return pass_refusal(answer, ERROR_UNAUTHENTICATED, err);
    case 403:
        return pass_refusal(answer, ERROR_FORBIDDEN, err);
    case 409:
        return pass_refusal(answer, ERROR_CONFLICT, err);
    case 422:
        return pass_refusal(answer, ERROR_VALIDATION, err);
    case 429:
        return pass_refusal(answer, ERROR_RATE_LIMITED, err);
    default:
        return refuse_unavailable(err);
    }
}

/* Only a voucher that is reserved for us counts as one. */
static bool read_voucher(const struct buffer *answer, const struct order *order,
                         struct order_voucher *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader, reservation;
    char holder[4 * TEXT_MAX + 1] = "", currency[4 * TEXT_MAX + 1] = "";

    if (!json_document_parse(buffer_span(answer), &document, err))
        return refuse_unavailable(err);
    json_reader_begin(&reader, &document, err);
    json_read_id(&reader, "id", JSON_REQUIRED, &out->id);
    json_read_integer(&reader, "value_amount", JSON_REQUIRED, 1, ORDER_TOTAL_MAX,
                      &out->value_amount);
    json_read_text(&reader, "currency", JSON_REQUIRED, 1, TEXT_MAX, currency, sizeof(currency));
    if (json_read_object(&reader, "reservation", JSON_REQUIRED, &reservation))
        json_read_text(&reservation, "holder", JSON_REQUIRED, 1, TEXT_MAX, holder, sizeof(holder));
    return (json_reader_ok(&reader) && strcmp(holder, out->holder) == 0 &&
            strcmp(currency, order->currency.code) == 0) ||
           refuse_unavailable(err);
}

bool order_voucher_reserve(const struct order_vouchers *vouchers, const struct caller *caller,
                           const char *code, const struct order *order, struct order_voucher *out,
                           struct error *err)
{
    AUTO(buffer_release) struct buffer path = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer wish = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct deadline patience = deadline_in_ms(ORDER_VOUCHER_TIMEOUT_MS);
    char traceparent[TRACEPARENT_SIZE];
    int status = 0;

    write_path(&path, code);
    write_wish(&wish, vouchers, order, out->holder);
    trace_format(&caller->trace, traceparent);
    const struct client_request request = { .method = "POST",
                                            .origins = vouchers->origins,
                                            .path = path.at,
                                            .authorization = caller->authorization,
                                            .traceparent = traceparent,
                                            .body = buffer_span(&wish),
                                            .answer_max = ANSWER_MAX,
                                            .deadline =
                                                deadline_earlier(caller->deadline, patience) };
    if (!client_pool_send(vouchers->clients, &request, &status, &answer, err)) {
        log_swallowed(LOG_LEVEL_WARNING, "a voucher was not reserved", err);
        return refuse_unavailable(err);
    }
    return status == HTTP_OK ? read_voucher(&answer, order, out, err)
                             : explain(status, &answer, err);
}
