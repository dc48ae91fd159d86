#include "payment-service/bank-simulator/bank_book.h"

/* How long one question to the database may take. */
enum { READ_MS = 5000 };

/* How often a commit that the database says nothing about is tried. */
enum { APPEND_TRIES_MAX = 3 };

/* Movements that are read at once. */
enum { MOVEMENTS_PAGE = 1000, DAY_MS = 24 * 3600 * 1000 };

/* All of the journal's writes are of one stream. */
enum { STREAM = 0 };

const struct appender bank_book_appender = { .statement_count = 0 };

const char *const bank_hook_mode_words[] = { "plain", "forged", "held", "dropped" };

/* ---- Statements ----------------------------------------------------------------------------- */

STATEMENT(bank_append, "bank",
          "WITH input AS (SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[],"
          " $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[],"
          " $11::text[], $12::bigint[], $13::bigint[], $14::text[], $15::text[],"
          " $16::timestamptz[], $17::text[], $18::text[], $19::text[], $20::bigint[], $21::text[],"
          " $22::text[], $23::text[], $24::uuid[], $25::text[], $26::text[], $27::text[],"
          " $28::bigint[], $29::timestamptz[], $30::text[], $31::timestamptz[])"
          " AS input (bank, account, payment, version, reference, event, status, failure_code,"
          " decline_code, amount, phase, captured, refunded, dispute, movement, at, id, operation,"
          " currency, capture, marker, last4, expiry, hook_id, hook_type, hook_body, hook_mode,"
          " hook_copies, hook_due_at, duty, duty_at)"
          "), appended AS ("
          "INSERT INTO entries (bank, account, payment, version, reference, event, status,"
          " failure_code, decline_code, amount, phase, amount_captured, amount_refunded, dispute,"
          " movement, at)"
          " SELECT bank, account, payment, version, reference, event, status, failure_code,"
          " decline_code, amount, phase, captured, refunded, dispute, movement, at FROM input"
          " ON CONFLICT DO NOTHING RETURNING bank, account, payment"
          "), opened AS ("
          "INSERT INTO operations (bank, account, reference, id, operation, payment, currency,"
          " amount, capture, marker, card_last4, card_expiry, created_at)"
          " SELECT bank, account, reference, id, operation, payment, currency, amount,"
          " capture <> 0, marker, last4, expiry, at FROM input"
          " JOIN appended USING (bank, account, payment) WHERE event = 'opened'"
          "), told AS ("
          "INSERT INTO webhooks (id, bank, account, type, body, mode, copies, due_at, created_at)"
          " SELECT hook_id, bank, account, hook_type, hook_body, hook_mode, hook_copies,"
          " hook_due_at, at FROM input"
          " JOIN appended USING (bank, account, payment) WHERE hook_id IS NOT NULL"
          "), owed AS ("
          "INSERT INTO duties (bank, account, reference, event, due_at)"
          " SELECT bank, account, reference, duty, duty_at FROM input"
          " JOIN appended USING (bank, account, payment) WHERE duty IS NOT NULL"
          "), done AS ("
          "DELETE FROM duties d USING input JOIN appended USING (bank, account, payment)"
          " WHERE input.event <> 'opened' AND d.bank = input.bank AND d.account = input.account"
          " AND d.reference = input.reference AND d.event = input.event"
          ") SELECT payment AS id FROM appended");

STATEMENT(bank_find_record, "bank",
          "SELECT o.reference, o.id, o.operation, o.payment, o.currency, o.amount AS asked_amount,"
          " o.capture, o.card_last4, o.card_expiry, o.created_at,"
          " e.status, e.failure_code, e.decline_code, e.amount,"
          " po.operation AS payment_operation, po.currency AS payment_currency,"
          " po.amount AS payment_amount, po.capture AS payment_capture, po.marker,"
          " p.version, p.phase, p.amount_captured, p.amount_refunded, p.dispute"
          " FROM operations o"
          " JOIN operations po ON po.bank = o.bank AND po.account = o.account"
          " AND po.reference = o.payment"
          " CROSS JOIN LATERAL (SELECT status, failure_code, decline_code, amount FROM entries"
          " WHERE bank = o.bank AND account = o.account AND reference = o.reference"
          " ORDER BY version DESC LIMIT 1) e"
          " CROSS JOIN LATERAL (SELECT version, phase, amount_captured, amount_refunded, dispute"
          " FROM entries WHERE bank = o.bank AND account = o.account AND payment = o.payment"
          " ORDER BY version DESC LIMIT 1) p"
          " WHERE o.bank = $1 AND o.account = $2 AND o.reference = $3");

STATEMENT(bank_locate, "bank",
          "SELECT bank, account FROM operations"
          " WHERE reference = $1 AND ($2::text IS NULL OR bank = $2)"
          " ORDER BY created_at LIMIT 1");

