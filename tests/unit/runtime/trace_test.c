#include "shared/runtime/trace.h"

#include "shared/crypto/hash.h"
#include "tests/unit/table.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN_ID  "b7ad6b7169203331"

static const struct row {
    const char *label;
    const char *text;
    const char *flags; /* NULL: refused */
} rows[] = {
    { "a sampled trace is read", "00-" TRACE_ID "-" SPAN_ID "-01", "01" },
    { "a trace that is not sampled is read", "00-" TRACE_ID "-" SPAN_ID "-00", "00" },
    { "flags without a meaning are not passed on", "00-" TRACE_ID "-" SPAN_ID "-ff", "01" },
    { "flags without the lowest bit are not sampled", "00-" TRACE_ID "-" SPAN_ID "-fe", "00" },
    { "a higher version is read", "01-" TRACE_ID "-" SPAN_ID "-01", "01" },
    { "a higher version may have more", "cc-" TRACE_ID "-" SPAN_ID "-01-what-the-future-brings",
      "01" },
    { "more must stand behind a dash", "cc-" TRACE_ID "-" SPAN_ID "-01.what", NULL },
    { "version 00 may not have more", "00-" TRACE_ID "-" SPAN_ID "-01-more", NULL },
    { "version 00 may not end with a dash", "00-" TRACE_ID "-" SPAN_ID "-01-", NULL },
    { "version ff is refused", "ff-" TRACE_ID "-" SPAN_ID "-01", NULL },
    { "a version of other letters is refused", "0x-" TRACE_ID "-" SPAN_ID "-01", NULL },
    { "a capital version is refused", "CC-" TRACE_ID "-" SPAN_ID "-01", NULL },
    { "an all-zero trace id is refused", "00-00000000000000000000000000000000-" SPAN_ID "-01",
      NULL },
    { "an all-zero span id is refused", "00-" TRACE_ID "-0000000000000000-01", NULL },
    { "a capital trace id is refused", "00-0AF7651916CD43DD8448EB211C80319C-" SPAN_ID "-01", NULL },
    { "a capital span id is refused", "00-" TRACE_ID "-B7AD6B7169203331-01", NULL },
    { "capital flags are refused", "00-" TRACE_ID "-" SPAN_ID "-0A", NULL },
    { "a trace id of other letters is refused",
      "00-0af7651916cd43dd8448eb211c80319g-" SPAN_ID "-01", NULL },
    { "no flags are refused", "00-" TRACE_ID "-" SPAN_ID, NULL },
    { "half of the flags are refused", "00-" TRACE_ID "-" SPAN_ID "-0", NULL },
    { "underscores are refused", "00_" TRACE_ID "_" SPAN_ID "_01", NULL },
    { "a leading blank is refused", " 00-" TRACE_ID "-" SPAN_ID "-01", NULL },
    { "nothing is refused", "", NULL },
    { "two dashes are refused", "--", NULL },
};

static void check_parse(void **state)
{
    const struct row *row = *state;
    struct trace trace = { .trace_id = "-" };
    char formatted[TRACEPARENT_SIZE];

    assert_int_equal(trace_parse(span_of(row->text), &trace), row->flags != NULL);
    if (!row->flags) {
        assert_string_equal(trace.trace_id, "-");
        return;
    }
    assert_string_equal(trace.trace_id, TRACE_ID);
    assert_string_equal(trace.span_id, SPAN_ID);
    assert_string_equal(trace.flags, row->flags);
    trace_format(&trace, formatted);
    assert_memory_equal(formatted, "00-" TRACE_ID "-" SPAN_ID "-", 53);
    assert_string_equal(formatted + 53, row->flags);
}

static void a_new_trace_can_be_read_back(UNUSED void **state)
{
    struct trace trace = trace_create(), other = trace_create(), back;
    char text[TRACEPARENT_SIZE];

    trace_format(&trace, text);
    assert_int_equal(strlen(text), TRACEPARENT_SIZE - 1);
    assert_true(trace_parse(span_of(text), &back));
    assert_string_equal(back.trace_id, trace.trace_id);
    assert_string_equal(back.flags, "01");
    assert_string_not_equal(trace.trace_id, other.trace_id);
}

static void a_child_keeps_the_trace_and_gets_its_own_span(UNUSED void **state)
{
    struct trace parent = trace_create(), child = trace_child(&parent);

    assert_string_equal(child.trace_id, parent.trace_id);
    assert_string_equal(child.flags, parent.flags);
    assert_string_not_equal(child.span_id, parent.span_id);
    assert_string_equal(child.parent_id, parent.span_id);
    assert_string_equal(parent.parent_id, "");
    assert_int_equal(strlen(child.span_id), 16);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    if (!crypto_start())
        return 1;
    TABLE_ADD_ROWS(&table, rows, check_parse);
    TABLE_ADD(&table, a_new_trace_can_be_read_back);
    TABLE_ADD(&table, a_child_keeps_the_trace_and_gets_its_own_span);
    return table_run(&table);
}
