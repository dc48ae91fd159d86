#include "tests/unit/table.h"
#include "voucher-service/voucher_use.h"

static const struct instant then = { 1700000000000 };
static const struct instant now = { 1700000005000 };
static const struct instant later = { 1800000000000 };

/* Ids that differ in one byte. */
static struct id id_of(uint8_t number)
{
    return (struct id){ { 1, [15] = number } };
}

enum { SOURCE_ORDER = 1, REDEEMING_ORDER, OTHER_ORDER, OPEN_REDEMPTION, OTHER_REDEMPTION };

/* --- every way in, from every state ----------------------------------------------------------- */

/* How a voucher may be when somebody comes in. */
enum circumstance { FRESH, OVER, UNDONE, UNDONE_AND_OVER, CIRCUMSTANCE_COUNT };

/*
 * The design's states once more, written the other way round: a line per way in and circumstance,
 * a column per status that the voucher is in, in the enum's order. Small letters are the event:
 * r reserved, l released, d redeemed, b rolled back, e expired, v voided; = is there already.
 * Capitals refuse: R voucher_reserved, D voucher_redeemed, E voucher_expired, V voucher_voided,
 * O redemption_of_order, T illegal_transition.
 */
static const struct way_row {
    const char *label;
    enum voucher_way way;
    bool same; /* its holder, its redemption, its order */
    bool by_order;
    const char *outcomes[CIRCUMSTANCE_COUNT];
} way_rows[] = {
    { "reserved by its holder, it is held for longer",
      VOUCHER_RESERVE,
      true,
      false,
      { "rrDEV", "EEDEV", "rrDEV", "EEDEV" } },
    { "reserved by somebody else, it must be free",
      VOUCHER_RESERVE,
      false,
      false,
      { "rRDEV", "ERDEV", "rRDEV", "ERDEV" } },
    { "released by its holder, it comes back",
      VOUCHER_RELEASE,
      true,
      false,
      { "=lD==", "=eD==", "=vD==", "=vD==" } },
    { "released by somebody else, it stays",
      VOUCHER_RELEASE,
      false,
      false,
      { "=RD==", "=RD==", "=RD==", "=RD==" } },
    { "lapsed, it comes back",
      VOUCHER_LAPSE,
      false,
      false,
      { "=l===", "=e===", "=v===", "=v===" } },
    { "redeemed by its holder",
      VOUCHER_REDEEM,
      true,
      false,
      { "ddDEV", "EdDEV", "ddDEV", "EdDEV" } },
    { "redeemed by somebody else, it must be free",
      VOUCHER_REDEEM,
      false,
      false,
      { "dRDEV", "ERDEV", "dRDEV", "ERDEV" } },
    { "redeemed by the order it was reserved for, in time or not",
      VOUCHER_REDEEM,
      true,
      true,
      { "dd=EV", "dd=EV", "dd=EV", "dd=EV" } },
    { "redeemed by an order it was not reserved for, it must be free",
      VOUCHER_REDEEM,
      false,
      true,
      { "dRDEV", "dRDEV", "dRDEV", "dRDEV" } },
    { "rolled back by its redemption, it comes back",
      VOUCHER_ROLL_BACK,
      true,
      false,
      { "==b==", "==e==", "==v==", "==v==" } },
    { "rolled back by another redemption, it stays",
      VOUCHER_ROLL_BACK,
      false,
      false,
      { "=====", "=====", "=====", "=====" } },
    { "rolled back by its order, it comes back",
      VOUCHER_ROLL_BACK,
      true,
      true,
      { "==b==", "==e==", "==v==", "==v==" } },
    { "rolled back by another order, it stays",
      VOUCHER_ROLL_BACK,
      false,
      true,
      { "=====", "=====", "=====", "=====" } },
    { "expired when its time is over, and only if nobody uses it",
      VOUCHER_EXPIRE,
      false,
      false,
      { "=====", "e====", "=====", "e====" } },
    { "voided by hand, if nobody uses it",
      VOUCHER_VOID,
      false,
      false,
      { "vTTT=", "vTTT=", "vTTT=", "vTTT=" } },
    { "voided with the order that earned it, if nobody uses it",
      VOUCHER_UNDO,
      false,
      false,
      { "v====", "v====", "v====", "v====" } },
};

struct outcome {
    char letter;
    const char *word; /* event or code */
};