STATEMENT(bank_duties, "bank",
          "SELECT bank, account, reference, event FROM duties WHERE due_at <= $1"
          " ORDER BY due_at LIMIT $2::bigint");

STATEMENT(bank_forget_duty, "bank",
          "WITH input AS (SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[])"
          " AS input (bank, account, reference, event)"
          ") DELETE FROM duties d USING input WHERE d.bank = input.bank"
          " AND d.account = input.account AND d.reference = input.reference"
          " AND d.event = input.event RETURNING d.reference AS id");

STATEMENT(bank_movements, "bank",
          "SELECT e.at, e.movement, e.reference, e.payment, e.version, e.amount, o.currency"
          " FROM entries e JOIN operations o ON o.bank = e.bank AND o.account = e.account"
          " AND o.reference = e.payment"
          " WHERE e.bank = $1 AND e.account = $2 AND e.movement IS NOT NULL AND e.at < $3"
          " AND (e.at, e.payment, e.version) > ($4, $5, $6::bigint)"
          " ORDER BY e.at, e.payment, e.version LIMIT $7::bigint");

/* ---- Appending ------------------------------------------------------------------------------ */

static void add_id_or_null(struct parameters *parameters, const struct id *id)
{
    if (id)
        parameters_add_id(parameters, *id);
    else
        parameters_add_null(parameters, PARAMETER_ID);
}

static void add_amount_or_null(struct parameters *parameters, int64_t amount)
{
    if (amount != 0)
        parameters_add_integer(parameters, amount);
    else
        parameters_add_null(parameters, PARAMETER_INTEGER);
}

static void add_state(struct parameters *parameters, const struct bank_entry *entry)
{
    const struct bank_record *record = &entry->record;
    const struct bank_payment *payment = &entry->payment;

    parameters_add_id(parameters, record->reference);
    parameters_add_text(parameters, bank_event_words[entry->event]);
    parameters_add_text(parameters, bank_status_words[record->status]);
    parameters_add_text_or_null(parameters, record->failure_code);
    parameters_add_text_or_null(parameters, record->decline_code);
    add_amount_or_null(parameters, record->money.amount);
    parameters_add_text(parameters, bank_phase_words[payment->phase]);
    parameters_add_integer(parameters, payment->captured);
    parameters_add_integer(parameters, payment->refunded);
    parameters_add_text(parameters, bank_dispute_words[payment->dispute]);
    parameters_add_text_or_null(parameters, bank_movement_words[entry->movement]);
    parameters_add_instant(parameters, entry->at);
}

static void add_operation(struct parameters *parameters, const struct bank_line *line)
{
    static const struct bank_instruction none = { .capture = false };
    const struct bank_instruction *instruction = line->instruction ? line->instruction : &none;
    const struct bank_record *record = &line->entry->record;

    parameters_add_text(parameters, record->id);
    parameters_add_text(parameters, bank_operation_words[record->operation]);
    parameters_add_text_or_null(parameters, record->money.currency.code);
    parameters_add_integer(parameters, instruction->capture);
    parameters_add_text_or_null(parameters, record->operation == BANK_AUTHORIZE
                                                ? bank_marker_words[line->entry->payment.marker]
                                                : "");
    parameters_add_text_or_null(parameters, instruction->last4);
    parameters_add_text_or_null(parameters, instruction->expiry);
}

static void add_hook(struct parameters *parameters, const struct bank_hook *hook)
{
    struct instant due_at = { 0 };
    bool told = hook->type != NULL;

    if (hook->mode != HOOK_DROPPED)
        due_at = hook->due_at;
    add_id_or_null(parameters, told ? &hook->id : NULL);
    parameters_add_text_or_null(parameters, told ? hook->type : "");
    parameters_add_span(parameters, told ? hook->body : span_of(""));
    parameters_add_text(parameters, bank_hook_mode_words[hook->mode]);
    parameters_add_integer(parameters, hook->copies);
    parameters_add_instant_or_null(parameters, due_at);
}

static void add_duty(struct parameters *parameters, const struct bank_entry *entry)
{
    bool owes = entry->duty != EVENT_OPENED;

    parameters_add_text_or_null(parameters, owes ? bank_event_words[entry->duty] : "");
    parameters_add_instant(parameters, instant_add_ms(entry->at, BANK_DUTY_MS));
}

static void begin_append(struct write *write, const struct bank_line *line)
{
    const struct bank_payment *payment = &line->entry->payment;

    write_begin(write, &bank_append, WRITE_CHANGE, STREAM, payment->reference);
    parameters_add_text(&write->parameters, line->place->bank->name);
    parameters_add_text(&write->parameters, line->place->account);
    parameters_add_id(&write->parameters, payment->reference);
    parameters_add_integer(&write->parameters, payment->version);
    add_state(&write->parameters, line->entry);
    add_operation(&write->parameters, line);
    add_hook(&write->parameters, line->hook);
    add_duty(&write->parameters, line->entry);
}

