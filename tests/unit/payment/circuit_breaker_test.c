#include "payment-service/circuit_breaker.h"

#include "tests/unit/table.h"

static const struct breaker_settings defaults = {
    .window_ms = 10000, .calls_min = 5, .error_percent = 50, .open_ms = 5000, .probes = 1
};

enum { STEPS_MAX = 16 };

/*
 * What happens to a breaker, and what state is seen then. An event is a letter for each call:
 * 'a' asked and allowed, 'r' asked and refused, 's' succeeded, 'f' failed, 'n' not made after all.
 */
struct step {
    int64_t at_ms;
    const char *events;
    enum breaker_state seen;
};

static const struct row {
    const char *label;
    int64_t probes;
    struct step steps[STEPS_MAX];
} rows[] = {
    { "a new one is closed", 1, { { 0, "aaaa", BREAKER_CLOSED } } },
    { "success keeps it closed", 1, { { 0, "ssssssssss", BREAKER_CLOSED } } },
    { "four failures are too few to judge by", 1, { { 0, "ffffa", BREAKER_CLOSED } } },
    { "five of five open it", 1, { { 0, "fffffr", BREAKER_OPEN } } },
    { "half of them open it", 1, { { 0, "sssfffr", BREAKER_OPEN } } },
    { "less than half does not", 1, { { 0, "ssssfffa", BREAKER_CLOSED } } },
    { "a success may be the fifth call",
      1,
      { { 0, "ffff", BREAKER_CLOSED }, { 1, "sr", BREAKER_OPEN } } },
    { "failures of the last window count",
      1,
      { { 0, "ffff", BREAKER_CLOSED }, { 9999, "fr", BREAKER_OPEN } } },
    { "older ones are forgotten",
      1,
      { { 0, "ffff", BREAKER_CLOSED }, { 10000, "fa", BREAKER_CLOSED } } },
    { "each slice is forgotten for itself",
      1,
      { { 0, "ff", BREAKER_CLOSED },
        { 5000, "ff", BREAKER_CLOSED },
        { 10000, "f", BREAKER_CLOSED },
        { 14999, "f", BREAKER_CLOSED },
        { 14999, "fr", BREAKER_OPEN } } },
    { "successes are forgotten, too",
      1,
      { { 0, "sssssssss", BREAKER_CLOSED }, { 10000, "fffff", BREAKER_OPEN } } },
    { "it refuses until its time is over",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 4999, "rr", BREAKER_OPEN },
        { 5000, "", BREAKER_HALF_OPEN } } },
    { "then it lets one go",
      1,
      { { 0, "fffff", BREAKER_OPEN }, { 5000, "arr", BREAKER_HALF_OPEN } } },
    { "whose success closes it",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "a", BREAKER_HALF_OPEN },
        { 5100, "saaa", BREAKER_CLOSED } } },
    { "and whose failure opens it again, for the whole time",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "a", BREAKER_HALF_OPEN },
        { 5100, "fr", BREAKER_OPEN },
        { 10099, "r", BREAKER_OPEN },
        { 10100, "a", BREAKER_HALF_OPEN } } },
    { "several probes go one after another",
      3,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "arsar", BREAKER_HALF_OPEN },
        { 5001, "sar", BREAKER_HALF_OPEN },
        { 5002, "saa", BREAKER_CLOSED } } },
    { "the last one's failure makes the others count for nothing",
      3,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "asasaf", BREAKER_OPEN },
        { 10000, "asas", BREAKER_HALF_OPEN },
        { 10001, "as", BREAKER_CLOSED } } },
    { "a probe that tells nothing is given up for another",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "a", BREAKER_HALF_OPEN },
        { 9999, "r", BREAKER_HALF_OPEN },
        { 10000, "ar", BREAKER_HALF_OPEN },
        { 10001, "s", BREAKER_CLOSED } } },
    { "a probe that is not made leaves room for another",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "arnar", BREAKER_HALF_OPEN },
        { 5001, "s", BREAKER_CLOSED } } },
    { "what is not made counts for nothing",
      1,
      { { 0, "ananananananffff", BREAKER_CLOSED }, { 1, "fn", BREAKER_OPEN } } },
    { "one that closed has forgotten what opened it",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "as", BREAKER_CLOSED },
        { 5001, "ffff", BREAKER_CLOSED },
        { 5002, "f", BREAKER_OPEN } } },
    { "late failures do not keep it open for longer",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 4000, "fffff", BREAKER_OPEN },
        { 5000, "a", BREAKER_HALF_OPEN } } },
    { "late successes do not close it",
      1,
      { { 0, "fffff", BREAKER_OPEN }, { 4000, "sssssr", BREAKER_OPEN } } },
    { "nor when its time is over and nobody has asked",
      1,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "s", BREAKER_HALF_OPEN },
        { 5000, "ar", BREAKER_HALF_OPEN } } },
    { "what ends between two probes is nobody's",
      2,
      { { 0, "fffff", BREAKER_OPEN },
        { 5000, "asfsf", BREAKER_HALF_OPEN },
        { 5001, "as", BREAKER_CLOSED } } },
    { "a clock that stands still is a moment",
      1,
      { { 7, "sssff", BREAKER_CLOSED }, { 7, "frr", BREAKER_OPEN }, { 7, "sr", BREAKER_OPEN } } },
    { "a clock that jumps ahead ends everything",
      1,
      { { 0, "ffff", BREAKER_CLOSED },
        { INT64_C(1000000000000), "ffff", BREAKER_CLOSED },
        { INT64_C(1000000000001), "f", BREAKER_OPEN },
        { INT64_C(2000000000000), "as", BREAKER_CLOSED } } },
    { "a clock read before another's is taken for that",
      1,
      { { 20000, "ff", BREAKER_CLOSED },
        { 1, "ff", BREAKER_CLOSED },
        { 20000, "f", BREAKER_OPEN },
        { 19999, "r", BREAKER_OPEN } } },
};

