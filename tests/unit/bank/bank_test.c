#include "payment-service/bank-simulator/bank.h"
#include "tests/unit/table.h"

static const struct instant now = { 1700000000000 };

enum { AMOUNT = 100, PART = 60 };

static struct id id_of(uint8_t number)
{
    return (struct id){ { 1, [15] = number } };
}

/* ---- Ways to be ----------------------------------------------------------------------------- */

static void open_payment(enum bank_operation operation, const struct bank_verdict *verdict,
                         bool capture, struct bank_entry *out)
{
    const struct bank_instruction instruction = {
        .operation = operation,
        .reference = id_of(1),
        .money = { operation == BANK_VOID_REFERENCE ? 0 : AMOUNT, EUR },
        .capture = capture,
    };

    bank_open(&instruction, verdict, id_of(9), now, out);
}

static void follow(const struct bank_entry *before, enum bank_operation operation, int64_t amount,
                   struct bank_entry *out)
{
    const struct bank_instruction instruction = {
        .operation = operation,
        .reference = id_of(2),
        .authorization = id_of(1),
        .money = { .amount = amount },
    };

    bank_follow(&instruction, &before->payment, id_of(8), now, out);
}

static void authorized(bool capture, enum bank_marker marker, struct bank_entry *out)
{
    open_payment(BANK_AUTHORIZE, &(struct bank_verdict){ BANK_APPROVED, NULL, NULL, marker },
                 capture, out);
}

static void challenged(bool capture, struct bank_entry *out)
{
    open_payment(BANK_AUTHORIZE, &(struct bank_verdict){ .status = BANK_PENDING }, capture, out);
}

/* A payment in each phase, transfers apart. */
static void be_in(enum bank_phase phase, struct bank_entry *out)
{
    struct bank_entry before;
    bool happened = true;

    switch (phase) {
    case PHASE_PENDING:
        challenged(true, out);
        break;
    case PHASE_AUTHORIZED:
        authorized(false, MARKER_NONE, out);
        break;
    case PHASE_CAPTURED:
        authorized(true, MARKER_NONE, out);
        break;
    case PHASE_RELEASED:
        authorized(false, MARKER_NONE, &before);
        follow(&before, BANK_VOID, 0, out);
        break;
    case PHASE_REFUSED:
        open_payment(
            BANK_AUTHORIZE,
            &(struct bank_verdict){ BANK_DECLINED, "card_declined", "lost_card", MARKER_NONE },
            true, out);
        break;
    default:
        challenged(true, &before);
        happened = bank_happen(EVENT_VOIDED, &before.payment, &before.record, 0, now, out);
        break;
    }
    assert_true(happened);
    assert_int_equal(out->payment.phase, phase);
}

/* ---- What follows, in every phase ----------------------------------------------------------- */

/* Whether the operation is allowed in each phase ("."), or why not. */
static const struct follow_row {
    const char *label;
    enum bank_operation operation;
    const char *outcomes[PHASE_COUNT]; /* by phase */
} follow_rows[] = {
    { "a capture takes what is authorized",
      BANK_CAPTURE,
      { "not_authorized", ".", "already_captured", "already_voided", "not_authorized",
        "already_voided" } },
    { "a void releases what is authorized",
      BANK_VOID,
      { "not_authorized", ".", "already_captured", "already_voided", "not_authorized",
        "already_voided" } },
    { "a refund gives back what was captured",
      BANK_REFUND,
      { "not_captured", "not_captured", ".", "not_captured", "not_captured", "not_captured" } },
};

static void check_follow(void **state)
{
    const struct follow_row *row = *state;

    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        bool allowed = strcmp(row->outcomes[phase], ".") == 0;
        struct bank_entry before, entry;

        be_in((enum bank_phase)phase, &before);
        follow(&before, row->operation, PART, &entry);
        assert_int_equal(entry.record.status, allowed ? BANK_APPROVED : BANK_DECLINED);
        assert_string_equal(entry.record.failure_code, allowed ? "" : row->outcomes[phase]);
        assert_int_equal(entry.payment.version, before.payment.version + 1);
        if (!allowed) {
            assert_int_equal(entry.payment.phase, before.payment.phase);
            assert_int_equal(entry.payment.captured, before.payment.captured);
            assert_int_equal(entry.payment.refunded, before.payment.refunded);
            assert_int_equal(entry.movement, MOVEMENT_NONE);
        }
    }
}

/* ---- Money ---------------------------------------------------------------------------------- */