/* Whether a refused line is one that was appended before, by a commit that nobody told of. */
static bool is_there(struct bank_book *book, const struct bank_line *line, bool *appended,
                     struct error *err)
{
    struct bank_key key = { *line->place, line->entry->record.reference };
    struct bank_standing standing;

    *appended = false;
    if (!line->instruction) /* what happens by itself is only looked at again */
        return true;
    if (!bank_book_find(book, &key, deadline_in_ms(READ_MS), &standing, err))
        return err->kind == ERROR_NOT_FOUND;
    *appended = strcmp(standing.record.id, line->entry->record.id) == 0;
    return true;
}

static bool is_unknown(const struct error *err)
{
    return err->kind == ERROR_UNKNOWN_OUTCOME;
}

bool bank_book_append(struct bank_book *book, const struct bank_line *line,
                      struct deadline deadline, bool *appended, struct error *err)
{
    bool committed = false, asked_before = false;

    for (int i = 0; i < APPEND_TRIES_MAX && !committed; i++) {
        AUTO(write_release) struct write write;

        begin_append(&write, line);
        committed = journal_commit(book->journal, &write, deadline, err);
        if (!committed && !asked_before && !is_unknown(err))
            return false;
        asked_before = asked_before || !committed;
        *appended = committed && write.outcome == WRITE_DONE;
    }
    if (committed && (*appended || !asked_before || is_there(book, line, appended, err)))
        return true;
    return error_set(err, ERROR_INTERNAL, "outcome_unknown",
                     "the database did not say whether it committed");
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* The index of a word that a CHECK admits; a NULL is the empty word. */
static size_t index_of(const char *word, const char *const *words, size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(words[i], word) != 0)
        i++;
    assert(i < count);
    return i;
}

#define WORD_OF(row, column, words, count) index_of(row_text(row, column), words, count)

static struct money money_of(const struct row *row, const char *amount, const char *currency)
{
    struct money money = { .amount = row_integer(row, amount) };

    row_copy_text(row, currency, money.currency.code, sizeof(money.currency.code));
    return money;
}

static void read_payment(const struct row *row, struct bank_payment *out)
{
    *out = (struct bank_payment){
        .reference = row_id(row, "payment"),
        .version = row_integer(row, "version"),
        .phase = WORD_OF(row, "phase", bank_phase_words, PHASE_COUNT),
        .is_transfer = strcmp(row_text(row, "payment_operation"), "transfer") == 0,
        .capture = row_boolean(row, "payment_capture"),
        .marker = WORD_OF(row, "marker", bank_marker_words, MARKER_COUNT),
        .dispute = WORD_OF(row, "dispute", bank_dispute_words, DISPUTE_COUNT),
        .money = money_of(row, "payment_amount", "payment_currency"),
        .captured = row_integer(row, "amount_captured"),
        .refunded = row_integer(row, "amount_refunded"),
    };
}

static bool was_captured(const struct bank_record *record, const struct bank_payment *payment)
{
    return payment->phase == PHASE_CAPTURED &&
           (id_equal(record->reference, payment->reference) ||
            (record->operation == BANK_CAPTURE && record->status == BANK_APPROVED));
}

static void read_record(const struct row *row, const struct bank_payment *payment,
                        struct bank_record *out)
{
    *out = (struct bank_record){
        .operation = WORD_OF(row, "operation", bank_operation_words, BANK_RECORDED_COUNT),
        .reference = row_id(row, "reference"),
        .payment = payment->reference,
        .status = WORD_OF(row, "status", bank_status_words, BANK_STATUS_COUNT),
        .money = money_of(row, "amount", "currency"),
        .created_at = row_instant(row, "created_at"),
    };
    row_copy_text(row, "id", out->id, sizeof(out->id));
    row_copy_text(row, "failure_code", out->failure_code, sizeof(out->failure_code));
    row_copy_text(row, "decline_code", out->decline_code, sizeof(out->decline_code));
    out->captured = was_captured(out, payment);
}

static void read_asked(const struct row *row, const struct bank_record *record,
                       struct bank_instruction *out)
{
    *out = (struct bank_instruction){
        .operation = record->operation,
        .reference = record->reference,
        .authorization = record->payment,
        .money = money_of(row, "asked_amount", "currency"),
        .capture = row_boolean(row, "capture"),
    };
    row_copy_text(row, "card_last4", out->last4, sizeof(out->last4));
    row_copy_text(row, "card_expiry", out->expiry, sizeof(out->expiry));
}