static void happen(struct circuit_breaker *breaker, char event, int64_t at_ms)
{
    if (event == 'a' || event == 'r')
        assert_int_equal(breaker_allow(breaker, at_ms), event == 'a');
    else if (event == 'n')
        breaker_forgo(breaker);
    else
        breaker_record(breaker, event == 'f', at_ms);
}

static void check_row(void **state)
{
    const struct row *row = *state;
    struct breaker_settings settings = defaults;
    struct circuit_breaker breaker;

    settings.probes = row->probes;
    breaker_init(&breaker, &settings, 0);
    for (const struct step *step = row->steps; step->events; step++) {
        for (const char *event = step->events; *event != '\0'; event++)
            happen(&breaker, *event, step->at_ms);
        assert_int_equal(breaker_look(&breaker, step->at_ms).state, step->seen);
    }
}

static void the_view_counts_the_window_and_the_time_left(UNUSED void **state)
{
    struct circuit_breaker breaker;

    breaker_init(&breaker, &defaults, 0);
    for (const char *event = "sfsf"; *event != '\0'; event++)
        happen(&breaker, *event, 500);
    struct breaker_view view = breaker_look(&breaker, 9999);
    assert_int_equal(view.calls, 4);
    assert_int_equal(view.errors, 2);
    assert_int_equal(view.retry_in_ms, 0);
    assert_int_equal(breaker_look(&breaker, 10000).calls, 0);
    happen(&breaker, 'f', 2000);
    view = breaker_look(&breaker, 3000);
    assert_int_equal(view.state, BREAKER_OPEN);
    assert_int_equal(view.calls, 5);
    assert_int_equal(view.errors, 3);
    assert_int_equal(view.retry_in_ms, 4000);
    assert_int_equal(breaker_look(&breaker, 1000).retry_in_ms, 5000);
    assert_int_equal(breaker_look(&breaker, 7000).retry_in_ms, 0);
    assert_int_equal(breaker_look(&breaker, 7000).state, BREAKER_HALF_OPEN);
}

static void looking_changes_nothing(UNUSED void **state)
{
    struct circuit_breaker breaker, before;

    breaker_init(&breaker, &defaults, 0);
    for (int i = 0; i < 5; i++)
        happen(&breaker, 'f', 100);
    before = breaker;
    for (int64_t now_ms = 0; now_ms < 30000; now_ms += 500)
        breaker_look(&breaker, now_ms);
    assert_memory_equal(&breaker, &before, sizeof(before));
}

/* --- a model that remembers every call -------------------------------------------------------- */

enum { CALLS_MAX = 4096, ROUNDS = 200, EVENTS = 400 };

struct model {
    struct breaker_settings settings;
    enum breaker_state state;
    int64_t since_ms, probe_ms, passed;
    bool probing;
    size_t count;
    struct {
        int64_t at_ms;
        bool failed;
    } calls[CALLS_MAX];
};

static void model_move(struct model *model, enum breaker_state state, int64_t now_ms)
{
    model->state = state;
    model->since_ms = now_ms;
    model->probing = false;
    model->passed = 0;
    if (state == BREAKER_CLOSED)
        model->count = 0;
}

static struct breaker_view model_window(const struct model *model, int64_t now_ms)
{
    int64_t slice_ms = model->settings.window_ms / BREAKER_SLICES;
    struct breaker_view window = { .state = model->state };

