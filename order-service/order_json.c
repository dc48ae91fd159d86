#include "order-service/order_json.h"

/* Code points of a name in metadata, and of a value. */
enum { PAIR_TEXT_MAX = ORDER_TEXT_MAX };

/* --- reading ---------------------------------------------------------------------------------- */

static void read_customer(struct json_reader *reader, struct order *order)
{
    struct json_reader customer;

    if (!json_read_object(reader, "customer", JSON_REQUIRED, &customer))
        return;
    json_read_text(&customer, "id", JSON_REQUIRED, 1, ORDER_TEXT_MAX, order->customer_id,
                   sizeof(order->customer_id));
    if (json_read_text(&customer, "email", JSON_OPTIONAL, 1, ORDER_TEXT_MAX, order->customer_email,
                       sizeof(order->customer_email)) &&
        !strchr(order->customer_email, '@'))
        json_reader_refuse(&customer, "email", "email_invalid", "must contain an @");
    json_reader_end(&customer);
}

static void read_currency(struct json_reader *reader, struct currency *out)
{
    char code[ORDER_TEXT_SIZE];

    if (json_read_text(reader, "currency", JSON_REQUIRED, 1, ORDER_TEXT_MAX, code, sizeof(code)) &&
        !currency_parse(code, out))
        json_reader_refuse(reader, "currency", "currency_unknown",
                           "must be an active ISO 4217 code in capitals, with a minor unit");
}

static void read_terms(struct json_reader *reader, enum order_terms *out)
{
    size_t terms = ORDER_PREPAID;

    json_read_choice(reader, "payment_terms", JSON_OPTIONAL, order_terms_words, ORDER_TERMS_COUNT,
                     &terms);
    *out = (enum order_terms)terms;
}

struct line {
    char sku[ORDER_TEXT_SIZE];
    char name[ORDER_TEXT_SIZE];
    int64_t quantity;
    int64_t unit_amount;
};

/* One line; false when something in it is wrong. All of it is looked at in any case. */
static bool read_line(struct json_reader *reader, struct line *out)
{
    bool sku =
        json_read_text(reader, "sku", JSON_REQUIRED, 1, ORDER_TEXT_MAX, out->sku, sizeof(out->sku));
    bool name = json_read_text(reader, "name", JSON_REQUIRED, 1, ORDER_TEXT_MAX, out->name,
                               sizeof(out->name));
    bool quantity =
        json_read_integer(reader, "quantity", JSON_REQUIRED, 1, ORDER_QUANTITY_MAX, &out->quantity);
    bool unit_amount = json_read_integer(reader, "unit_amount", JSON_REQUIRED, 0,
                                         ORDER_UNIT_AMOUNT_MAX, &out->unit_amount);

    json_reader_end(reader);
    return sku && name && quantity && unit_amount;
}

static void write_line(struct json_writer *json, const struct line *line)
{
    json_begin_object(json);
    json_member_text(json, "sku", line->sku);
    json_member_text(json, "name", line->name);
    json_member_integer(json, "quantity", line->quantity);
    json_member_integer(json, "unit_amount", line->unit_amount);
    json_end_object(json);
}

/* Rewrites the lines into `out` and adds them up; false when there is no telling what they cost. */
static bool read_lines(struct json_reader *reader, struct buffer *out, int64_t *total)
{
    struct json_writer json = { .out = out };
    struct json_value *array;
    size_t count;
    bool good = true, fits = true;

    if (!json_read_array(reader, "lines", JSON_REQUIRED, 1, ORDER_LINES_MAX, &array, &count))
        return false;
    *total = 0;
    json_begin_array(&json);
    for (size_t i = 0; i < count; i++) {
        struct json_reader element;
        struct line line;

        if (!json_read_element(reader, "lines", array, i, &element) ||
            !read_line(&element, &line)) {
            good = false;
            continue;
        }
        fits = fits && order_total_add(total, line.quantity, line.unit_amount);
        write_line(&json, &line);
    }
    json_end_array(&json);
    if (!fits)
        json_reader_refuse(reader, "lines", "total_too_large", "must not add up to more than %lld",
                           (long long)ORDER_TOTAL_MAX);
    return good && fits;
}

/* The caller's own total, if there is one, must be ours. */
static void check_total(struct json_reader *reader, bool computed, int64_t total)
{
    int64_t claimed;

    if (json_read_integer(reader, "total_amount", JSON_OPTIONAL, 0, ORDER_TOTAL_MAX, &claimed) &&
        computed && claimed != total)
        json_reader_refuse(reader, "total_amount", "total_mismatch", "the lines add up to %lld",
                           (long long)total);
}

/* What is being read, and whether a pair may be marked for removal by null. */
struct pairs {
    struct json_reader *reader;
    bool may_be_null;
};

