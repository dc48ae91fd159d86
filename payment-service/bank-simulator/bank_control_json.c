#include "payment-service/bank-simulator/bank_control_json.h"

#include "payment-service/bank-simulator/bank_notice.h"

enum { SECONDS_MAX = 3600, DAY_S = 86400, AGE_MAX_S = 365 * DAY_S, BODY_LENGTH_MAX = 16000 };

/* ---- What several have ---------------------------------------------------------------------- */

static void read_bank(struct json_reader *reader, enum json_presence presence,
                      const struct bank **out)
{
    char name[4 * BANK_NAME_SIZE];

    *out = NULL;
    if (json_read_text(reader, "bank", presence, 1, BANK_NAME_SIZE - 1, name, sizeof(name)) &&
        !(*out = bank_find(name)))
        json_reader_refuse(reader, "bank", "bank_not_found", "is no bank that is played here");
}

static void read_account(struct json_reader *reader, enum json_presence presence, char *out)
{
    char name[4 * BANK_ACCOUNT_SIZE];

    if (!json_read_text(reader, "account", presence, 1, BANK_ACCOUNT_SIZE - 1, name, sizeof(name)))
        return;
    if (bank_account_is_valid(span_of(name)))
        text_copy(out, BANK_ACCOUNT_SIZE, name);
    else
        json_reader_refuse(reader, "account", "account_not_found", "must be [a-z0-9-]{1,40}");
}

/* ---- Faults --------------------------------------------------------------------------------- */

static bool is_digits(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

static void read_card(struct json_reader *reader, struct fault *out)
{
    char card[4 * BANK_CARD_MAX + 1];

    if (json_read_text(reader, "card", JSON_OPTIONAL, BANK_CARD_MIN, BANK_CARD_MAX, card,
                       sizeof(card))) {
        if (is_digits(card))
            (void)text_copy(out->card, sizeof(out->card), card);
        else
            json_reader_refuse(reader, "card", "not_digits", "must have nothing but digits");
    }
    explicit_bzero(card, sizeof(card));
}

static void read_matches(struct json_reader *reader, struct fault *out)
{
    size_t operation;

    read_bank(reader, JSON_OPTIONAL, &out->bank);
    read_account(reader, JSON_OPTIONAL, out->account);
    json_read_integer(reader, "amount", JSON_OPTIONAL, 1, BANK_AMOUNT_MAX, &out->amount);
    if (json_read_choice(reader, "operation", JSON_OPTIONAL, bank_operation_words,
                         BANK_OPERATION_COUNT, &operation))
        out->operation = (int)operation;
    read_card(reader, out);
}

/* An element of an array, as the number that it is; -1 for anything else. */
static int64_t number_at(const struct json_value *array, size_t index)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    int64_t number = -1;

    json_value_write(json_array_at(array, index), &text);
    return number_parse(buffer_span(&text), &number) ? number : -1;
}

static void read_share(struct json_reader *reader, struct fault *out)
{
    struct json_value *array;
    size_t count;

    if (!json_read_array(reader, "share", JSON_OPTIONAL, 2, 2, &array, &count))
        return;
    out->share_part = number_at(array, 0);
    out->share_of = number_at(array, 1);
    if (out->share_part < 1 || out->share_of < out->share_part || out->share_of > FAULT_TIMES_MAX)
        json_reader_refuse(reader, "share", "out_of_range", "must be [n, of], n of every so many");
}

static void read_choice(struct json_reader *reader, struct fault *out)
{
    read_share(reader, out);
    json_read_integer(reader, "probability_percent", JSON_OPTIONAL, 1, 100,
                      &out->probability_percent);
    json_read_integer(reader, "seed", JSON_OPTIONAL, 0, INT64_MAX, &out->seed);
    json_read_integer(reader, "times", JSON_OPTIONAL, 1,
                      out->kind == FAULT_WEBHOOK_REPEAT ? FAULT_COPIES_MAX : FAULT_TIMES_MAX,
                      &out->times);
}

