#include "shared/runtime/metrics.h"

#include <pthread.h>

#include "tests/unit/table.h"

/* The page of the process has what other tests made too: a test looks for its own lines. */
static void assert_page_has(const char *text)
{
    AUTO(buffer_release) struct buffer page = BUFFER_EMPTY;

    metrics_render(&page);
    if (!strstr(page.at, text))
        fail_msg("%s is missing in:\n%s", text, page.at);
}

static void a_series_asked_for_twice_is_the_same(UNUSED void **state)
{
    struct metric *first = metric_counter("t_same_total", "Same.", "a=\"1\"");

    assert_ptr_equal(metric_counter("t_same_total", "Same.", "a=\"1\""), first);
    assert_ptr_not_equal(metric_counter("t_same_total", "Same.", "a=\"2\""), first);
    assert_ptr_not_equal(metric_counter("t_same_total", "Same.", ""), first);
    assert_ptr_not_equal(metric_counter("t_same2_total", "Same.", "a=\"1\""), first);
}

static void the_labels_are_copied(UNUSED void **state)
{
    char labels[] = "copied=\"1\"";

    metric_counter("t_copied_total", "Copied.", labels);
    memset(labels, 'x', sizeof(labels) - 1);
    assert_page_has("\nt_copied_total{copied=\"1\"} 0\n");
}

static void counters_and_gauges_show_their_value(UNUSED void **state)
{
    struct metric *counter = metric_counter("t_plain_total", "Plain.", "");
    struct metric *gauge = metric_gauge("t_gauge", "Gauge.", "k=\"v\",l=\"w\"");

    metric_add(counter, 2);
    metric_add(counter, 3);
    metric_set(gauge, 10);
    metric_add(gauge, -17);
    assert_int_equal(metric_value(counter), 5);
    assert_int_equal(metric_value(gauge), -7);
    assert_page_has("# HELP t_plain_total Plain.\n# TYPE t_plain_total counter\nt_plain_total 5\n");
    assert_page_has("# TYPE t_gauge gauge\nt_gauge{k=\"v\",l=\"w\"} -7\n");
}

static void a_familys_series_stand_together_in_order(UNUSED void **state)
{
    metric_counter("t_family_total", "Family.", "a=\"2\"");
    metric_counter("t_family_b_total", "Another.", "");
    metric_counter("t_family_total", "Family.", "a=\"1\"");
    assert_page_has("# HELP t_family_total Family.\n# TYPE t_family_total counter\n"
                    "t_family_total{a=\"1\"} 0\nt_family_total{a=\"2\"} 0\n");
}

static void seconds_have_cumulative_buckets_a_sum_and_a_count(UNUSED void **state)
{
    struct metric *metric = metric_seconds("t_seconds", "Seconds.", "r=\"x\"");

    metric_observe_us(metric, 500); /* exactly a bound belongs below it */
    metric_observe_us(metric, 501);
    metric_observe_us(metric, -1);       /* a clock that jumped counts as nothing */
    metric_observe_us(metric, 10000001); /* above all bounds */
    assert_page_has("# TYPE t_seconds histogram\n"
                    "t_seconds_bucket{r=\"x\",le=\"0.0005\"} 2\n"
                    "t_seconds_bucket{r=\"x\",le=\"0.001\"} 3\n"
                    "t_seconds_bucket{r=\"x\",le=\"0.0025\"} 3\n");
    assert_page_has("t_seconds_bucket{r=\"x\",le=\"10\"} 3\n"
                    "t_seconds_bucket{r=\"x\",le=\"+Inf\"} 4\n"
                    "t_seconds_sum{r=\"x\"} 10.001002\n"
                    "t_seconds_count{r=\"x\"} 4\n");
}

static void sizes_have_powers_of_two(UNUSED void **state)
{
    struct metric *metric = metric_sizes("t_sizes", "Sizes.", "");

    metric_observe_size(metric, 1);
    metric_observe_size(metric, 3);
    metric_observe_size(metric, 4096);
    metric_observe_size(metric, 4097);
    assert_page_has("t_sizes_bucket{le=\"1\"} 1\nt_sizes_bucket{le=\"2\"} 1\n"
                    "t_sizes_bucket{le=\"4\"} 2\n");
    assert_page_has("t_sizes_bucket{le=\"2048\"} 2\nt_sizes_bucket{le=\"4096\"} 3\n"
                    "t_sizes_bucket{le=\"+Inf\"} 4\nt_sizes_sum 8197\nt_sizes_count 4\n");
}