    for (size_t i = 0; i < model->count; i++)
        if (model->calls[i].at_ms / slice_ms + BREAKER_SLICES > now_ms / slice_ms) {
            window.calls++;
            window.errors += model->calls[i].failed;
        }
    if (model->state == BREAKER_OPEN && now_ms - model->since_ms >= model->settings.open_ms)
        window.state = BREAKER_HALF_OPEN;
    return window;
}

static bool model_allow(struct model *model, int64_t now_ms)
{
    if (model->state == BREAKER_OPEN && now_ms - model->since_ms >= model->settings.open_ms)
        model_move(model, BREAKER_HALF_OPEN, now_ms);
    if (model->state != BREAKER_HALF_OPEN)
        return model->state == BREAKER_CLOSED;
    if (model->probing && now_ms - model->probe_ms < model->settings.open_ms)
        return false;
    model->probing = true;
    model->probe_ms = now_ms;
    return true;
}

static void model_record(struct model *model, bool failed, int64_t now_ms)
{
    if (model->state == BREAKER_CLOSED) {
        assert(model->count < CALLS_MAX);
        model->calls[model->count].at_ms = now_ms;
        model->calls[model->count++].failed = failed;
        struct breaker_view window = model_window(model, now_ms);
        if (window.calls >= model->settings.calls_min &&
            100 * window.errors >= window.calls * model->settings.error_percent)
            model_move(model, BREAKER_OPEN, now_ms);
    } else if (model->state == BREAKER_HALF_OPEN && model->probing) {
        model->probing = false;
        model->passed += !failed;
        if (failed)
            model_move(model, BREAKER_OPEN, now_ms);
        else if (model->passed == model->settings.probes)
            model_move(model, BREAKER_CLOSED, now_ms);
    }
}

/* xorshift: the same numbers on every machine. */
static uint32_t next_number(uint32_t *seed, uint32_t bound)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed % bound;
}

static struct breaker_settings random_settings(uint32_t *seed)
{
    return (struct breaker_settings){ .window_ms = 10 * (1 + next_number(seed, 1000)),
                                      .calls_min = 1 + next_number(seed, 20),
                                      .error_percent = 1 + next_number(seed, 100),
                                      .open_ms = 1 + next_number(seed, 5000),
                                      .probes = 1 + next_number(seed, 4) };
}

static void expect_same(const struct circuit_breaker *breaker, const struct model *model,
                        int64_t now_ms)
{
    struct breaker_view seen = breaker_look(breaker, now_ms);
    struct breaker_view expected = model_window(model, now_ms);

    assert_int_equal(seen.state, expected.state);
    assert_int_equal(seen.calls, expected.calls);
    assert_int_equal(seen.errors, expected.errors);
}

/* Each round has its own share of failures and its own pace; states come in all orders. */
static void play_round(uint32_t seed, int visits[BREAKER_STATE_COUNT])
{
    static struct model model;
    struct circuit_breaker breaker;
    int64_t now_ms = next_number(&seed, 100000);
    uint32_t failing = next_number(&seed, 101), pace_ms = 1 + next_number(&seed, 500);

    model = (struct model){ .settings = random_settings(&seed) };
    model_move(&model, BREAKER_CLOSED, now_ms);
    breaker_init(&breaker, &model.settings, now_ms);
    for (int i = 0; i < EVENTS; i++) {
        now_ms += next_number(&seed, 50) == 0 ? 20 * pace_ms : next_number(&seed, pace_ms);
        if (next_number(&seed, 2) == 0) {
            assert_int_equal(breaker_allow(&breaker, now_ms), model_allow(&model, now_ms));
        } else {
            bool failed = next_number(&seed, 100) < failing;
            breaker_record(&breaker, failed, now_ms);
            model_record(&model, failed, now_ms);
        }
        expect_same(&breaker, &model, now_ms);
        visits[model.state]++;
    }
}

static void it_behaves_like_a_model_that_remembers_every_call(UNUSED void **state)
{
    int visits[BREAKER_STATE_COUNT] = { 0 };

    for (uint32_t round = 1; round <= ROUNDS; round++)
        play_round(round * 2654435761U, visits);
    for (size_t i = 0; i < COUNT_OF(visits); i++)
        assert_true(visits[i] > ROUNDS * EVENTS / 20); /* or it would prove little */
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD(&table, the_view_counts_the_window_and_the_time_left);
    TABLE_ADD(&table, looking_changes_nothing);
    TABLE_ADD(&table, it_behaves_like_a_model_that_remembers_every_call);
    return table_run(&table);
}
