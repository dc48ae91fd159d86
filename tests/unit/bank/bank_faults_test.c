#include "payment-service/bank-simulator/bank_faults.h"
#include "tests/unit/table.h"

enum { CALLS = 60 };

static struct fault fault_of(enum fault_kind kind)
{
    return (struct fault){
        .kind = kind, .operation = -1, .share_part = 1, .share_of = 1, .probability_percent = 100
    };
}

static struct fault_question question_of(void)
{
    return (struct fault_question){ .bank = bank_find("bank-a"),
                                    .account = "demo",
                                    .operation = BANK_AUTHORIZE,
                                    .card = "4242424242424242",
                                    .amount = 100 };
}

/* ---- Matching ------------------------------------------------------------------------------- */

/* Each row narrows a fault by one thing that calls have, or have not. */
static const struct match_row {
    const char *label;
    const char *bank, *account, *card;
    int operation;
    int64_t amount;
    bool matches;
} match_rows[] = {
    { "a fault without limits matches every call", NULL, "", "", -1, 0, true },
    { "its bank", "bank-a", "", "", -1, 0, true },
    { "another bank", "bank-b", "", "", -1, 0, false },
    { "its account", NULL, "demo", "", -1, 0, true },
    { "another account", NULL, "other", "", -1, 0, false },
    { "its card", NULL, "", "4242424242424242", -1, 0, true },
    { "another card", NULL, "", "4000000000000002", -1, 0, false },
    { "the end of a card is not the card", NULL, "", "242424242424242", -1, 0, false },
    { "its operation", NULL, "", "", BANK_AUTHORIZE, 0, true },
    { "another operation", NULL, "", "", BANK_CAPTURE, 0, false },
    { "its amount", NULL, "", "", -1, 100, true },
    { "another amount", NULL, "", "", -1, 101, false },
    { "all of them", "bank-a", "demo", "4242424242424242", BANK_AUTHORIZE, 100, true },
    { "all but one", "bank-a", "demo", "4242424242424242", BANK_AUTHORIZE, 101, false },
};

static bool strikes(struct faults *faults, const struct fault_question *question, int64_t now_ms)
{
    struct fault struck;

    return faults_strike_call(faults, question, now_ms, &struck);
}

static struct faults *faults_with(const struct fault *fault)
{
    struct faults *faults = faults_create();
    struct id id;

    assert_true(faults_add(faults, fault, 0, &id));
    return faults;
}

static void check_match(void **state)
{
    const struct match_row *row = *state;
    struct fault fault = fault_of(FAULT_RESET);
    struct fault_question question = question_of();

    fault.bank = row->bank ? bank_find(row->bank) : NULL;
    text_copy(fault.account, sizeof(fault.account), row->account);
    text_copy(fault.card, sizeof(fault.card), row->card);
    fault.operation = row->operation;
    fault.amount = row->amount;
    struct faults *faults = faults_with(&fault);
    assert_int_equal(strikes(faults, &question, 0), row->matches);
    question.card = NULL;
    assert_int_equal(strikes(faults, &question, 0), row->matches && row->card[0] == '\0');
    faults_destroy(faults);
}

/* ---- Choosing ------------------------------------------------------------------------------- */

static const struct choice_row {
    const char *label;
    int64_t part, of, times;
    const char *struck; /* of the first ten calls, # for each that is */
} choice_rows[] = {
    { "every call", 1, 1, 0, "##########" },
    { "every third call", 1, 3, 0, "..#..#..#." },
    { "two of three calls", 2, 3, 0, ".##.##.##." },
    { "the first two calls", 1, 1, 2, "##........" },
    { "every second call, three times", 1, 2, 3, ".#.#.#...." },
};

static void check_choice(void **state)
{
    const struct choice_row *row = *state;
    struct fault fault = fault_of(FAULT_LOSE_ANSWER), list[FAULTS_MAX];
    struct fault_question question = question_of();
    int64_t struck = 0;

    fault.share_part = row->part;
    fault.share_of = row->of;
    fault.times = row->times;
    struct faults *faults = faults_with(&fault);
    for (size_t i = 0; row->struck[i] != '\0'; i++) {
        assert_int_equal(strikes(faults, &question, 0), row->struck[i] == '#');
        struck += row->struck[i] == '#';
    }
    assert_int_equal(faults_list(faults, list), 1);
    assert_int_equal(list[0].matched, 10);
    assert_int_equal(list[0].struck, struck);
    faults_destroy(faults);
}

/* Which of CALLS calls a seed strikes. */
static void play(int64_t seed, int64_t percent, bool out[CALLS])
{
    struct fault fault = fault_of(FAULT_RESET);
    struct fault_question question = question_of();

    fault.seed = seed;
    fault.probability_percent = percent;
    struct faults *faults = faults_with(&fault);
    for (size_t i = 0; i < CALLS; i++)
        out[i] = strikes(faults, &question, 0);
    faults_destroy(faults);
}

