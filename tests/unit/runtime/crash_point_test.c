#include "shared/runtime/crash_point.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/table.h"

/* Ways to come by: both points, three times each. */
enum { ROUNDS = 3 };

static void come_by(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        CRASH_POINT("test:first");
        CRASH_POINT("test:second");
    }
}

/* How a process ends in which CRASH_POINT is `wish`, when it comes by: a wait status. */
static int end_of(const char *wish)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        setenv("CRASH_POINT", wish, 1);
        come_by();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static const struct row {
    const char *label;
    const char *wish;
    bool dies;
    bool known;
} rows[] = {
    { "a process dies where it comes by", "test:first", true, true },
    { "another point is as good", "test:second", true, true },
    { "the third passing is waited for", "test:second:3", true, true },
    { "a fourth passing that does not come hurts nobody", "test:second:4", false, true },
    { "the zeroth passing never comes", "test:first:0", false, true },
    { "no wish, no crash", "", false, true },
    { "a point that is not there is told", "test:third", false, false },
    { "half a name is no name", "test", false, false },
    { "a name and more is no name", "test:first_of_all", false, false },
};

static void dies_where_it_was_told(void **state)
{
    const struct row *row = *state;
    int status = end_of(row->wish);

    assert_int_equal(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, row->dies);
    assert_int_equal(WIFEXITED(status), !row->dies);
}

static void knows_its_points(void **state)
{
    const struct row *row = *state;
    struct error err;

    setenv("CRASH_POINT", row->wish, 1);
    assert_int_equal(crash_points_check(&err), row->known);
    unsetenv("CRASH_POINT");
}

static void prints_every_point_once(void **state)
{
    char text[100] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");

    (void)state;
    assert_non_null(to);
    crash_points_print(to);
    fclose(to);
    /* in whatever order the compiler laid them out */
    assert_non_null(strstr(text, "test:first\n"));
    assert_non_null(strstr(text, "test:second\n"));
    assert_int_equal(strlen(text), strlen("test:first\ntest:second\n"));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, dies_where_it_was_told);
    TABLE_ADD_ROWS(&table, rows, knows_its_points);
    TABLE_ADD(&table, prints_every_point_once);
    return table_run(&table);
}