static void captures_a_part_and_releases_the_rest(void **state)
{
    struct bank_entry before, entry, more;

    (void)state;
    authorized(false, MARKER_NONE, &before);
    assert_false(before.record.captured);
    assert_int_equal(before.movement, MOVEMENT_NONE);
    follow(&before, BANK_CAPTURE, PART, &entry);
    assert_int_equal(entry.payment.captured, PART);
    assert_int_equal(entry.movement, MOVEMENT_CAPTURE);
    assert_true(entry.record.captured);
    assert_string_equal(entry.record.money.currency.code, "EUR");
    follow(&entry, BANK_REFUND, PART + 1, &more);
    assert_string_equal(more.record.failure_code, "amount_too_large");
}

static void captures_no_more_than_is_authorized(void **state)
{
    struct bank_entry before, entry;

    (void)state;
    authorized(false, MARKER_NONE, &before);
    follow(&before, BANK_CAPTURE, AMOUNT + 1, &entry);
    assert_string_equal(entry.record.failure_code, "amount_too_large");
    follow(&before, BANK_CAPTURE, AMOUNT, &entry);
    assert_int_equal(entry.record.status, BANK_APPROVED);
}

static void refunds_no_more_than_was_captured(void **state)
{
    struct bank_entry before, first, second, third;

    (void)state;
    authorized(true, MARKER_NONE, &before);
    follow(&before, BANK_REFUND, PART, &first);
    assert_int_equal(first.payment.refunded, PART);
    follow(&first, BANK_REFUND, PART, &second);
    assert_string_equal(second.record.failure_code, "amount_too_large");
    follow(&second, BANK_REFUND, AMOUNT - PART, &third);
    assert_int_equal(third.record.status, BANK_APPROVED);
    assert_int_equal(third.payment.refunded, AMOUNT);
}

static void captures_at_once_what_was_asked_for(void **state)
{
    struct bank_entry entry;

    (void)state;
    authorized(true, MARKER_NONE, &entry);
    assert_int_equal(entry.payment.phase, PHASE_CAPTURED);
    assert_int_equal(entry.payment.captured, AMOUNT);
    assert_int_equal(entry.movement, MOVEMENT_CAPTURE);
    assert_true(entry.record.captured);
    assert_int_equal(entry.payment.version, 1);
}

static void tells_what_a_void_released(void **state)
{
    struct bank_entry before, entry;

    (void)state;
    authorized(false, MARKER_NONE, &before);
    follow(&before, BANK_VOID, 0, &entry);
    assert_int_equal(entry.record.money.amount, AMOUNT);
    assert_int_equal(entry.movement, MOVEMENT_NONE);
}

/* ---- What happens by itself, to every record ------------------------------------------------ */

/* Records that something may happen to. */
enum subject {
    A_CHALLENGE,
    A_TRANSFER,
    A_CAPTURED_PAYMENT,
    A_DISPUTED_PAYMENT,
    A_PENDING_REFUND,
    AN_APPROVED_REFUND,
    A_CAPTURE,
    A_DEAD_REFERENCE,
    SUBJECT_COUNT
};

static void make_subject(enum subject subject, struct bank_entry *out)
{
    struct bank_entry before;
    bool happened;

    switch (subject) {
    case A_CHALLENGE:
        challenged(true, out);
        break;
    case A_TRANSFER:
        open_payment(BANK_TRANSFER, NULL, false, out);
        break;
    case A_CAPTURED_PAYMENT:
        authorized(true, MARKER_NONE, out);
        break;
    case A_DISPUTED_PAYMENT:
        authorized(true, MARKER_NONE, &before);
        happened = bank_happen(EVENT_DISPUTE_OPENED, &before.payment, &before.record, 0, now, out);
        assert_true(happened);
        break;
    case A_PENDING_REFUND:
        authorized(true, MARKER_REFUNDS_PENDING, &before);
        follow(&before, BANK_REFUND, PART, out);
        break;
    case AN_APPROVED_REFUND:
        authorized(true, MARKER_REFUNDS_RETURN, &before);
        follow(&before, BANK_REFUND, PART, out);
        break;
    case A_CAPTURE:
        authorized(false, MARKER_NONE, &before);
        follow(&before, BANK_CAPTURE, PART, out);
        break;
    default:
        open_payment(BANK_VOID_REFERENCE, NULL, false, out);
        break;
    }
}