static void repeats_what_a_seed_chose(void **state)
{
    bool first[CALLS], again[CALLS], other[CALLS];
    int64_t struck = 0;

    (void)state;
    play(7, 30, first);
    play(7, 30, again);
    play(8, 30, other);
    assert_memory_equal(first, again, sizeof(first));
    assert_memory_not_equal(first, other, sizeof(first));
    for (size_t i = 0; i < CALLS; i++)
        struck += first[i];
    assert_in_range(struck, 8, 30);
}

static void lets_only_the_first_that_strikes_count(void **state)
{
    struct fault_question question = question_of();
    struct fault second = fault_of(FAULT_ERROR_500), struck, list[FAULTS_MAX];
    struct fault first = fault_of(FAULT_RESET);
    struct id id;

    (void)state;
    first.share_of = 2;
    struct faults *faults = faults_with(&first);
    assert_true(faults_add(faults, &second, 0, &id));
    assert_true(faults_strike_call(faults, &question, 0, &struck));
    assert_int_equal(struck.kind, FAULT_ERROR_500);
    assert_true(faults_strike_call(faults, &question, 0, &struck));
    assert_int_equal(struck.kind, FAULT_RESET);
    assert_int_equal(faults_list(faults, list), 2);
    assert_int_equal(list[1].matched, 1);
    faults_destroy(faults);
}

static void ends_an_outage_in_time(void **state)
{
    struct fault fault = fault_of(FAULT_OUTAGE);
    struct fault_question question = question_of();

    (void)state;
    fault.seconds = 2;
    struct faults *faults = faults_with(&fault);
    assert_true(strikes(faults, &question, 1999));
    assert_false(strikes(faults, &question, 2000));
    faults_destroy(faults);
}

/* ---- Webhooks ------------------------------------------------------------------------------- */

static void adds_up_what_becomes_of_a_webhook(void **state)
{
    static const enum fault_kind kinds[] = { FAULT_WEBHOOK_BEFORE_ANSWER, FAULT_WEBHOOK_REPEAT,
                                             FAULT_WEBHOOK_LATE, FAULT_WEBHOOK_OTHER_REFERENCE };
    struct fault_question question = question_of();
    struct faults *faults = faults_create();
    struct id id;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct fault fault = fault_of(kinds[i]);

        fault.times = kinds[i] == FAULT_WEBHOOK_REPEAT ? 3 : 0;
        fault.delay_ms = 50;
        fault.reference.bytes[0] = 5;
        assert_true(faults_add(faults, &fault, 0, &id));
    }
    assert_false(strikes(faults, &question, 0));
    for (int i = 0; i < 5; i++) { /* copies are no limit */
        struct fault_plan plan = faults_strike_webhook(faults, &question);

        assert_true(plan.before_answer && plan.other && !plan.held && !plan.dropped);
        assert_false(plan.forged);
        assert_int_equal(plan.copies, 3);
        assert_int_equal(plan.delay_ms, 50);
        assert_int_equal(plan.reference.bytes[0], 5);
    }
    faults_destroy(faults);
}

/* ---- The list ------------------------------------------------------------------------------- */

static void ends_one_and_all(void **state)
{
    struct faults *faults = faults_create();
    struct fault fault = fault_of(FAULT_RESET), list[FAULTS_MAX];
    struct id ids[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        fault.amount = i + 1;
        assert_true(faults_add(faults, &fault, 0, &ids[i]));
    }
    assert_true(faults_remove(faults, ids[1]));
    assert_false(faults_remove(faults, ids[1]));
    assert_int_equal(faults_list(faults, list), 2);
    assert_int_equal(list[0].amount, 1);
    assert_int_equal(list[1].amount, 3);
    faults_clear(faults);
    assert_int_equal(faults_list(faults, list), 0);
    faults_destroy(faults);
}

static void has_room_for_so_many(void **state)
{
    struct faults *faults = faults_create();
    struct fault fault = fault_of(FAULT_RESET);
    struct id id;

    (void)state;
    for (int i = 0; i < FAULTS_MAX; i++)
        assert_true(faults_add(faults, &fault, 0, &id));
    assert_false(faults_add(faults, &fault, 0, &id));
    faults_destroy(faults);
}

static void shows_no_card(void **state)
{
    struct fault fault = fault_of(FAULT_RESET), list[FAULTS_MAX];

    (void)state;
    text_copy(fault.card, sizeof(fault.card), "4242424242424242");
    struct faults *faults = faults_with(&fault);
    assert_int_equal(faults_list(faults, list), 1);
    assert_string_equal(list[0].card, "************4242");
    faults_destroy(faults);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, match_rows, check_match);
    TABLE_ADD_ROWS(&table, choice_rows, check_choice);
    TABLE_ADD(&table, repeats_what_a_seed_chose);
    TABLE_ADD(&table, lets_only_the_first_that_strikes_count);
    TABLE_ADD(&table, ends_an_outage_in_time);
    TABLE_ADD(&table, adds_up_what_becomes_of_a_webhook);
    TABLE_ADD(&table, ends_one_and_all);
    TABLE_ADD(&table, has_room_for_so_many);
    TABLE_ADD(&table, shows_no_card);
    return table_run(&table);
}