static const struct outcome outcomes[] = {
    { 'r', "voucher.reserved" },    { 'l', "voucher.released" },    { 'd', "voucher.redeemed" },
    { 'b', "voucher.rolled_back" }, { 'e', "voucher.expired" },     { 'v', "voucher.voided" },
    { 'R', "voucher_reserved" },    { 'D', "voucher_redeemed" },    { 'E', "voucher_expired" },
    { 'V', "voucher_voided" },      { 'O', "redemption_of_order" }, { 'T', "illegal_transition" },
};

static const char *word_of(char letter)
{
    for (size_t i = 0; i < COUNT_OF(outcomes); i++)
        if (outcomes[i].letter == letter)
            return outcomes[i].word;
    return NULL;
}

static const enum voucher_status status_after[] = {
    ['r'] = VOUCHER_RESERVED, ['l'] = VOUCHER_ACTIVE,  ['d'] = VOUCHER_REDEEMED,
    ['b'] = VOUCHER_ACTIVE,   ['e'] = VOUCHER_EXPIRED, ['v'] = VOUCHER_VOIDED,
};

static struct voucher voucher_in(enum voucher_status status, enum circumstance circumstance,
                                 bool of_order)
{
    struct voucher voucher = { .status = status,
                               .version = 4,
                               .value = { 500, EUR },
                               .order_id = id_of(SOURCE_ORDER),
                               .created_at = then,
                               .updated_at = then,
                               .expires_at = circumstance == OVER || circumstance == UNDONE_AND_OVER
                                                 ? now
                                                 : later,
                               .source_undone = circumstance >= UNDONE };

    if (status == VOUCHER_RESERVED) {
        text_copy(voucher.reservation.holder, VOUCHER_TEXT_SIZE, "me");
        voucher.reservation.until = now;
    }
    if (status == VOUCHER_REDEEMED) {
        voucher.redemption = (struct voucher_redemption){ .id = id_of(OPEN_REDEMPTION),
                                                          .by_order = of_order,
                                                          .order_id = id_of(REDEEMING_ORDER),
                                                          .at = then };
    }
    return voucher;
}

static struct voucher_wish wish_of(const struct way_row *row)
{
    struct voucher_wish wish = { .way = row->way, .ttl_s = 900, .by_order = row->by_order };

    text_copy(wish.holder, sizeof(wish.holder), row->same ? "me" : "somebody else");
    text_copy(wish.reference, sizeof(wish.reference), "till 4");
    wish.order_id = id_of(row->same ? REDEEMING_ORDER : OTHER_ORDER);
    wish.redemption_id = id_of(row->same ? OPEN_REDEMPTION : OTHER_REDEMPTION);
    return wish;
}

static void check_change(const struct voucher *voucher, const struct voucher_wish *wish,
                         char outcome)
{
    assert_int_equal(voucher->status, status_after[(int)outcome]);
    assert_int_equal(voucher->version, 5);
    assert_int_equal(voucher->updated_at.ms, now.ms);
    assert_string_equal(voucher->reservation.holder, outcome == 'r' ? wish->holder : "");
    assert_int_equal(voucher->redemption.at.ms, outcome == 'd' ? now.ms : 0);
}

static void check_outcome(const struct way_row *row, enum voucher_status status,
                          enum circumstance circumstance)
{
    char outcome = row->outcomes[circumstance][status];
    struct voucher before = voucher_in(status, circumstance, row->by_order);
    struct voucher voucher = before;
    struct voucher_wish wish = wish_of(row);
    const char *event;
    struct error err;
    bool allowed = voucher_use(&voucher, &wish, now, &event, &err);

    if (outcome >= 'a' && outcome <= 'z') {
        assert_true(allowed);
        assert_string_equal(event, word_of(outcome));
        check_change(&voucher, &wish, outcome);
        return;
    }
    assert_null(event);
    assert_int_equal(allowed, outcome == '=');
    if (!allowed)
        assert_string_equal(err.code, word_of(outcome));
    before.source_undone = voucher.source_undone; /* the next test looks at it */
    assert_memory_equal(&voucher, &before, sizeof(voucher));
}

static void check_way(void **state)
{
    const struct way_row *row = *state;

    for (enum circumstance circumstance = 0; circumstance < CIRCUMSTANCE_COUNT; circumstance++)
        for (enum voucher_status status = 0; status < VOUCHER_STATUS_COUNT; status++)
            check_outcome(row, status, circumstance);
}

