#include "shared/base/clock.h"

#include <limits.h>

#include "tests/unit/table.h"

static const struct instant_row {
    const char *label;
    const char *text;
    int64_t ms;
} instant_rows[] = {
    { "the epoch is zero", "1970-01-01T00:00:00.000Z", 0 },
    { "a millisecond before the epoch is minus one", "1969-12-31T23:59:59.999Z", -1 },
    { "an ordinary moment", "2026-01-31T23:59:59.123Z", 1769903999123 },
    { "a leap day of a year divisible by 400", "2000-02-29T00:00:00.000Z", 951782400000 },
    { "a leap day long ago", "1600-02-29T00:00:00.000Z", -11670998400000 },
    { "the end of an ordinary leap day", "2024-02-29T23:59:59.999Z", 1709251199999 },
    { "March after a February that 100 divides", "2100-03-01T00:00:00.000Z", 4107542400000 },
    { "the last February day of 1900", "1900-02-28T12:00:00.000Z", -2203934400000 },
    { "the first year of the era", "0001-01-01T00:00:00.000Z", -62135596800000 },
    { "the first moment that has a text", "0000-01-01T00:00:00.000Z", -62167219200000 },
    { "the last moment that has a text", "9999-12-31T23:59:59.999Z", 253402300799999 },
};

static void check_instant_both_ways(void **state)
{
    const struct instant_row *row = *state;
    struct instant instant;

    assert_true(instant_parse(row->text, &instant));
    assert_int_equal(instant.ms, row->ms);
    assert_string_equal(instant_text((struct instant){ row->ms }).text, row->text);
}

