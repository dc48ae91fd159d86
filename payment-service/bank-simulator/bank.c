#include "payment-service/bank-simulator/bank.h"

static const struct bank banks[] = {
    { "bank-a", false, "EUR USD GBP" },
    { "bank-b", false, NULL },
    { "bank-c", true, NULL },
};

const char *const bank_operation_words[] = {
    "authorize", "transfer", "capture", "void", "refund", "void_reference", "look_up", "settlement"
};
const char *const bank_status_words[] = { "approved", "declined", "pending", "voided" };
const char *const bank_phase_words[] = { "pending",  "authorized", "captured",
                                         "released", "refused",    "dead" };
const char *const bank_marker_words[] = { "", "disputed", "refunds_return", "refunds_pending" };
const char *const bank_dispute_words[] = { "none", "open", "won", "lost" };
const char *const bank_event_words[] = {
    "opened",          "challenge_passed", "challenge_failed", "paid",        "voided",
    "refund_approved", "refund_returned",  "dispute_opened",   "dispute_won", "dispute_lost",
};
const char *const bank_movement_words[] = { "", "capture", "transfer", "refund", "refund_return" };

/* ---- Banks and accounts --------------------------------------------------------------------- */

const struct bank *bank_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(banks); i++)
        if (strcmp(banks[i].name, name) == 0)
            return &banks[i];
    return NULL;
}

bool bank_takes(const struct bank *bank, struct currency currency)
{
    return !bank->currencies || strstr(bank->currencies, currency.code);
}

bool bank_account_is_valid(struct span account)
{
    if (account.length == 0 || account.length >= BANK_ACCOUNT_SIZE)
        return false;
    for (size_t i = 0; i < account.length; i++)
        if (account.at[i] == '\0' ||
            !strchr("abcdefghijklmnopqrstuvwxyz0123456789-", account.at[i]))
            return false;
    return true;
}

/* ---- Records -------------------------------------------------------------------------------- */

bool bank_operation_follows(enum bank_operation operation)
{
    return operation == BANK_CAPTURE || operation == BANK_VOID || operation == BANK_REFUND;
}

/* 128 bits in 26 digits of 5: the first has 3 of them. */
void bank_record_id(struct id id, char out[BANK_ID_SIZE])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    char *at = out + sizeof("op_") - 1;
    unsigned bits = 0, have = 2; /* two zeros in front make it 130 */

    text_copy(out, BANK_ID_SIZE, "op_");
    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        bits = bits << 8 | id.bytes[i];
        for (have += 8; have >= 5; have -= 5)
            *at++ = digits[bits >> (have - 5) & 31];
    }
    *at = '\0';
}

static void fail(struct bank_record *record, const char *code, const char *decline_code)
{
    record->status = BANK_DECLINED;
    text_copy(record->failure_code, sizeof(record->failure_code), code);
    text_copy(record->decline_code, sizeof(record->decline_code), decline_code ? decline_code : "");
}

static void begin_record(const struct bank_instruction *instruction, struct id id,
                         struct instant now, struct bank_record *out)
{
    *out = (struct bank_record){
        .operation = instruction->operation,
        .reference = instruction->reference,
        .payment = bank_operation_follows(instruction->operation) ? instruction->authorization
                                                                  : instruction->reference,
        .status = BANK_APPROVED,
        .money = instruction->money,
        .created_at = now,
    };
    bank_record_id(id, out->id);
}

/* ---- What begins a payment ------------------------------------------------------------------ */

/* The money is taken: all that was authorized, or a part. */
static void take(struct bank_entry *entry, int64_t amount)
{
    struct bank_payment *payment = &entry->payment;

    payment->phase = PHASE_CAPTURED;
    payment->captured = amount;
    entry->record.captured = true;
    entry->movement = payment->is_transfer ? MOVEMENT_TRANSFER : MOVEMENT_CAPTURE;
    if (payment->marker == MARKER_DISPUTED)
        entry->duty = EVENT_DISPUTE_OPENED;
}

static void hold(struct bank_entry *entry)
{
    entry->payment.phase = PHASE_AUTHORIZED;
    if (entry->payment.capture)
        take(entry, entry->payment.money.amount);
}

static void open_authorization(const struct bank_verdict *verdict, struct bank_entry *entry)
{
    entry->record.status = verdict->status;
    if (verdict->status == BANK_APPROVED) {
        hold(entry);
    } else if (verdict->status == BANK_DECLINED) {
        entry->payment.phase = PHASE_REFUSED;
        fail(&entry->record, verdict->failure_code, verdict->decline_code);
    }
}

void bank_open(const struct bank_instruction *instruction, const struct bank_verdict *verdict,
               struct id id, struct instant now, struct bank_entry *out)
{
    enum bank_operation operation = instruction->operation;