static bool check_pair(void *ctx, const char *name, const struct json_value *value)
{
    const struct pairs *pairs = ctx;
    const char *text = json_value_text(value);
    size_t name_length = text_length(span_of(name));

    if (name_length < 1 || name_length > PAIR_TEXT_MAX)
        json_reader_refuse(pairs->reader, name, "name_invalid",
                           "names must have 1 to %d characters", PAIR_TEXT_MAX);
    if (!text && !(pairs->may_be_null && json_value_is_null(value)))
        json_reader_refuse(pairs->reader, name, "type_invalid", "must be a string%s",
                           pairs->may_be_null ? ", or null to remove it" : "");
    size_t length = text ? text_length(span_of(text)) : 1;
    if (length < 1)
        json_reader_refuse(pairs->reader, name, "too_short", "must have at least 1 character");
    if (length > PAIR_TEXT_MAX)
        json_reader_refuse(pairs->reader, name, "too_long", "must have at most %d characters",
                           PAIR_TEXT_MAX);
    return true;
}

static void refuse_pair_count(struct json_reader *reader)
{
    json_reader_refuse(reader, "metadata", "too_many", "must have at most %d pairs",
                       ORDER_METADATA_MAX);
}

/* The member `metadata` with every pair checked; NULL when absent or hopeless. */
static struct json_value *read_metadata(struct json_reader *reader, bool may_be_null)
{
    struct json_value *value = json_read_value(reader, "metadata");
    struct json_reader object;

    if (!value || json_value_is_null(value))
        return NULL;
    if (json_value_is_object(value) && json_member_count(value) > ORDER_METADATA_MAX) {
        refuse_pair_count(reader);
        return NULL;
    }
    json_reader_at(&object, value, "/metadata", reader->err);
    if (!object.object)
        return NULL;
    json_each_member(value, check_pair, &(struct pairs){ &object, may_be_null });
    return value;
}