static const struct parse_row {
    const char *label;
    const char *text;
    const char *same; /* NULL: refused */
} parse_rows[] = {
    { "no fraction is none", "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.000Z" },
    { "one digit is tenths", "2026-01-31T23:59:59.1Z", "2026-01-31T23:59:59.100Z" },
    { "two digits are hundredths", "2026-01-31T23:59:59.12Z", "2026-01-31T23:59:59.120Z" },
    { "nine digits are cut, not rounded", "2026-01-31T23:59:59.999999999Z",
      "2026-01-31T23:59:59.999Z" },
    { "small letters are read", "2026-01-31t23:59:59z", "2026-01-31T23:59:59.000Z" },
    { "an offset to the east is subtracted", "2026-01-01T05:30:00+05:30",
      "2026-01-01T00:00:00.000Z" },
    { "an offset to the west is added", "2025-12-31T16:00:00-08:00", "2026-01-01T00:00:00.000Z" },
    { "an unknown offset is UTC", "2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.000Z" },
    { "the largest offset is read", "2026-01-02T00:00:00+23:59", "2026-01-01T00:01:00.000Z" },
    { "an offset leads over a leap day", "2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00.000Z" },
    { "what Postgres prints is read", "2026-01-31 23:59:59.123+00", "2026-01-31T23:59:59.123Z" },
    { "six digits of Postgres are cut", "2026-01-31 23:59:59.123456+00",
      "2026-01-31T23:59:59.123Z" },
    { "no fraction from Postgres is none", "2026-01-31 23:59:59+00", "2026-01-31T23:59:59.000Z" },
    { "a leap second is the next second", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z" },
    { "a leap second of another zone too", "2017-01-01T05:29:60.5+05:30",
      "2017-01-01T00:00:00.500Z" },
    { "a leap second in the middle of a month is refused", "2016-12-30T23:59:60Z", NULL },
    { "a leap second in the middle of a day is refused", "2016-12-31T12:00:60Z", NULL },
    { "a 61st second is refused", "2016-12-31T23:59:61Z", NULL },
    { "a leap day of an ordinary year is refused", "2025-02-29T00:00:00Z", NULL },
    { "a leap day that 100 divides is refused", "2100-02-29T00:00:00Z", NULL },
    { "31 April is refused", "2026-04-31T00:00:00Z", NULL },
    { "month 0 is refused", "2026-00-01T00:00:00Z", NULL },
    { "month 13 is refused", "2026-13-01T00:00:00Z", NULL },
    { "day 0 is refused", "2026-01-00T00:00:00Z", NULL },
    { "hour 24 is refused", "2026-01-01T24:00:00Z", NULL },
    { "minute 60 is refused", "2026-01-01T00:60:00Z", NULL },
    { "an offset of 24 hours is refused", "2026-01-01T00:00:00+24:00", NULL },
    { "an offset of 60 minutes is refused", "2026-01-01T00:00:00+00:60", NULL },
    { "an offset without a colon is refused", "2026-01-01T00:00:00+0530", NULL },
    { "hours alone are no RFC 3339 offset", "2026-01-01T00:00:00+00", NULL },
    { "no offset is refused", "2026-01-01T00:00:00", NULL },
    { "a point without digits is refused", "2026-01-01T00:00:00.Z", NULL },
    { "ten digits of fraction are refused", "2026-01-01T00:00:00.1234567890Z", NULL },
    { "a comma is refused", "2026-01-01T00:00:00,5Z", NULL },
    { "a date alone is refused", "2026-01-01", NULL },
    { "nothing is refused", "", NULL },
    { "a leading blank is refused", " 2026-01-01T00:00:00Z", NULL },
    { "something behind it is refused", "2026-01-01T00:00:00Zx", NULL },
    { "no seconds are refused", "2026-01-01T00:00Z", NULL },
    { "five digits of year are refused", "12026-01-01T00:00:00Z", NULL },
    { "a negative year is refused", "-026-01-01T00:00:00Z", NULL },
    { "a year before Christ is refused", "0044-03-15 00:00:00+00 BC", NULL },
    { "infinity is refused", "infinity", NULL },
    { "an offset may not lead before the first year", "0000-01-01T00:00:00+00:01", NULL },
    { "an offset may not lead behind the last year", "9999-12-31T23:59:59-00:01", NULL },
};

static void check_parse(void **state)
{
    const struct parse_row *row = *state;
    struct instant instant = { 42 };

    assert_int_equal(instant_parse(row->text, &instant), row->same != NULL);
    if (row->same)
        assert_string_equal(instant_text(instant).text, row->same);
    else
        assert_int_equal(instant.ms, 42);
}

/* Every day of 800 years against libc, which gets this part right. */
static void every_day_is_what_libc_says(UNUSED void **state)
{
    for (int64_t day = -135140; day < 157054; day++) {
        time_t seconds = (time_t)(day * 86400);
        struct tm tm;
        char expected[INSTANT_TEXT_SIZE];
        struct instant back;

        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT00:00:00.000Z", &tm) > 0);
        struct instant_text text = instant_text((struct instant){ day * 86400000 });
        assert_string_equal(text.text, expected);
        assert_true(instant_parse(text.text, &back));
        assert_int_equal(back.ms, day * 86400000);
    }
}

static const struct left_row {
    const char *label;
    int64_t in_ms;
    int at_least, at_most;
} left_rows[] = {
    { "a deadline now has passed", 0, 0, 0 },
    { "a deadline in the past has passed", -1000, 0, 0 },
    { "a deadline in a minute is a minute away", 60000, 59000, 60000 },
    { "a deadline in a year suits poll", INT64_C(365) * 86400000, INT_MAX, INT_MAX },
    { "a deadline beyond time is kept", INT64_MAX, INT_MAX, INT_MAX },
    { "a deadline before time has passed", INT64_MIN, 0, 0 },
};

static void check_left(void **state)
{
    const struct left_row *row = *state;
    struct deadline deadline = deadline_in_ms(row->in_ms);
    int left = deadline_left_ms(deadline);

    assert_in_range(left, row->at_least, row->at_most);
    assert_int_equal(deadline_passed(deadline), row->at_most == 0);
}

static void the_earlier_deadline_is_chosen_or_the_later(UNUSED void **state)
{
    struct deadline early = { 1 }, late = { 2 };

    assert_int_equal(deadline_earlier(early, late).at_ms, 1);
    assert_int_equal(deadline_earlier(late, early).at_ms, 1);
    assert_int_equal(deadline_later(early, late).at_ms, 2);
    assert_int_equal(deadline_later(late, early).at_ms, 2);
}

static void a_deadline_is_the_same_for_a_condition(UNUSED void **state)
{
    struct timespec at = deadline_timespec((struct deadline){ 12345 });

    assert_int_equal(at.tv_sec, 12);
    assert_int_equal(at.tv_nsec, 345000000);
    assert_int_equal(deadline_timespec((struct deadline){ -5 }).tv_nsec, 0);
}

static void the_monotonic_clock_never_goes_back(UNUSED void **state)
{
    int64_t last = clock_monotonic_us();

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_monotonic_us();
        assert_true(now >= last);
        last = now;
    }
}

static void the_wall_clock_is_the_systems(UNUSED void **state)
{
    int64_t before = (int64_t)time(NULL);
    int64_t now = clock_now().ms / 1000;

    assert_in_range(now, before - 1, before + 60);
}

static void adding_beyond_the_end_stays_there(UNUSED void **state)
{
    assert_int_equal(instant_add_ms((struct instant){ 1000 }, -1500).ms, -500);
    assert_int_equal(instant_add_ms((struct instant){ INT64_MAX }, 1).ms, INT64_MAX);
    assert_int_equal(instant_add_ms((struct instant){ INT64_MIN }, -1).ms, INT64_MIN);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, instant_rows, check_instant_both_ways);
    TABLE_ADD_ROWS(&table, parse_rows, check_parse);
    TABLE_ADD_ROWS(&table, left_rows, check_left);
    TABLE_ADD(&table, every_day_is_what_libc_says);
    TABLE_ADD(&table, the_earlier_deadline_is_chosen_or_the_later);
    TABLE_ADD(&table, a_deadline_is_the_same_for_a_condition);
    TABLE_ADD(&table, the_monotonic_clock_never_goes_back);
    TABLE_ADD(&table, the_wall_clock_is_the_systems);
    TABLE_ADD(&table, adding_beyond_the_end_stays_there);
    return table_run(&table);
}