/* A letter per subject, in the enum's order: what status the record has then, or - for never. */
static const struct event_row {
    const char *label;
    enum bank_event event;
    const char *outcomes;
    const char *notice; /* of the first that happens */
} event_rows[] = {
    { "a challenge is passed", EVENT_CHALLENGE_PASSED, "a-------", "authorization.approved" },
    { "a challenge is failed", EVENT_CHALLENGE_FAILED, "d-------", "authorization.declined" },
    { "a transfer is paid", EVENT_PAID, "-a------", "transfer.paid" },
    { "what is pending is voided", EVENT_VOIDED, "vv--v---", "authorization.voided" },
    { "a slow refund is approved", EVENT_REFUND_APPROVED, "----a---", "refund.approved" },
    { "an approved refund comes back", EVENT_REFUND_RETURNED, "-----d--", "refund.returned" },
    { "a dispute is opened once", EVENT_DISPUTE_OPENED, "--a-----", "dispute.opened" },
    { "a dispute is won", EVENT_DISPUTE_WON, "---a----", "dispute.won" },
    { "a dispute is lost", EVENT_DISPUTE_LOST, "---a----", "dispute.lost" },
    { "nothing is opened twice", EVENT_OPENED, "--------", NULL },
};

static char letter_of(enum bank_event event, const struct bank_entry *subject,
                      struct bank_entry *out)
{
    if (!bank_happen(event, &subject->payment, &subject->record, AMOUNT, now, out))
        return '-';
    assert_int_equal(out->payment.version, subject->payment.version + 1);
    return bank_status_words[out->record.status][0];
}

static void check_event(void **state)
{
    const struct event_row *row = *state;
    const char *notice = NULL;

    for (int i = 0; i < SUBJECT_COUNT; i++) {
        struct bank_entry subject, entry;

        make_subject((enum subject)i, &subject);
        char letter = letter_of(row->event, &subject, &entry);
        assert_int_equal(letter, row->outcomes[i]);
        if (letter != '-' && !notice)
            notice = bank_notice_type(&entry);
    }
    assert_string_equal(notice ? notice : "", row->notice ? row->notice : "");
}

static void takes_what_a_passed_challenge_was_for(void **state)
{
    struct bank_entry before, entry;

    (void)state;
    challenged(true, &before);
    assert_true(
        bank_happen(EVENT_CHALLENGE_PASSED, &before.payment, &before.record, 0, now, &entry));
    assert_int_equal(entry.payment.captured, AMOUNT);
    assert_int_equal(entry.movement, MOVEMENT_CAPTURE);
    challenged(false, &before);
    assert_true(
        bank_happen(EVENT_CHALLENGE_PASSED, &before.payment, &before.record, 0, now, &entry));
    assert_int_equal(entry.payment.phase, PHASE_AUTHORIZED);
}

static void takes_what_a_customer_paid(void **state)
{
    struct bank_entry before, entry;

    (void)state;
    open_payment(BANK_TRANSFER, NULL, false, &before);
    assert_true(bank_happen(EVENT_PAID, &before.payment, &before.record, PART, now, &entry));
    assert_int_equal(entry.record.money.amount, PART);
    assert_int_equal(entry.payment.captured, PART);
    assert_int_equal(entry.movement, MOVEMENT_TRANSFER);
}

static void takes_what_a_customer_paid_too_late(void **state)
{
    struct bank_entry before, given_up, entry;

    (void)state;
    open_payment(BANK_TRANSFER, NULL, false, &before);
    assert_true(bank_happen(EVENT_VOIDED, &before.payment, &before.record, 0, now, &given_up));
    assert_true(bank_happen(EVENT_PAID, &given_up.payment, &given_up.record, PART, now, &entry));
    assert_int_equal(entry.record.status, BANK_APPROVED);
    assert_int_equal(entry.payment.phase, PHASE_CAPTURED);
    assert_int_equal(entry.payment.captured, PART);
    assert_int_equal(entry.movement, MOVEMENT_TRANSFER);
    assert_string_equal(bank_notice_type(&entry), "transfer.paid");
    assert_false(bank_happen(EVENT_PAID, &entry.payment, &entry.record, PART, now, &given_up));
}

static void gives_back_what_a_refund_held(void **state)
{
    struct bank_entry refund, entry;

    (void)state;
    make_subject(AN_APPROVED_REFUND, &refund);
    assert_int_equal(refund.movement, MOVEMENT_REFUND);
    assert_true(
        bank_happen(EVENT_REFUND_RETURNED, &refund.payment, &refund.record, 0, now, &entry));
    assert_int_equal(entry.payment.refunded, 0);
    assert_int_equal(entry.movement, MOVEMENT_REFUND_RETURN);
    make_subject(A_PENDING_REFUND, &refund);
    assert_int_equal(refund.movement, MOVEMENT_NONE);
    assert_int_equal(refund.payment.refunded, PART);
    assert_true(bank_happen(EVENT_VOIDED, &refund.payment, &refund.record, 0, now, &entry));
    assert_int_equal(entry.payment.refunded, 0);
    assert_int_equal(entry.payment.phase, PHASE_CAPTURED);
}

