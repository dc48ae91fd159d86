#include "shared/runtime/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "shared/base/buffer.h"
#include "shared/json/json_reader.h"
#include "shared/runtime/metrics.h"
#include "tests/unit/table.h"

/* The smallest a pipe can be: one page. */
enum { PIPE_SIZE = 4096 };

/* Standard error led into a pipe, until capture_end(). */
struct capture {
    int read_end, saved;
};

static void capture_begin(struct capture *capture)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 16 * PIPE_SIZE) > 0);
    fflush(stderr);
    capture->read_end = ends[0];
    capture->saved = dup(STDERR_FILENO);
    assert_true(capture->saved >= 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
}

/* Restores standard error and appends what was written to `out`. */
static void capture_end(struct capture *capture, struct buffer *out)
{
    char bytes[PIPE_SIZE];
    ssize_t got;

    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    while ((got = read(capture->read_end, bytes, sizeof(bytes))) > 0)
        buffer_append_bytes(out, bytes, (size_t)got);
    close(capture->read_end);
    buffer_append(out, "");
}

/* The value of `name` in a line: a text as it is, anything else as JSON; "" when it is absent. */
static void take_member(const char *line, const char *name, char *out, size_t size)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(json_document_release) struct json_document document;
    struct json_reader reader;
    struct error err;

    if (!json_document_parse(span_of(line), &document, &err))
        fail_msg("%s: %s", err.detail, line);
    json_reader_begin(&reader, &document, &err);
    struct json_value *value = json_read_value(&reader, name);
    if (value && json_value_text(value))
        buffer_append(&text, json_value_text(value));
    else if (value)
        json_value_write(value, &text);
    buffer_append(&text, "");
    assert_true(text_copy(out, size, text.at));
}

static void assert_member(const char *line, const char *name, const char *expected)
{
    char value[LOG_LINE_MAX];

    take_member(line, name, value, sizeof(value));
    assert_string_equal(value, expected);
}

static const struct field_row {
    const char *label;
    struct log_field field;
    const char *expected;
} field_rows[] = {
    { "a text is logged", { "field", "some text", 0 }, "some text" },
    { "an empty text is logged", { "field", "", 0 }, "" },
    { "a number is logged", { "field", NULL, 42 }, "42" },
    { "the smallest number is logged", { "field", NULL, INT64_MIN }, "-9223372036854775808" },
    { "a text that breaks lines stays in its line",
      { "field", "a\n{\"b\":\"", 0 },
      "a\n{\"b\":\"" },
    { "umlauts are logged", { "field", "\xc3\xa4", 0 }, "\xc3\xa4" },
    { "bytes that are not UTF-8 do not spoil the line", { "field", "a\xff\xc3", 0 }, "a??" },
};

static void check_field(void **state)
{
    const struct field_row *row = *state;
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct capture capture;

    capture_begin(&capture);
    log_write(LOG_LEVEL_INFO, "message", &row->field, 1);
    capture_end(&capture, &out);
    assert_int_equal(out.at[out.length - 1], '\n');
    assert_ptr_equal(strchr(out.at, '\n'), out.at + out.length - 1);
    assert_member(out.at, "field", row->expected);
}

static void a_line_has_time_level_service_and_message(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct capture capture;
    struct instant instant;
    char time[INSTANT_TEXT_SIZE];

    capture_begin(&capture);
    log_warning("relay is leader", LOG_INTEGER("stream", 0), LOG_TEXT("holder", "a"));
    capture_end(&capture, &out);
    assert_memory_equal(out.at, "{\"time\":\"", 9);
    take_member(out.at, "time", time, sizeof(time));
    assert_true(instant_parse(time, &instant));
    assert_member(out.at, "level", "warning");
    assert_member(out.at, "service", "unit");
    assert_member(out.at, "instance", "0");
    assert_member(out.at, "message", "relay is leader");
    assert_member(out.at, "stream", "0");
    assert_member(out.at, "holder", "a");
    assert_member(out.at, "request_id", "");
}