    assert(!bank_operation_follows(operation) && operation < BANK_RECORDED_COUNT);
    *out = (struct bank_entry){ .event = EVENT_OPENED, .at = now };
    begin_record(instruction, id, now, &out->record);
    out->payment = (struct bank_payment){
        .reference = instruction->reference,
        .version = 1,
        .phase = operation == BANK_VOID_REFERENCE ? PHASE_DEAD : PHASE_PENDING,
        .is_transfer = operation == BANK_TRANSFER,
        .capture = instruction->capture,
        .marker = operation == BANK_AUTHORIZE ? verdict->marker : MARKER_NONE,
        .money = instruction->money,
    };
    if (operation == BANK_AUTHORIZE)
        open_authorization(verdict, out);
    else
        out->record.status = operation == BANK_TRANSFER ? BANK_PENDING : BANK_VOIDED;
}

/* ---- What follows it ------------------------------------------------------------------------ */

/* Why a payment in that phase takes no capture, void or refund; NULL where it does. */
static const struct {
    const char *capture, *release, *refund;
} refusals[] = {
    [PHASE_PENDING] = { "not_authorized", "not_authorized", "not_captured" },
    [PHASE_AUTHORIZED] = { NULL, NULL, "not_captured" },
    [PHASE_CAPTURED] = { "already_captured", "already_captured", NULL },
    [PHASE_RELEASED] = { "already_voided", "already_voided", "not_captured" },
    [PHASE_REFUSED] = { "not_authorized", "not_authorized", "not_captured" },
    [PHASE_DEAD] = { "already_voided", "already_voided", "not_captured" },
};

_Static_assert(COUNT_OF(refusals) == PHASE_COUNT, "every phase has a row");

static const char *refusal_of(const struct bank_instruction *instruction,
                              const struct bank_payment *payment)
{
    int64_t amount = instruction->money.amount;
    int64_t most = payment->phase == PHASE_CAPTURED ? payment->captured - payment->refunded
                                                    : payment->money.amount;
    const char *refusal = refusals[payment->phase].capture;

    if (instruction->operation == BANK_VOID)
        return refusals[payment->phase].release;
    if (instruction->operation == BANK_REFUND)
        refusal = refusals[payment->phase].refund;
    return !refusal && amount > most ? "amount_too_large" : refusal;
}

static void refund(struct bank_entry *entry)
{
    entry->payment.refunded += entry->record.money.amount;
    if (entry->payment.marker == MARKER_REFUNDS_PENDING) {
        entry->record.status = BANK_PENDING;
        entry->duty = EVENT_REFUND_APPROVED;
        return;
    }
    entry->movement = MOVEMENT_REFUND;
    if (entry->payment.marker == MARKER_REFUNDS_RETURN)
        entry->duty = EVENT_REFUND_RETURNED;
}

void bank_follow(const struct bank_instruction *instruction, const struct bank_payment *payment,
                 struct id id, struct instant now, struct bank_entry *out)
{
    const char *refusal = refusal_of(instruction, payment);

    assert(bank_operation_follows(instruction->operation));
    *out = (struct bank_entry){ .event = EVENT_OPENED, .payment = *payment, .at = now };
    begin_record(instruction, id, now, &out->record);
    out->payment.version++;
    out->record.money.currency = payment->money.currency;
    if (instruction->operation == BANK_VOID)
        out->record.money.amount = payment->money.amount;
    if (refusal)
        fail(&out->record, refusal, NULL);
    else if (instruction->operation == BANK_CAPTURE)
        take(out, instruction->money.amount);
    else if (instruction->operation == BANK_VOID)
        out->payment.phase = PHASE_RELEASED;
    else
        refund(out);
}

/* ---- What happens without a caller ---------------------------------------------------------- */

static bool is_own(const struct bank_payment *payment, const struct bank_record *record)
{
    return id_equal(payment->reference, record->reference);
}

/* A challenge or a transfer that is waited for. */
static bool is_awaited(const struct bank_entry *entry, bool transfer)
{
    return entry->payment.phase == PHASE_PENDING && entry->payment.is_transfer == transfer &&
           is_own(&entry->payment, &entry->record);
}

static bool end_challenge(struct bank_entry *entry)
{
    if (!is_awaited(entry, false))
        return false;
    if (entry->event == EVENT_CHALLENGE_FAILED) {
        entry->payment.phase = PHASE_REFUSED;
        fail(&entry->record, "authentication_failed", NULL);
        return true;
    }
    entry->record.status = BANK_APPROVED;
    hold(entry);
    return true;
}

/* A transfer that was voided while it was waited for: its customer may pay it all the same. */
static bool is_given_up(const struct bank_entry *entry)
{
    return entry->payment.phase == PHASE_DEAD && entry->record.operation == BANK_TRANSFER &&
           is_own(&entry->payment, &entry->record);
}