static void owes_what_the_card_has_in_store(void **state)
{
    struct bank_entry entry, refund;

    (void)state;
    authorized(false, MARKER_DISPUTED, &entry);
    assert_int_equal(entry.duty, EVENT_OPENED);
    follow(&entry, BANK_CAPTURE, PART, &refund);
    assert_int_equal(refund.duty, EVENT_DISPUTE_OPENED);
    authorized(true, MARKER_DISPUTED, &entry);
    assert_int_equal(entry.duty, EVENT_DISPUTE_OPENED);
    make_subject(A_PENDING_REFUND, &refund);
    assert_int_equal(refund.duty, EVENT_REFUND_APPROVED);
    make_subject(AN_APPROVED_REFUND, &refund);
    assert_int_equal(refund.duty, EVENT_REFUND_RETURNED);
}

/* ---- Names ---------------------------------------------------------------------------------- */

static void knows_its_banks_and_their_currencies(void **state)
{
    const struct bank *a = bank_find("bank-a"), *b = bank_find("bank-b"), *c = bank_find("bank-c");
    struct currency tnd = { "TND" };

    (void)state;
    assert_true(a && b && c && !bank_find("bank-d") && !bank_find(""));
    assert_true(bank_takes(a, EUR) && bank_takes(a, USD) && bank_takes(a, GBP));
    assert_false(bank_takes(a, JPY) || bank_takes(a, tnd));
    assert_true(bank_takes(b, tnd) && bank_takes(c, tnd));
    assert_true(c->speaks_soap && !a->speaks_soap && !b->speaks_soap);
}

static const struct account_row {
    const char *label;
    const char *account;
    bool valid;
} account_rows[] = {
    { "a slug is an account", "demo-2", true },
    { "nothing is none", "", false },
    { "capitals are none", "Demo", false },
    { "40 characters are the longest", "0123456789012345678901234567890123456789", true },
    { "41 are too long", "01234567890123456789012345678901234567890", false },
    { "a slash is none", "a/b", false },
};

static void check_account(void **state)
{
    const struct account_row *row = *state;

    assert_int_equal(bank_account_is_valid(span_of(row->account)), row->valid);
}

static const struct pause_row {
    const char *label;
    int64_t tries;
    int status;
    int64_t pause_ms;
} pause_rows[] = {
    { "what is taken has ended", 1, 204, 0 },
    { "the last status that takes", 1, 299, 0 },
    { "a redirection takes nothing", 1, 301, 1000 },
    { "no answer: again after a second", 1, 0, 1000 },
    { "then after five", 2, 503, 5000 },
    { "then after 25", 3, 401, 25000 },
    { "then after two minutes", 4, 500, 120000 },
    { "then after ten", 5, 500, 600000 },
    { "and so on", 9, 500, 600000 },
    { "ten times in all", 10, 500, 0 },
    { "gone is gone", 1, 410, 0 },
};

static void check_pause(void **state)
{
    const struct pause_row *row = *state;

    assert_int_equal(bank_notice_pause_ms(row->tries, row->status), row->pause_ms);
}

static void writes_ids_in_base_32(void **state)
{
    struct id all;
    char text[BANK_ID_SIZE];

    (void)state;
    memset(all.bytes, 0xff, sizeof(all.bytes));
    bank_record_id(all, text);
    assert_string_equal(text, "op_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    bank_record_id(id_of(1), text);
    assert_string_equal(text, "op_01000000000000000000000001");
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, follow_rows, check_follow);
    TABLE_ADD(&table, captures_a_part_and_releases_the_rest);
    TABLE_ADD(&table, captures_no_more_than_is_authorized);
    TABLE_ADD(&table, refunds_no_more_than_was_captured);
    TABLE_ADD(&table, captures_at_once_what_was_asked_for);
    TABLE_ADD(&table, tells_what_a_void_released);
    TABLE_ADD_ROWS(&table, event_rows, check_event);
    TABLE_ADD(&table, takes_what_a_passed_challenge_was_for);
    TABLE_ADD(&table, takes_what_a_customer_paid);
    TABLE_ADD(&table, takes_what_a_customer_paid_too_late);
    TABLE_ADD(&table, gives_back_what_a_refund_held);
    TABLE_ADD(&table, owes_what_the_card_has_in_store);
    TABLE_ADD(&table, knows_its_banks_and_their_currencies);
    TABLE_ADD_ROWS(&table, account_rows, check_account);
    TABLE_ADD_ROWS(&table, pause_rows, check_pause);
    TABLE_ADD(&table, writes_ids_in_base_32);
    return table_run(&table);
}