static bool needs_delay(enum fault_kind kind)
{
    return kind == FAULT_LATENCY || kind == FAULT_ANSWER_LATE || kind == FAULT_DO_LATE ||
           kind == FAULT_WEBHOOK_LATE;
}

static void read_effect(struct json_reader *reader, struct fault *out)
{
    json_read_integer(reader, "delay_ms", needs_delay(out->kind) ? JSON_REQUIRED : JSON_OPTIONAL, 0,
                      FAULT_DELAY_MAX_MS, &out->delay_ms);
    json_read_integer(reader, "seconds", out->kind == FAULT_OUTAGE ? JSON_REQUIRED : JSON_OPTIONAL,
                      1, SECONDS_MAX, &out->seconds);
    json_read_integer(reader, "retry_after_s", JSON_OPTIONAL, 1, SECONDS_MAX, &out->retry_after_s);
    json_read_id(reader, "reference",
                 out->kind == FAULT_WEBHOOK_OTHER_REFERENCE ? JSON_REQUIRED : JSON_OPTIONAL,
                 &out->reference);
}

bool control_fault_read(struct span body, struct fault *out, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;
    size_t kind;

    *out = (struct fault){ .kind = FAULT_RESET,
                           .operation = -1,
                           .share_part = 1,
                           .share_of = 1,
                           .probability_percent = 100 };
    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    if (json_read_choice(&reader, "kind", JSON_REQUIRED, fault_kind_words, FAULT_KIND_COUNT, &kind))
        out->kind = (enum fault_kind)kind;
    out->times = out->kind == FAULT_WEBHOOK_REPEAT ? FAULT_COPIES_DEFAULT : 0;
    read_matches(&reader, out);
    read_choice(&reader, out);
    read_effect(&reader, out);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

static void write_or_null(struct json_writer *json, const char *name, int64_t number)
{
    if (number != 0)
        json_member_integer(json, name, number);
    else
        json_member_text_or_null(json, name, NULL);
}

static void write_id_or_null(struct json_writer *json, const char *name, struct id id)
{
    static const struct id none;

    json_member_text_or_null(json, name, id_equal(id, none) ? NULL : id_text(id).text);
}

static void write_share(struct json_writer *json, const struct fault *fault)
{
    json_name(json, "share");
    json_begin_array(json);
    json_number(json, fault->share_part);
    json_number(json, fault->share_of);
    json_end_array(json);
}

void control_fault_write(struct json_writer *json, const struct fault *fault)
{
    json_begin_object(json);
    json_member_id(json, "id", fault->id);
    json_member_text(json, "kind", fault_kind_words[fault->kind]);
    json_member_text_or_null(json, "bank", fault->bank ? fault->bank->name : NULL);
    json_member_text_or_null(json, "account", fault->account);
    json_member_text_or_null(json, "operation",
                             fault->operation < 0 ? NULL : bank_operation_words[fault->operation]);
    json_member_text_or_null(json, "card", fault->card);
    write_or_null(json, "amount", fault->amount);
    write_share(json, fault);
    json_member_integer(json, "probability_percent", fault->probability_percent);
    json_member_integer(json, "seed", fault->seed);
    write_or_null(json, "times", fault->times);
    write_or_null(json, "delay_ms", fault->delay_ms);
    write_or_null(json, "seconds", fault->seconds);
    write_or_null(json, "retry_after_s", fault->retry_after_s);
    write_id_or_null(json, "reference", fault->reference);
    json_member_integer(json, "matched", fault->matched);
    json_member_integer(json, "struck", fault->struck);
    json_end_object(json);
}

/* ---- Calls ---------------------------------------------------------------------------------- */

void control_call_write(struct json_writer *json, const struct call *call)
{
    json_begin_object(json);
    json_member_instant(json, "time", call->at);
    json_member_text(json, "bank", call->bank->name);
    json_member_text(json, "account", call->account);
    json_member_text(json, "operation", bank_operation_words[call->operation]);
    write_id_or_null(json, "reference", call->reference);
    write_id_or_null(json, "authorization", call->authorization);
    write_or_null(json, "amount", call->money.amount);
    json_member_text_or_null(json, "currency", call->money.currency.code);
    json_member_text_or_null(json, "fault", call->fault);
    json_member_text_or_null(json, "answered", call->answered);
    json_member_boolean(json, "effect", call->effect);
    json_end_object(json);
}

/* ---- What customers do ---------------------------------------------------------------------- */

bool control_payment_read(struct span body, int64_t *amount, struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;

    *amount = 0;
    if (body.length == 0)
        return true;
    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    json_read_integer(&reader, "amount", JSON_OPTIONAL, 1, BANK_AMOUNT_MAX, amount);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

bool control_dispute_read(struct span body, enum bank_event *out, struct error *err)
{
    static const char *const words[] = { "opened", "won", "lost" };
    static const enum bank_event events[] = { EVENT_DISPUTE_OPENED, EVENT_DISPUTE_WON,
                                              EVENT_DISPUTE_LOST };
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;
    size_t outcome;

    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    if (json_read_choice(&reader, "outcome", JSON_REQUIRED, words, COUNT_OF(words), &outcome))
        *out = events[outcome];
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}

/* ---- Webhooks ------------------------------------------------------------------------------- */

static void read_manner(struct json_reader *reader, struct control_webhook *out)
{
    json_read_boolean(reader, "forged", JSON_OPTIONAL, &out->forged);
    json_read_integer(reader, "age_s", JSON_OPTIONAL, -AGE_MAX_S, AGE_MAX_S, &out->age_s);
    json_read_integer(reader, "repeat", JSON_OPTIONAL, 1, FAULT_COPIES_MAX, &out->repeat);
    if (json_read_text(reader, "content_type", JSON_OPTIONAL, 1, CONTROL_CONTENT_TYPE_MAX,
                       out->content_type, sizeof(out->content_type)) &&
        text_has_control(span_of(out->content_type)))
        json_reader_refuse(reader, "content_type", "not_printable",
                           "must not have control characters");
}

/*
 * The body as it is given, or one that is made of the operation. Threads of requests have a small
 * stack: what is read goes elsewhere.
 */
static void read_content(struct json_reader *reader, struct instant now,
                         struct control_webhook *out)
{
    enum { SIZE = 4 * BODY_LENGTH_MAX + 1 };
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_value *operation = json_read_value(reader, "operation");
    struct bank_notice notice = {
        .id = out->id, .type = out->type, .account = out->account, .created_at = now
    };

    buffer_reserve(&body, SIZE);
    if (json_read_text(reader, "body", JSON_OPTIONAL, 0, BODY_LENGTH_MAX, body.at, SIZE))
        buffer_append(&out->body, body.at);
    else if (!operation || !json_value_is_object(operation))
        json_reader_refuse(reader, "operation", "required", "must be there, or body");
    else if (out->bank && !bank_notice_can_write_any(operation, out->bank))
        json_reader_refuse(reader, "operation", "name_malformed",
                           "must have names that XML can have");
    else if (out->bank)
        bank_notice_write_any(&out->body, &notice, operation, out->bank);
}

bool control_webhook_read(struct span body, struct instant now, struct control_webhook *out,
                          struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;

    *out = (struct control_webhook){ .id = id_create(now), .repeat = 1, .body = BUFFER_EMPTY };
    if (!json_document_parse(body, &document, err))
        return false;
    json_reader_begin(&reader, &document, err);
    read_bank(&reader, JSON_REQUIRED, &out->bank);
    read_account(&reader, JSON_REQUIRED, out->account);
    json_read_text(&reader, "type", JSON_REQUIRED, 1, CONTROL_TYPE_MAX, out->type,
                   sizeof(out->type));
    read_manner(&reader, out);
    read_content(&reader, now, out);
    json_reader_end(&reader);
    return json_reader_ok(&reader);
}
