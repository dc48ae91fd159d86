#include "tests/unit/table.h"
#include "voucher-service/voucher.h"

static const struct instant then = { 1700000000000 };
static const struct instant now = { 1700000005000 };

/*
 * The design's states once more, written the other way round: one line per status a voucher is in,
 * one column per status asked for, both in the enum's order. The letter is the event: r reserved,
 * l released, d redeemed, b rolled back, e expired, v voided; = is there already, . is refused.
 */
static const char *const design[VOUCHER_STATUS_COUNT] = {
    "=rdev", /* active */
    "l=d..", /* reserved */
    "b.=e.", /* redeemed */
    "...=.", /* expired */
    "....=", /* voided */
};

static const char *designed_event(enum voucher_status from, enum voucher_status to)
{
    switch (design[from][to]) {
    case 'r':
        return "voucher.reserved";
    case 'l':
        return "voucher.released";
    case 'd':
        return "voucher.redeemed";
    case 'b':
        return "voucher.rolled_back";
    case 'e':
        return "voucher.expired";
    case 'v':
        return "voucher.voided";
    default:
        return NULL;
    }
}

static void check_pair(enum voucher_status from, enum voucher_status to)
{
    struct voucher before = { .status = from, .version = 4, .updated_at = then };
    struct voucher voucher = before;
    const char *event, *expected = designed_event(from, to);
    struct error err;
    bool allowed = voucher_move(&voucher, to, now, &event, &err);

    if (expected) {
        assert_true(allowed);
        assert_string_equal(event, expected);
        assert_int_equal(voucher.status, to);
        assert_int_equal(voucher.version, 5);
        assert_int_equal(voucher.updated_at.ms, now.ms);
        return;
    }
    assert_int_equal(allowed, from == to);
    assert_null(event);
    assert_memory_equal(&voucher, &before, sizeof(voucher));
    if (!allowed)
        assert_string_equal(err.code, "illegal_transition");
}

static void every_pair_of_states_moves_as_the_design_says(void **state)
{
    (void)state;
    for (enum voucher_status from = 0; from < VOUCHER_STATUS_COUNT; from++)
        for (enum voucher_status to = 0; to < VOUCHER_STATUS_COUNT; to++)
            check_pair(from, to);
}

static const struct refusal_row {
    const char *label;
    enum voucher_status from, to;
    const char *extra;
} refusal_rows[] = {
    { "a reserved voucher is not voided", VOUCHER_RESERVED, VOUCHER_VOIDED,
      "\"from\":\"reserved\",\"to\":\"voided\",\"allowed\":[\"active\",\"redeemed\"]" },
    { "a voided voucher stays", VOUCHER_VOIDED, VOUCHER_ACTIVE,
      "\"from\":\"voided\",\"to\":\"active\",\"allowed\":[]" },
};

static void check_refusal(void **state)
{
    const struct refusal_row *row = *state;
    struct voucher voucher = { .status = row->from };
    const char *event;
    struct error err;

    assert_false(voucher_move(&voucher, row->to, now, &event, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_string_equal(err.extra, row->extra);
}

static void a_new_voucher_is_active_and_worth_what_the_rule_says(void **state)
{
    struct voucher_rule rule = { .id = id_floor(then),
                                 .currency = EUR,
                                 .threshold_amount = 10000,
                                 .value_amount = 500,
                                 .valid_days = 365 };
    struct voucher voucher = { .stream = 0 };

    (void)state;
    voucher_begin(&voucher, &rule, (struct voucher_code){ "0123456789ABC" }, now);
    assert_int_equal(voucher.status, VOUCHER_ACTIVE);
    assert_int_equal(voucher.version, 1);
    assert_int_equal(voucher.value.amount, 500);
    assert_string_equal(voucher.value.currency.code, "EUR");
    assert_true(id_equal(voucher.rule_id, rule.id));
    assert_int_equal(voucher.created_at.ms, now.ms);
    assert_int_equal(voucher.updated_at.ms, now.ms);
    assert_int_equal(voucher.expires_at.ms, now.ms + INT64_C(365) * 86400 * 1000);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, every_pair_of_states_moves_as_the_design_says);
    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD(&table, a_new_voucher_is_active_and_worth_what_the_rule_says);
    return table_run(&table);
}
