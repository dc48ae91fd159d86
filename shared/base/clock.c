#include "shared/base/clock.h"

#include <limits.h>

#define MS_PER_S   INT64_C(1000)
#define MS_PER_DAY INT64_C(86400000)
#define S_PER_DAY  INT64_C(86400)

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z. */
#define INSTANT_MIN_MS INT64_C(-62167219200000)
#define INSTANT_MAX_MS INT64_C(253402300799999)

/* A day of the proleptic Gregorian calendar. */
struct date {
    int year, month, day;
};

/* What a date-time says, before it is known to exist. */
struct fields {
    struct date date;
    int hour, minute, second, millisecond;
    int offset_minutes;
};

static int64_t read_clock_us(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);

    assert(!failed);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t divide_down(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

/*
 * Days since 1970-01-01. Years begin in March here, so that the leap day is their last one, and
 * eras of 400 years (146,097 days) repeat.
 */
static int64_t days_of_date(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t month = date.month <= 2 ? date.month + 9 : date.month - 3;
    int64_t era = divide_down(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static struct date date_of_days(int64_t days)
{
    int64_t since = days + 719468; /* since 0000-03-01 */
    int64_t era = divide_down(since, 146097);
    int64_t day = since - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int64_t calendar_month = month < 10 ? month + 3 : month - 9;

    return (struct date){
        .year = (int)(year + era * 400 + (calendar_month <= 2)),
        .month = (int)calendar_month,
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

struct instant clock_now(void)
{
    return (struct instant){ read_clock_us(CLOCK_REALTIME) / 1000 };
}

int64_t clock_monotonic_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

struct instant instant_add_ms(struct instant instant, int64_t ms)
{
    struct instant sum;

    if (__builtin_add_overflow(instant.ms, ms, &sum.ms))
        sum.ms = ms < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

/* Writes `number` as `count` digits and a `separator` behind them; returns where the next goes. */
static char *write_digits(char *to, int64_t number, int count, char separator)
{
    for (int i = count - 1; i >= 0; i--) {
        to[i] = (char)('0' + number % 10);
        number /= 10;
    }
    to[count] = separator;
    return to + count + 1;
}

struct instant_text instant_text(struct instant instant)
{
    assert(instant.ms >= INSTANT_MIN_MS && instant.ms <= INSTANT_MAX_MS);
    int64_t days = divide_down(instant.ms, MS_PER_DAY);
    int64_t ms = instant.ms - days * MS_PER_DAY;
    struct date date = date_of_days(days);
    struct instant_text out;
    char *to = out.text;

    to = write_digits(to, date.year, 4, '-');
    to = write_digits(to, date.month, 2, '-');
    to = write_digits(to, date.day, 2, 'T');
    to = write_digits(to, ms / 3600000, 2, ':');
    to = write_digits(to, ms / 60000 % 60, 2, ':');
    to = write_digits(to, ms / 1000 % 60, 2, '.');
    to = write_digits(to, ms % 1000, 3, 'Z');
    *to = '\0';
    return out;
}

/* The scan_ functions move `at` behind what they read; where they fail, the text is refused. */
static bool scan_digits(const char **at, int count, int *out)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        char digit = (*at)[i];
        if (digit < '0' || digit > '9')
            return false;
        number = number * 10 + (digit - '0');
    }
    *at += count;
    *out = number;
    return true;
}

static bool scan_one_of(const char **at, const char *characters)
{
    if (**at == '\0' || !strchr(characters, **at))
        return false;
    (*at)++;
    return true;
}

static bool scan_date(const char **at, struct date *out)
{
    return scan_digits(at, 4, &out->year) && scan_one_of(at, "-") &&
           scan_digits(at, 2, &out->month) && scan_one_of(at, "-") &&
           scan_digits(at, 2, &out->day) && out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= days_in_month(out->year, out->month);
}

static bool scan_fraction(const char **at, int *millisecond)
{
    int digits = 0, digit;

    *millisecond = 0;
    if (!scan_one_of(at, "."))
        return true;
    for (; scan_digits(at, 1, &digit); digits++)
        if (digits < 3)
            *millisecond = *millisecond * 10 + digit;
    for (int i = digits; i < 3; i++)
        *millisecond *= 10;
    return digits >= 1 && digits <= 9;
}

static bool scan_time(const char **at, struct fields *out)
{
    return scan_digits(at, 2, &out->hour) && scan_one_of(at, ":") &&
           scan_digits(at, 2, &out->minute) && scan_one_of(at, ":") &&
           scan_digits(at, 2, &out->second) && scan_fraction(at, &out->millisecond) &&
           out->hour <= 23 && out->minute <= 59 && out->second <= 60;
}

/* "Z", "+05:30", and from Postgres "+00". */
static bool scan_offset(const char **at, bool hours_suffice, int *minutes)
{
    int hour, minute = 0;
    int sign = **at == '-' ? -1 : 1;

    *minutes = 0;
    if (scan_one_of(at, "Zz"))
        return true;
    if (!scan_one_of(at, "+-") || !scan_digits(at, 2, &hour))
        return false;
    if (scan_one_of(at, ":")) {
        if (!scan_digits(at, 2, &minute))
            return false;
    } else if (!hours_suffice) {
        return false;
    }
    *minutes = sign * (hour * 60 + minute);
    return hour <= 23 && minute <= 59;
}

/* A leap second ends the last day of a month (UTC), so the second it shares begins the next one. */
static bool begins_month(int64_t seconds)
{
    return seconds % S_PER_DAY == 0 && date_of_days(seconds / S_PER_DAY).day == 1;
}

static bool instant_of_fields(const struct fields *fields, struct instant *out)
{
    int64_t minutes = fields->hour * 60 + fields->minute - fields->offset_minutes;
    int64_t seconds = days_of_date(fields->date) * S_PER_DAY + minutes * 60 + fields->second;
    int64_t ms = seconds * MS_PER_S + fields->millisecond;

    /* an offset can move a date out of the years that have a text */
    if (ms < INSTANT_MIN_MS || ms > INSTANT_MAX_MS)
        return false;
    if (fields->second == 60 && !begins_month(seconds))
        return false;
    out->ms = ms;
    return true;
}

bool instant_parse(const char *text, struct instant *out)
{
    struct fields fields;

    if (!scan_date(&text, &fields.date))
        return false;
    bool from_postgres = *text == ' ';
    return scan_one_of(&text, "Tt ") && scan_time(&text, &fields) &&
           scan_offset(&text, from_postgres, &fields.offset_minutes) && *text == '\0' &&
           instant_of_fields(&fields, out);
}

struct deadline deadline_in_ms(int64_t ms)
{
    struct deadline deadline;

    if (__builtin_add_overflow(clock_monotonic_us() / 1000, ms, &deadline.at_ms))
        deadline.at_ms = ms < 0 ? INT64_MIN : INT64_MAX;
    return deadline;
}

int deadline_left_ms(struct deadline deadline)
{
    int64_t left;

    if (__builtin_sub_overflow(deadline.at_ms, clock_monotonic_us() / 1000, &left))
        left = deadline.at_ms < 0 ? 0 : INT_MAX;
    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

bool deadline_passed(struct deadline deadline)
{
    return deadline_left_ms(deadline) == 0;
}

struct deadline deadline_earlier(struct deadline a, struct deadline b)
{
    return a.at_ms <= b.at_ms ? a : b;
}

struct deadline deadline_later(struct deadline a, struct deadline b)
{
    return a.at_ms > b.at_ms ? a : b;
}

struct timespec deadline_timespec(struct deadline deadline)
{
    int64_t at_ms = deadline.at_ms < 0 ? 0 : deadline.at_ms; /* the kernel refuses negative ones */

    return (struct timespec){
        .tv_sec = (time_t)(at_ms / MS_PER_S),
        .tv_nsec = (long)(at_ms % MS_PER_S * 1000000),
    };
}
