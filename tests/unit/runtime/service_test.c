#include "shared/runtime/service.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/buffer.h"
#include "shared/runtime/config.h"
#include "tests/unit/table.h"

/* What part B does when it is called; part A below it just works. */
enum act { WORK, FAIL, HANG, TELL, REPEAT, INTERRUPT_AND_HANG, TELL_TWICE_AND_HANG };

/* Each row is a process of its own. */
static const struct row {
    const char *label;
    enum act start, drain, stop;
    enum error_kind kind; /* of a failing start */
    const char *calls;    /* "+A": A starts, "~A": A drains, "-A": A stops */
    int exit_code;
    int at_most_ms;
} rows[] = {
    { "parts start in order, drain and stop in reverse", TELL, WORK, WORK, ERROR_NONE,
      "+A+B~B~A-B-A", EXIT_DRAINED, 5000 },
    { "a missing dependency exits with 3 and stops what has started", FAIL, WORK, WORK,
      ERROR_UNAVAILABLE, "+A+B-A", EXIT_DEPENDENCY, 5000 },
    { "a dependency that is late exits with 3", FAIL, WORK, WORK, ERROR_DEADLINE, "+A+B-A",
      EXIT_DEPENDENCY, 5000 },
    { "a wrong setting exits with 2", FAIL, WORK, WORK, ERROR_CONFIGURATION, "+A+B-A",
      EXIT_CONFIGURATION, 5000 },
    { "any other failure exits with 1", FAIL, WORK, WORK, ERROR_INTERNAL, "+A+B-A", EXIT_FAILED,
      5000 },
    { "a repeated SIGTERM does not cut a drain short", TELL, REPEAT, REPEAT, ERROR_NONE,
      "+A+B~B~A-B-A", EXIT_DRAINED, 5000 },
    { "a SIGINT while starting ends at once", TELL_TWICE_AND_HANG, WORK, WORK, ERROR_NONE, "+A+B",
      EXIT_FAILED, 5000 },
    { "a SIGINT while draining ends at once", TELL, INTERRUPT_AND_HANG, WORK, ERROR_NONE, "+A+B~B",
      EXIT_FAILED, 5000 },
    { "a SIGINT while stopping ends at once", TELL, WORK, INTERRUPT_AND_HANG, ERROR_NONE,
      "+A+B~B~A-B", EXIT_FAILED, 5000 },
    { "draining that hangs is ended within 10 seconds", TELL, HANG, WORK, ERROR_NONE, "+A+B~B",
      EXIT_FAILED, 10000 },
};

/* The child's row, and where its parts say that they were called. */
static const struct row *current;
static int calls_fd;

/* Sends the signal and waits until it was taken: one that still waits would swallow the next. */
static void tell(int signal)
{
    sigset_t pending;

    kill(getpid(), signal);
    do {
        sched_yield();
        sigpending(&pending);
    } while (sigismember(&pending, signal));
}

static void perform(enum act act)
{
    if (act == TELL || act == TELL_TWICE_AND_HANG)
        tell(SIGTERM);
    if (act == REPEAT)
        kill(getpid(), SIGTERM); /* nobody takes it any more */
    if (act == INTERRUPT_AND_HANG || act == TELL_TWICE_AND_HANG)
        tell(SIGINT);
    while (act == HANG || act == INTERRUPT_AND_HANG || act == TELL_TWICE_AND_HANG)
        pause();
}

/* A part is its letter. */
static void say(char call, const char *part)
{
    char said[] = { call, part[0] };

    if (write(calls_fd, said, sizeof(said)) != sizeof(said))
        _exit(99);
}

static bool start(void *self, struct error *err)
{
    const char *part = self;

    say('+', part);
    if (part[0] == 'A')
        return true;
    if (current->start == FAIL)
        return error_set(err, current->kind, "unit", "does not start");
    perform(current->start);
    return true;
}

static void drain(void *self, UNUSED struct deadline deadline)
{
    const char *part = self;

    say('~', part);
    if (part[0] == 'B')
        perform(current->drain);
}

static void stop(void *self)
{
    const char *part = self;

    say('-', part);
    if (part[0] == 'B')
        perform(current->stop);
}

/* The child: its exit code is the service's. */
static _Noreturn void run_service(const struct row *row, int fd)
{
    static char a[] = "A", b[] = "B";
    const struct service_part parts[] = {
        { "a", a, start, drain, stop },
        { "silent", NULL, NULL, NULL, NULL },
        { "b", b, start, drain, stop },
    };
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    dup2(nowhere, STDERR_FILENO); /* its log is not the point here */
    current = row;
    calls_fd = fd;
    service_prepare();
    _exit(service_run(parts, COUNT_OF(parts)));
}

static void check_life(void **state)
{
    const struct row *row = *state;
    AUTO(buffer_release) struct buffer calls = BUFFER_EMPTY;
    int64_t begin_us = clock_monotonic_us();
    int ends[2], status;
    char byte;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_service(row, ends[1]);
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1) /* until the child has ended */
        buffer_append_bytes(&calls, &byte, 1);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);

    assert_string_equal(calls.at, row->calls);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), row->exit_code);
    assert_true((clock_monotonic_us() - begin_us) / 1000 < row->at_most_ms);
}

/* Says which hardening is missing by its exit code. */
static _Noreturn void check_hardening(void)
{
    struct sigaction pipe_action;
    struct rlimit core;
    sigset_t blocked;

    service_prepare();
    sigaction(SIGPIPE, NULL, &pipe_action);
    getrlimit(RLIMIT_CORE, &core);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (umask(0) != 077)
        _exit(1);
    if (core.rlim_cur != 0 || core.rlim_max != 0)
        _exit(2);
    if (pipe_action.sa_handler != SIG_IGN)
        _exit(3);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGINT))
        _exit(4);
    _exit(0);
}

static void preparing_hardens_the_process(UNUSED void **state)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        check_hardening();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_life);
    TABLE_ADD(&table, preparing_hardens_the_process);
    return table_run(&table);
}