static void a_voucher_in_use_remembers_that_its_order_was_undone(void **state)
{
    const struct voucher_wish wish = { .way = VOUCHER_UNDO };

    (void)state;
    for (enum voucher_status status = 0; status < VOUCHER_STATUS_COUNT; status++) {
        struct voucher voucher = voucher_in(status, FRESH, false);
        const char *event;
        struct error err;

        assert_true(voucher_use(&voucher, &wish, now, &event, &err));
        assert_int_equal(voucher.source_undone,
                         status == VOUCHER_RESERVED || status == VOUCHER_REDEEMED);
    }
}

/* --- refusals that need more than a state ----------------------------------------------------- */

#define SAME_ORDER "01000000-0000-0000-0000-000000000001"

static const struct refusal_row {
    const char *label;
    struct voucher_wish wish;
    const char *code; /* "" for none */
} refusal_rows[] = {
    { "another currency is refused",
      { .way = VOUCHER_RESERVE, .holder = "x", .ttl_s = 1, .currency = { "USD" } },
      "voucher_currency_mismatch" },
    { "its own currency is good",
      { .way = VOUCHER_RESERVE, .holder = "x", .ttl_s = 1, .currency = { "EUR" } },
      "" },
    { "the order that earned it can not reserve it",
      { .way = VOUCHER_RESERVE,
        .holder = "x",
        .ttl_s = 1,
        .for_order = true,
        .order_id = { { 1, [15] = SOURCE_ORDER } } },
      "voucher_of_same_order" },
    { "another order can",
      { .way = VOUCHER_RESERVE,
        .holder = "x",
        .ttl_s = 1,
        .for_order = true,
        .order_id = { { 1, [15] = OTHER_ORDER } } },
      "" },
    { "the order that earned it is no reference to redeem it under",
      { .way = VOUCHER_REDEEM, .reference = SAME_ORDER },
      "voucher_of_same_order" },
    { "any other reference is", { .way = VOUCHER_REDEEM, .reference = "till 4" }, "" },
};

static void check_refusal(void **state)
{
    const struct refusal_row *row = *state;
    struct voucher voucher = voucher_in(VOUCHER_ACTIVE, FRESH, false);
    const char *event;
    struct error err = { .code = "" };

    assert_int_equal(voucher_use(&voucher, &row->wish, now, &event, &err), row->code[0] == '\0');
    assert_string_equal(err.code, row->code);
}

static void what_is_reserved_for_an_order_only_the_order_redeems(void **state)
{
    struct voucher_wish wish = { .way = VOUCHER_REDEEM, .holder = "order:1", .reference = "x" };
    struct voucher voucher = voucher_in(VOUCHER_RESERVED, FRESH, false);
    const char *event;
    struct error err;

    (void)state;
    text_copy(voucher.reservation.holder, VOUCHER_TEXT_SIZE, "order:1");
    assert_false(voucher_use(&voucher, &wish, now, &event, &err));
    assert_string_equal(err.code, "voucher_reserved");
    wish.by_order = true;
    wish.order_id = id_of(REDEEMING_ORDER);
    assert_true(voucher_use(&voucher, &wish, now, &event, &err));
    assert_true(voucher.redemption.by_order);
    assert_string_equal(voucher.redemption.reference, "");
}

/* Holders of orders are seen in events or computed from keys: an order in flight could be robbed.
 */
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct release_row {
    const char *label;
    const char *holder;
    bool refused;
} release_rows[] = {
    { "what an order with a key may still come for is not released", "order:" DIGEST, true },
    { "nor is what an order without one may", "order:01940000-0000-7000-8000-000000000001", true },
    { "what only looks like it is released", "order" DIGEST, false },
};

static void check_release(void **state)
{
    const struct release_row *row = *state;
    struct voucher voucher = voucher_in(VOUCHER_RESERVED, FRESH, false);
    struct voucher_wish wish = { .way = VOUCHER_RELEASE };
    const char *event;
    struct error err = { .code = "" };

    text_copy(voucher.reservation.holder, VOUCHER_TEXT_SIZE, row->holder);
    text_copy(wish.holder, VOUCHER_TEXT_SIZE, row->holder);
    assert_int_equal(voucher_use(&voucher, &wish, now, &event, &err), !row->refused);
    assert_string_equal(err.code, row->refused ? "voucher_reserved" : "");
    wish.way = VOUCHER_LAPSE;
    assert_true(voucher_use(&voucher, &wish, now, &event, &err));
    assert_int_equal(voucher.status, VOUCHER_ACTIVE);
}