enum { THREADS = 4, ADDITIONS = 20000 };

static void *add_many(UNUSED void *ctx)
{
    for (int i = 0; i < ADDITIONS; i++)
        metric_add(metric_counter("t_threads_total", "Threads.", ""), 1);
    return NULL;
}

static void no_addition_of_any_thread_is_lost(UNUSED void **state)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(metric_value(metric_counter("t_threads_total", "Threads.", "")),
                     THREADS * ADDITIONS);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts the page into lines without their values; returns how many. */
static size_t cut_lines(char *page, char **lines, size_t max)
{
    size_t count = 0;
    char *rest = page;

    for (char *line; (line = strsep(&rest, "\n")) && line[0] != '\0';) {
        assert_true(count < max);
        if (line[0] != '#')
            *strrchr(line, ' ') = '\0';
        lines[count++] = line;
    }
    return count;
}

/* Series, and HELP and TYPE lines too. */
static void nothing_on_the_page_is_there_twice(UNUSED void **state)
{
    static char *lines[20000];
    AUTO(buffer_release) struct buffer page = BUFFER_EMPTY;

    metrics_render(&page);
    size_t count = cut_lines(page.at, lines, COUNT_OF(lines));
    assert_true(count > 30);
    qsort(lines, count, sizeof(lines[0]), compare_lines);
    for (size_t i = 1; i < count; i++)
        assert_string_not_equal(lines[i - 1], lines[i]);
}

static void two_pages_are_the_same(UNUSED void **state)
{
    AUTO(buffer_release) struct buffer first = BUFFER_EMPTY;
    AUTO(buffer_release) struct buffer second = BUFFER_EMPTY;

    metrics_render(&first);
    metrics_render(&second);
    assert_string_equal(first.at, second.at);
}

/* Runs last: it fills the registry. */
static void too_many_series_share_one_and_are_counted(UNUSED void **state)
{
    struct metric *metrics[METRICS_MAX + 2];

    for (int i = 0; i < METRICS_MAX + 2; i++) {
        AUTO(buffer_release) struct buffer labels = BUFFER_EMPTY;
        buffer_append_format(&labels, "id=\"%d\"", i);
        metrics[i] = metric_counter("t_many_total", "Many.", labels.at);
        assert_non_null(metrics[i]);
    }
    assert_ptr_not_equal(metrics[0], metrics[1]);
    assert_ptr_equal(metrics[METRICS_MAX], metrics[METRICS_MAX + 1]);
    metric_observe_us(metrics[METRICS_MAX], 5); /* whatever is done to it does no harm */
    assert_ptr_equal(metric_seconds("t_other", "Other.", ""), metrics[METRICS_MAX]);
    assert_ptr_equal(metric_counter("t_many_total", "Many.", "id=\"0\""), metrics[0]);

    AUTO(buffer_release) struct buffer page = BUFFER_EMPTY;
    metrics_render(&page);
    assert_null(strstr(page.at, "t_other"));
    assert_null(strstr(page.at, "\nmetrics_overflow_total 0\n"));
    assert_non_null(strstr(page.at, "\nmetrics_overflow_total "));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD(&table, a_series_asked_for_twice_is_the_same);
    TABLE_ADD(&table, the_labels_are_copied);
    TABLE_ADD(&table, counters_and_gauges_show_their_value);
    TABLE_ADD(&table, a_familys_series_stand_together_in_order);
    TABLE_ADD(&table, seconds_have_cumulative_buckets_a_sum_and_a_count);
    TABLE_ADD(&table, sizes_have_powers_of_two);
    TABLE_ADD(&table, no_addition_of_any_thread_is_lost);
    TABLE_ADD(&table, nothing_on_the_page_is_there_twice);
    TABLE_ADD(&table, two_pages_are_the_same);
    TABLE_ADD(&table, too_many_series_share_one_and_are_counted);
    TABLE_ADD(&table, nothing_on_the_page_is_there_twice);
    return table_run(&table);
}