/* Whether a code is good is not known here; what can not be one is refused all the same. */
static void read_voucher_code(struct json_reader *reader, struct order_draft *out)
{
    static const char symbols[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "*~$= -";
    const char *code = out->voucher_code;

    if (json_read_text(reader, "voucher_code", JSON_OPTIONAL, 1, ORDER_VOUCHER_CODE_MAX,
                       out->voucher_code, sizeof(out->voucher_code)) &&
        code[strspn(code, symbols)] != '\0')
        json_reader_refuse(reader, "voucher_code", "voucher_code_malformed",
                           "must be a code as printed on the voucher: XXXX-XXXX-XXXX-X");
}

static void read_draft(struct json_reader *reader, struct order_draft *out)
{
    struct order *order = &out->order;
    bool computed;

    read_customer(reader, order);
    read_currency(reader, &order->currency);
    computed = read_lines(reader, &out->lines, &order->total_amount);
    check_total(reader, computed, order->total_amount);
    read_terms(reader, &order->terms);
    read_voucher_code(reader, out);
    json_read_text(reader, "client_reference", JSON_OPTIONAL, 1, ORDER_TEXT_MAX,
                   order->client_reference, sizeof(order->client_reference));

    const struct json_value *metadata = read_metadata(reader, false);
    if (metadata)
        json_value_write(metadata, &out->metadata);
    else
        buffer_append(&out->metadata, "{}");
    json_reader_end(reader);
}

bool order_draft_read(struct span body, struct order_draft *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;

    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    read_draft(&reader, out);
    if (!json_reader_ok(&reader))
        return false;

    out->order.amount_due = out->order.total_amount;
    out->order.lines = buffer_span(&out->lines);
    out->order.metadata = buffer_span(&out->metadata);
    return true;
}

void order_draft_release(struct order_draft *draft)
{
    buffer_release(&draft->lines);
    buffer_release(&draft->metadata);
}

/* The words a client may ask for, in the order of the path through them. */
static const enum order_status requestable[] = { ORDER_SENT, ORDER_DELIVERED, ORDER_RETURNED,
                                                 ORDER_CANCELED };

static void read_status(struct json_reader *reader, struct order_change *out)
{
    const char *words[COUNT_OF(requestable)];
    size_t chosen;

    for (size_t i = 0; i < COUNT_OF(requestable); i++)
        words[i] = order_status_words[requestable[i]];
    out->has_status =
        json_read_choice(reader, "status", JSON_OPTIONAL, words, COUNT_OF(words), &chosen);
    if (out->has_status)
        out->status = requestable[chosen];
}

static bool metadata_is_null(struct json_reader *reader)
{
    const struct json_value *value = json_read_value(reader, "metadata");

    return value && json_value_is_null(value);
}

bool order_change_read(const struct json_document *document, struct order_change *out,
                       struct error *err)
{
    struct json_reader reader;

    json_reader_begin(&reader, document, err);
    read_status(&reader, out);
    out->metadata = read_metadata(&reader, true);
    if (out->has_status && metadata_is_null(&reader))
        json_reader_refuse(&reader, "metadata", "type_invalid",
                           "must be an object; leave it out to keep it as it is");
    if (reader.object && !json_has(&reader, "status") && !json_has(&reader, "metadata"))
        json_reader_refuse(&reader, NULL, "required", "must have status, metadata or both");
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

/* --- metadata --------------------------------------------------------------------------------- */

/* A merge at work: of the pairs of one object, those that matter to it are written. */
struct merge {
    struct json_reader other; /* the patch while the old pairs pass, and the other way round */
    struct json_writer json;
    size_t count;
    bool changed;
};

static void keep_pair(struct merge *merge, const char *name, const char *text)
{
    json_text(&merge->json, name); /* a client's: json_name() would not escape it */
    buffer_append_bytes(merge->json.out, ":", 1);
    merge->json.comma = false;
    json_text(&merge->json, text);
    merge->count++;
}

/* An old pair stays as it is, unless the patch names it. */
static bool merge_old(void *ctx, const char *name, const struct json_value *value)
{
    struct merge *merge = ctx;
    const struct json_value *patched = json_read_value(&merge->other, name);
    const char *old_text = json_value_text(value);

    if (!patched) {
        keep_pair(merge, name, old_text);
        return true;
    }
    const char *text = json_value_text(patched);
    merge->changed = merge->changed || !text || strcmp(text, old_text) != 0;
    if (text)
        keep_pair(merge, name, text);
    return true;
}

/* A pair of the patch is new unless it was there; removing what is not there changes nothing. */
static bool merge_new(void *ctx, const char *name, const struct json_value *value)
{
    struct merge *merge = ctx;
    const char *text = json_value_text(value);

    if (!text || json_read_value(&merge->other, name))
        return true;
    keep_pair(merge, name, text);
    merge->changed = true;
    return true;
}

bool order_metadata_merge(struct span metadata, struct json_value *patch, struct buffer *out,
                          bool *changed, struct error *err)
{
    AUTO(json_document_release) struct json_document old;
    struct merge merge = { .json = { .out = out } };

    if (!json_document_parse(metadata, &old, err))
        return false;
    error_begin_validation(err);
    json_begin_object(&merge.json);
    json_reader_at(&merge.other, patch, "/metadata", err);
    json_each_member(old.root, merge_old, &merge);
    json_reader_at(&merge.other, old.root, "/metadata", err);
    json_each_member(patch, merge_new, &merge);
    json_end_object(&merge.json);

    if (merge.count > ORDER_METADATA_MAX)
        error_add_field(err, "/metadata", "too_many", "must have at most %d pairs",
                        ORDER_METADATA_MAX);
    *changed = merge.changed;
    return err->field_count == 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_customer(struct json_writer *json, const struct order *order)
{
    json_name(json, "customer");
    json_begin_object(json);
    json_member_text(json, "id", order->customer_id);
    json_member_text_or_null(json, "email", order->customer_email);
    json_end_object(json);
}

static void write_voucher(struct json_writer *json, const struct order_voucher *voucher)
{
    json_name(json, "voucher");
    if (!voucher->used) {
        json_null_value(json);
        return;
    }
    json_begin_object(json);
    json_member_id(json, "id", voucher->id);
    json_member_text(json, "holder", voucher->holder);
    json_member_integer(json, "value_amount", voucher->value_amount);
    json_member_integer(json, "discount_amount", voucher->discount_amount);
    json_member_integer(json, "forfeited_amount", voucher->forfeited_amount);
    json_end_object(json);
}

void order_write(struct json_writer *json, const struct order *order)
{
    json_begin_object(json);
    json_member_id(json, "id", order->id);
    json_member_text(json, "merchant_id", order->merchant);
    json_member_text(json, "status", order_status_words[order->status]);
    json_member_text(json, "payment_status", order_payment_status_words[order->payment_status]);
    json_member_text(json, "payment_terms", order_terms_words[order->terms]);
    json_member_integer(json, "version", order->version);
    write_customer(json, order);
    json_member_text(json, "currency", order->currency.code);
    json_member_raw(json, "lines", order->lines);
    json_member_integer(json, "total_amount", order->total_amount);
    json_member_integer(json, "amount_due", order->amount_due);
    write_voucher(json, &order->voucher);
    json_member_text_or_null(json, "client_reference", order->client_reference);
    json_member_raw(json, "metadata", order->metadata);
    json_member_instant(json, "created_at", order->created_at);
    json_member_instant(json, "updated_at", order->updated_at);
    json_member_instant_or_null(json, "expires_at", order->expires_at);
    json_end_object(json);
}