bool bank_book_find(struct bank_book *book, const struct bank_key *key, struct deadline deadline,
                    struct bank_standing *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, key->place.bank->name);
    parameters_add_text(&parameters, key->place.account);
    parameters_add_id(&parameters, key->reference);
    if (!db_query(book->pool, &bank_find_record, &parameters,
                  deadline_earlier(deadline, deadline_in_ms(READ_MS)), &rows, err))
        return false;
    if (rows.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "The bank knows no such reference.");

    struct row row = rows_at(&rows, 0);
    read_payment(&row, &out->payment);
    read_record(&row, &out->payment, &out->record);
    read_asked(&row, &out->record, &out->asked);
    return true;
}

static void read_place(const struct row *row, struct bank_place *out)
{
    out->bank = bank_find(row_text(row, "bank"));
    assert(out->bank);
    row_copy_text(row, "account", out->account, sizeof(out->account));
}

bool bank_book_locate(struct bank_book *book, const struct bank *bank, struct id reference,
                      struct bank_key *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_id(&parameters, reference);
    parameters_add_text_or_null(&parameters, bank ? bank->name : "");
    if (!db_query(book->pool, &bank_locate, &parameters, deadline_in_ms(READ_MS), &rows, err))
        return false;
    if (rows.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "No bank knows such a reference.");

    struct row row = rows_at(&rows, 0);
    read_place(&row, &out->place);
    out->reference = reference;
    return true;
}

/* ---- Duties --------------------------------------------------------------------------------- */

bool bank_book_duties(struct bank_book *book, struct instant now,
                      struct bank_duty out[BANK_DUTIES_MAX], size_t *count, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_instant(&parameters, now);
    parameters_add_integer(&parameters, BANK_DUTIES_MAX);
    if (!db_query(book->pool, &bank_duties, &parameters, deadline_in_ms(READ_MS), &rows, err))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct row row = rows_at(&rows, i);

        read_place(&row, &out[i].key.place);
        out[i].key.reference = row_id(&row, "reference");
        out[i].event = WORD_OF(&row, "event", bank_event_words, EVENT_COUNT);
    }
    *count = rows.count;
    return true;
}

bool bank_book_forget(struct bank_book *book, const struct bank_duty *duty, struct error *err)
{
    AUTO(write_release) struct write write;

    write_begin(&write, &bank_forget_duty, WRITE_CHANGE, STREAM, duty->key.reference);
    parameters_add_text(&write.parameters, duty->key.place.bank->name);
    parameters_add_text(&write.parameters, duty->key.place.account);
    parameters_add_id(&write.parameters, duty->key.reference);
    parameters_add_text(&write.parameters, bank_event_words[duty->event]);
    return journal_commit(book->journal, &write, deadline_in_ms(READ_MS), err);
}

/* ---- Settlement ----------------------------------------------------------------------------- */

/* Behind which movement a page begins. */
struct bookmark {
    struct instant at;
    struct id payment;
    int64_t version;
};

static bool read_movements(struct bank_book *book, const struct bank_day *day,
                           const struct bookmark *after, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, day->place->bank->name);
    parameters_add_text(&parameters, day->place->account);
    parameters_add_instant(&parameters, instant_add_ms(day->from, DAY_MS));
    parameters_add_instant(&parameters, after->at);
    parameters_add_id(&parameters, after->payment);
    parameters_add_integer(&parameters, after->version);
    parameters_add_integer(&parameters, MOVEMENTS_PAGE);
    return db_query(book->pool, &bank_movements, &parameters, deadline_in_ms(READ_MS), out, err);
}

static void visit_movement(const struct bank_day *day, const struct row *row)
{
    struct bank_movement_row movement = {
        .at = row_instant(row, "at"),
        .movement = WORD_OF(row, "movement", bank_movement_words, MOVEMENT_COUNT),
        .reference = row_id(row, "reference"),
        .payment = row_id(row, "payment"),
        .money = money_of(row, "amount", "currency"),
    };

    day->visit(day->ctx, &movement);
}

bool bank_book_movements(struct bank_book *book, const struct bank_day *day, struct error *err)
{
    struct bookmark after = { .at = day->from }; /* before any payment of that moment */
    size_t count = MOVEMENTS_PAGE;

    while (count == MOVEMENTS_PAGE) {
        AUTO(rows_release) struct rows rows = ROWS_EMPTY;

        if (!read_movements(book, day, &after, &rows, err))
            return false;
        count = rows.count;
        for (size_t i = 0; i < count; i++) {
            struct row row = rows_at(&rows, i);

            visit_movement(day, &row);
            after = (struct bookmark){ row_instant(&row, "at"), row_id(&row, "payment"),
                                       row_integer(&row, "version") };
        }
    }
    return true;
}