static bool pay(struct bank_entry *entry, int64_t amount)
{
    if (!is_awaited(entry, true) && !is_given_up(entry))
        return false;
    entry->record.status = BANK_APPROVED;
    entry->record.money.amount = amount;
    take(entry, amount);
    return true;
}

static bool void_pending(struct bank_entry *entry)
{
    if (entry->record.status != BANK_PENDING)
        return false;
    entry->record.status = BANK_VOIDED;
    if (is_own(&entry->payment, &entry->record))
        entry->payment.phase = PHASE_DEAD;
    else
        entry->payment.refunded -= entry->record.money.amount;
    return true;
}

static bool approve_refund(struct bank_entry *entry)
{
    if (entry->record.operation != BANK_REFUND || entry->record.status != BANK_PENDING)
        return false;
    entry->record.status = BANK_APPROVED;
    entry->movement = MOVEMENT_REFUND;
    return true;
}

static bool return_refund(struct bank_entry *entry)
{
    if (entry->record.operation != BANK_REFUND || entry->record.status != BANK_APPROVED)
        return false;
    fail(&entry->record, "refund_returned", NULL);
    entry->payment.refunded -= entry->record.money.amount;
    entry->movement = MOVEMENT_REFUND_RETURN;
    return true;
}

/* A dispute is opened once, and then won or lost. */
static bool dispute(struct bank_entry *entry)
{
    bool opens = entry->event == EVENT_DISPUTE_OPENED;
    struct bank_payment *payment = &entry->payment;

    if (payment->phase != PHASE_CAPTURED || !is_own(payment, &entry->record) ||
        payment->dispute != (opens ? DISPUTE_NONE : DISPUTE_OPEN))
        return false;
    payment->dispute = DISPUTE_OPEN;
    if (!opens)
        payment->dispute = entry->event == EVENT_DISPUTE_WON ? DISPUTE_WON : DISPUTE_LOST;
    return true;
}

static bool apply(struct bank_entry *entry, int64_t amount)
{
    switch (entry->event) {
    case EVENT_CHALLENGE_PASSED:
    case EVENT_CHALLENGE_FAILED:
        return end_challenge(entry);
    case EVENT_PAID:
        return pay(entry, amount);
    case EVENT_VOIDED:
        return void_pending(entry);
    case EVENT_REFUND_APPROVED:
        return approve_refund(entry);
    case EVENT_REFUND_RETURNED:
        return return_refund(entry);
    case EVENT_DISPUTE_OPENED:
    case EVENT_DISPUTE_WON:
    case EVENT_DISPUTE_LOST:
        return dispute(entry);
    default:
        return false;
    }
}

bool bank_happen(enum bank_event event, const struct bank_payment *payment,
                 const struct bank_record *record, int64_t amount, struct instant now,
                 struct bank_entry *out)
{
    *out = (struct bank_entry){ .event = event, .record = *record, .payment = *payment, .at = now };
    out->payment.version++;
    return apply(out, amount);
}

/* ---- What is told of it --------------------------------------------------------------------- */

/* By the record's operation and status. */
static const char *const notices[BANK_RECORDED_COUNT][BANK_STATUS_COUNT] = {
    [BANK_AUTHORIZE] = { "authorization.approved", "authorization.declined",
                         "authorization.pending", "authorization.voided" },
    [BANK_TRANSFER] = { "transfer.paid", NULL, NULL, "transfer.voided" },
    [BANK_CAPTURE] = { "capture.approved", "capture.declined", NULL, NULL },
    [BANK_VOID] = { "void.approved", "void.declined", NULL, NULL },
    [BANK_REFUND] = { "refund.approved", "refund.declined", "refund.pending", "refund.voided" },
};

const char *bank_notice_type(const struct bank_entry *entry)
{
    switch (entry->event) {
    case EVENT_REFUND_RETURNED:
        return "refund.returned";
    case EVENT_DISPUTE_OPENED:
        return "dispute.opened";
    case EVENT_DISPUTE_WON:
        return "dispute.won";
    case EVENT_DISPUTE_LOST:
        return "dispute.lost";
    default:
        return notices[entry->record.operation][entry->record.status];
    }
}

int64_t bank_notice_pause_ms(int64_t tries, int status)
{
    static const int64_t pauses_ms[] = { 1000, 5000, 25000, 120000, 600000 };

    if ((status >= 200 && status < 300) || status == 410 || tries >= NOTICE_TRIES_MAX)
        return 0;
    return pauses_ms[tries <= (int64_t)COUNT_OF(pauses_ms) ? tries - 1
                                                           : (int64_t)COUNT_OF(pauses_ms) - 1];
}