static void a_line_knows_its_request(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer inside = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer after = BUFFER_EMPTY;
    struct capture capture;

    log_context_set("req-1", "0af7651916cd43dd8448eb211c80319c");
    capture_begin(&capture);
    log_error("inside");
    capture_end(&capture, &inside);
    log_context_set(NULL, NULL);
    capture_begin(&capture);
    log_error("after");
    capture_end(&capture, &after);

    assert_member(inside.at, "request_id", "req-1");
    assert_member(inside.at, "trace_id", "0af7651916cd43dd8448eb211c80319c");
    assert_member(after.at, "request_id", "");
    assert_member(after.at, "trace_id", "");
}

static void what_is_below_the_level_is_not_written(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct capture capture;

    capture_begin(&capture);
    log_debug("unseen");
    capture_end(&capture, &out);
    assert_string_equal(out.at, "");
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
    assert_true(log_enabled(LOG_LEVEL_INFO));
}

static void a_long_line_is_cut_at_a_field(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    char long_text[3000], huge_text[3 * LOG_LINE_MAX];
    struct capture capture;

    memset(long_text, 'x', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    memset(huge_text, 'x', sizeof(huge_text));
    huge_text[sizeof(huge_text) - 1] = '\0';
    capture_begin(&capture);
    log_info("one", LOG_TEXT("first", long_text), LOG_TEXT("second", long_text),
             LOG_INTEGER("third", 3));
    capture_end(&capture, &out);
    assert_in_range(out.length, 3000, LOG_LINE_MAX);
    assert_member(out.at, "first", long_text);
    assert_member(out.at, "second", "");
    assert_member(out.at, "third", "");
    assert_member(out.at, "cut", "true");

    buffer_clear(&out);
    capture_begin(&capture);
    log_info(huge_text, LOG_TEXT("huge", huge_text));
    capture_end(&capture, &out);
    assert_in_range(out.length, 500, LOG_LINE_MAX);
    assert_member(out.at, "cut", "true");
}

static void a_swallowed_error_is_told_with_its_reason(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct capture capture;
    struct error err;

    error_set(&err, ERROR_UNAVAILABLE, "broker_unavailable", "connection refused");
    capture_begin(&capture);
    log_swallowed(LOG_LEVEL_WARNING, "cannot publish", &err);
    capture_end(&capture, &out);
    assert_member(out.at, "message", "cannot publish");
    assert_member(out.at, "kind", error_title(ERROR_UNAVAILABLE));
    assert_member(out.at, "code", "broker_unavailable");
    assert_member(out.at, "detail", "connection refused");
}

/* Fills the pipe behind standard error until it takes no more. */
static void fill_pipe(void)
{
    char bytes[PIPE_SIZE] = { 0 };
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(STDERR_FILENO, bytes, sizeof(bytes)) > 0)
        continue;
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags), 0);
}

/* Takes everything that is in the pipe. */
static void empty_pipe(int read_end)
{
    char bytes[PIPE_SIZE];

    assert_int_equal(fcntl(read_end, F_SETFL, O_NONBLOCK), 0);
    while (read(read_end, bytes, sizeof(bytes)) > 0)
        continue;
    assert_int_equal(fcntl(read_end, F_SETFL, 0), 0);
}

/* The process would hang here, and the run time out, if a line were waited for. */
static void a_full_pipe_drops_lines_and_tells_later_how_many(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct capture capture;
    int64_t before = log_dropped();

    capture_begin(&capture);
    fill_pipe();
    log_info("lost");
    log_info("lost too");
    int64_t dropped = log_dropped() - before;
    empty_pipe(capture.read_end);
    log_info("back");
    log_info("and on");
    capture_end(&capture, &out);

    char *second = strchr(out.at, '\n') + 1, *third = strchr(second, '\n') + 1;
    second[-1] = '\0';
    third[-1] = '\0';
    assert_int_equal(dropped, 2);
    assert_member(out.at, "dropped", "2");
    assert_member(out.at, "level", "warning");
    assert_member(second, "message", "back");
    assert_member(third, "message", "and on");
    assert_int_equal(log_dropped() - before, 2);
}

