#include "shared/runtime/service.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/runtime/config.h"
#include "shared/runtime/log.h"

/*
 * From the first signal to the end, whatever hangs. More than draining may take, less than the
 * 10 s after which whoever supervises the process would kill it.
 */
enum { SERVICE_END_MS = 9000 };

/*
 * The thread that takes the signals. It is also the watchdog: once it was told to stop, it waits
 * for a second signal or for the time to be over, and either ends the process.
 */
struct watch {
    pthread_t thread;
    sem_t stopping;
    atomic_bool ended; /* all parts have stopped: the next signal only ends the thread */
};

static sigset_t stop_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void service_prepare(void)
{
    sigset_t signals = stop_signals();

    umask(077);
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) != 0 ||
        sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL) != 0 ||
        pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0)
        abort(); /* none of them can fail with these arguments */
}

/* Until a signal (true) or the deadline. */
static bool wait_for_signal(const sigset_t *signals, struct deadline deadline)
{
    int left_ms;

    while ((left_ms = deadline_left_ms(deadline)) > 0) {
        struct timespec left = { left_ms / 1000, left_ms % 1000 * 1000000L };
        if (sigtimedwait(signals, NULL, &left) > 0)
            return true; /* otherwise over, or interrupted by a debugger */
    }
    return false;
}

static void *watch_run(void *ctx)
{
    struct watch *watch = ctx;
    sigset_t signals = stop_signals();

    while (sigwaitinfo(&signals, NULL) < 0)
        continue; /* interrupted by a debugger */
    sem_post(&watch->stopping);
    sigdelset(&signals, SIGTERM); /* supervisors repeat themselves; only people lose patience */

    /* asked before waiting too: the signal that ends may have merged with the first one */
    bool again =
        !atomic_load(&watch->ended) && wait_for_signal(&signals, deadline_in_ms(SERVICE_END_MS));
    if (atomic_load(&watch->ended))
        return NULL;
    log_error(again ? "told to stop twice: ending at once" : "stopping takes too long: ending");
    _exit(EXIT_FAILED);
}

static bool watch_begin(struct watch *watch)
{
    atomic_init(&watch->ended, false);
    return sem_init(&watch->stopping, 0, 0) == 0 &&
           pthread_create(&watch->thread, NULL, watch_run, watch) == 0;
}

/*
 * The process ends by itself: nobody has to end it any more. Not by pthread_cancel(), which needs a
 * library at run time and which sanitizers take for a broken stack.
 */
static void watch_end(struct watch *watch)
{
    atomic_store(&watch->ended, true);
    pthread_kill(watch->thread, SIGINT);
    pthread_join(watch->thread, NULL);
    sem_destroy(&watch->stopping);
}

static bool watch_was_told(struct watch *watch)
{
    int value = 0;

    return sem_getvalue(&watch->stopping, &value) == 0 && value > 0;
}

static int exit_code_of(enum error_kind kind)
{
    if (kind == ERROR_UNAVAILABLE || kind == ERROR_DEADLINE)
        return EXIT_DEPENDENCY;
    return kind == ERROR_CONFIGURATION ? EXIT_CONFIGURATION : EXIT_FAILED;
}

/* How many parts have started: all, or those before a failure or a signal. */
static size_t start_parts(const struct service_part *parts, size_t count, struct watch *watch,
                          int *exit_code)
{
    struct error err;

    *exit_code = EXIT_DRAINED;
    for (size_t i = 0; i < count; i++) {
        if (watch_was_told(watch))
            return i;
        if (parts[i].start && !parts[i].start(parts[i].self, &err)) {
            error_prefix(&err, parts[i].name);
            log_swallowed(LOG_LEVEL_ERROR, "cannot start", &err);
            *exit_code = exit_code_of(err.kind);
            /* Stopping may hang here too. The thread waits for the signal and is not ended by it:
             * NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread,cert-pos44-c) */
            pthread_kill(watch->thread, SIGTERM);
            return i;
        }
    }
    return count;
}

static void drain_parts(const struct service_part *parts, size_t count)
{
    struct deadline deadline = deadline_in_ms(SERVICE_DRAIN_MS);

    for (size_t i = count; i-- > 0;)
        if (parts[i].drain)
            parts[i].drain(parts[i].self, deadline);
}

static void stop_parts(const struct service_part *parts, size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (parts[i].stop)
            parts[i].stop(parts[i].self);
}

int service_run(const struct service_part *parts, size_t count)
{
    struct watch watch;
    int exit_code;

    if (!watch_begin(&watch)) {
        log_error("cannot start the thread that takes signals");
        return EXIT_FAILED;
    }
    size_t started = start_parts(parts, count, &watch, &exit_code);
    if (exit_code == EXIT_DRAINED) {
        if (started == count)
            log_info("started");
        while (sem_wait(&watch.stopping) != 0)
            continue; /* interrupted by a debugger */
        log_info("draining");
        drain_parts(parts, started);
    }
    stop_parts(parts, started);
    watch_end(&watch);
    log_info("stopped", LOG_INTEGER("exit_code", exit_code));
    return exit_code;
}