static void what_an_order_redeemed_is_not_rolled_back_by_hand(void **state)
{
    const struct voucher_wish wish = { .way = VOUCHER_ROLL_BACK,
                                       .redemption_id = id_of(OPEN_REDEMPTION) };
    struct voucher voucher = voucher_in(VOUCHER_REDEEMED, FRESH, true);
    const char *event;
    struct error err;

    (void)state;
    assert_false(voucher_use(&voucher, &wish, now, &event, &err));
    assert_string_equal(err.code, "redemption_of_order");
}

static void a_refused_void_says_what_is_possible(void **state)
{
    const struct voucher_wish wish = { .way = VOUCHER_VOID };
    struct voucher voucher = voucher_in(VOUCHER_REDEEMED, FRESH, false);
    const char *event;
    struct error err;

    (void)state;
    assert_false(voucher_use(&voucher, &wish, now, &event, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_string_equal(err.extra, "\"from\":\"redeemed\",\"to\":\"voided\","
                                   "\"allowed\":[\"active\",\"expired\",\"voided\"]");
}

static void a_reservation_is_never_cut_short(void **state)
{
    struct voucher_wish wish = { .way = VOUCHER_RESERVE, .holder = "me", .ttl_s = 60 };
    struct voucher voucher = voucher_in(VOUCHER_ACTIVE, FRESH, false);
    const char *event;
    struct error err;

    (void)state;
    assert_true(voucher_use(&voucher, &wish, now, &event, &err));
    assert_int_equal(voucher.reservation.until.ms, now.ms + 60000);
    wish.ttl_s = 30;
    assert_true(voucher_use(&voucher, &wish, now, &event, &err));
    assert_null(event);
    assert_int_equal(voucher.reservation.until.ms, now.ms + 60000);
    wish.ttl_s = 90;
    assert_true(voucher_use(&voucher, &wish, now, &event, &err));
    assert_string_equal(event, "voucher.reserved");
    assert_int_equal(voucher.reservation.until.ms, now.ms + 90000);
    assert_int_equal(voucher.version, 6);
}

/* Its time ends by the database's clock, which counts from the last change. */
static void a_reservation_by_a_clock_that_is_ahead_is_made_anew(void **state)
{
    const struct voucher_wish wish = { .way = VOUCHER_RESERVE, .holder = "me", .ttl_s = 60 };
    const struct instant ahead = instant_add_ms(now, 1000000);
    struct voucher voucher = voucher_in(VOUCHER_ACTIVE, FRESH, false);
    const char *event;
    struct error err;

    (void)state;
    assert_true(voucher_use(&voucher, &wish, ahead, &event, &err));
    assert_true(voucher_use(&voucher, &wish, now, &event, &err));
    assert_string_equal(event, "voucher.reserved");
    assert_int_equal(voucher.reservation.ttl_s, 60);
    assert_int_equal(voucher.reservation.until.ms, ahead.ms + 60000);
    assert_true(voucher_use(&voucher, &wish, now, &event, &err));
    assert_null(event);
}

/* --- discounts -------------------------------------------------------------------------------- */

static const struct discount_row {
    const char *label;
    int64_t total;
    int64_t discount;
} discount_rows[] = {
    { "a larger order is reduced by all of it", 13700, 500 },
    { "an order of its very worth costs nothing", 500, 500 },
    { "a smaller order costs nothing, the rest is forfeited", 499, 499 },
    { "an order of nothing is reduced by nothing", 0, 0 },
};

static void check_discount(void **state)
{
    const struct discount_row *row = *state;
    struct voucher voucher = voucher_in(VOUCHER_ACTIVE, FRESH, false);

    assert_int_equal(voucher_discount(&voucher, row->total), row->discount);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, way_rows, check_way);
    TABLE_ADD(&table, a_voucher_in_use_remembers_that_its_order_was_undone);
    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD(&table, what_is_reserved_for_an_order_only_the_order_redeems);
    TABLE_ADD_ROWS(&table, release_rows, check_release);
    TABLE_ADD(&table, what_an_order_redeemed_is_not_rolled_back_by_hand);
    TABLE_ADD(&table, a_refused_void_says_what_is_possible);
    TABLE_ADD(&table, a_reservation_is_never_cut_short);
    TABLE_ADD(&table, a_reservation_by_a_clock_that_is_ahead_is_made_anew);
    TABLE_ADD_ROWS(&table, discount_rows, check_discount);
    return table_run(&table);
}