static void a_closed_log_drops_lines(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct capture capture;
    int64_t before = log_dropped();

    capture_begin(&capture);
    close(STDERR_FILENO);
    log_info("lost");
    int64_t dropped = log_dropped() - before;
    capture_end(&capture, &out);
    assert_int_equal(dropped, 1);

    capture_begin(&capture);
    log_info("back");
    capture_end(&capture, &out);
    assert_non_null(strstr(out.at, "\"dropped\":1"));
}

enum { THREADS = 4, LINES = 50 };

static void *log_lines(UNUSED void *ctx)
{
    for (int i = 0; i < LINES; i++)
        log_info("from a thread", LOG_INTEGER("line", i));
    return NULL;
}

static void lines_of_threads_stay_whole(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    struct capture capture;
    pthread_t threads[THREADS];
    int count = 0;

    capture_begin(&capture);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    capture_end(&capture, &out);

    char *rest = out.at;
    for (char *line; (line = strsep(&rest, "\n")) && line[0] != '\0'; count++)
        assert_member(line, "message", "from a thread");
    assert_int_equal(count, THREADS * LINES);
}

static const struct level_row {
    const char *label;
    const char *text;
    int level; /* -1: refused */
} level_rows[] = {
    { "debug is a level", "debug", LOG_LEVEL_DEBUG },
    { "info is a level", "info", LOG_LEVEL_INFO },
    { "warning is a level", "warning", LOG_LEVEL_WARNING },
    { "error is a level", "error", LOG_LEVEL_ERROR },
    { "capitals are no level", "INFO", -1 },
    { "an abbreviation is no level", "warn", -1 },
    { "nothing is no level", "", -1 },
};

static void check_level(void **state)
{
    const struct level_row *row = *state;
    enum log_level level = LOG_LEVEL_DEBUG;

    assert_int_equal(log_level_parse(row->text, &level), row->level >= 0);
    if (row->level >= 0)
        assert_int_equal(level, row->level);
}

static void warnings_and_errors_are_counted_by_message_and_code(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer out = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer page = BUFFER_EMPTY;
    struct capture capture;
    struct error err;

    error_set(&err, ERROR_DATA, "data_refused", "a detail is no part of it");
    capture_begin(&capture);
    log_swallowed(LOG_LEVEL_WARNING, "it \"broke\"\n", &err);
    log_swallowed(LOG_LEVEL_WARNING, "it \"broke\"\n", &err);
    log_error("it ended");
    log_info("it goes on");
    capture_end(&capture, &out);
    metrics_render(&page);
    assert_non_null(strstr(page.at,
                           "\ncheckout_errors_total{level=\"warning\",message=\"it 'broke''\","
                           "code=\"data_refused\"} 2\n"));
    assert_non_null(strstr(page.at, "\ncheckout_errors_total{level=\"error\",message=\"it ended\","
                                    "code=\"\"} 1\n"));
    assert_null(strstr(page.at, "it goes on"));
}

static void what_is_not_written_for_its_level_is_counted(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer page = BUFFER_EMPTY;

    log_start("unit", "0", LOG_LEVEL_ERROR);
    log_warning("nobody reads this");
    log_start("unit", "0", LOG_LEVEL_INFO);
    metrics_render(&page);
    assert_non_null(strstr(page.at, "message=\"nobody reads this\",code=\"\"} 1\n"));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    log_start("unit", "0", LOG_LEVEL_INFO);
    TABLE_ADD_ROWS(&table, level_rows, check_level);
    TABLE_ADD_ROWS(&table, field_rows, check_field);
    TABLE_ADD(&table, a_line_has_time_level_service_and_message);
    TABLE_ADD(&table, a_line_knows_its_request);
    TABLE_ADD(&table, what_is_below_the_level_is_not_written);
    TABLE_ADD(&table, a_long_line_is_cut_at_a_field);
    TABLE_ADD(&table, a_swallowed_error_is_told_with_its_reason);
    TABLE_ADD(&table, warnings_and_errors_are_counted_by_message_and_code);
    TABLE_ADD(&table, what_is_not_written_for_its_level_is_counted);
    TABLE_ADD(&table, a_full_pipe_drops_lines_and_tells_later_how_many);
    TABLE_ADD(&table, a_closed_log_drops_lines);
    TABLE_ADD(&table, lines_of_threads_stay_whole);
    return table_run(&table);
}
