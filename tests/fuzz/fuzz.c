#include "tests/fuzz/fuzz.h"

#include <signal.h>

#include "shared/json/json_reader.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* After so many seconds of this process's time libFuzzer is asked to end, and tells what it did. */
static void limit_time(const char *seconds)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec time = { .it_value = { .tv_nsec = 1 } };
    int64_t number;
    timer_t timer;

    bool is_number = number_parse(span_of(seconds), &number);
    assert(is_number);
    time.it_value.tv_sec = number;
    int failed = timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) ||
                 timer_settime(timer, 0, &time, NULL);
    assert(!failed);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    const char *seconds = getenv("FUZZ_CPU_S");

    (void)count, (void)arguments;
    if (seconds)
        limit_time(seconds);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size);

    assert(copy);
    if (size > 0)
        memcpy(copy, data, size);
    fuzz((struct span){ copy, size });
    free(copy);
    return 0;
}

char *fuzz_text(struct span input)
{
    return memory_copy_text((struct span){ input.at, strnlen(input.at, input.length) });
}

void fuzz_text_release(char **text)
{
    free(*text);
}

struct span fuzz_take_line(struct span *rest)
{
    const char *end = rest->length > 0 ? memchr(rest->at, '\n', rest->length) : NULL;
    struct span line = { rest->at, end ? (size_t)(end - rest->at) : rest->length };
    size_t taken = end ? line.length + 1 : line.length;

    *rest = (struct span){ rest->at + taken, rest->length - taken };
    return line;
}

static void check_utf8(const char *text)
{
    assert(text_is_utf8(span_of(text)));
}

void fuzz_check_texts(const struct error *err)
{
    assert(err->kind > ERROR_NONE && err->kind < ERROR_KIND_COUNT);
    check_utf8(err->code);
    check_utf8(err->detail);
    check_utf8(err->extra);
    for (size_t i = 0; i < err->field_count; i++) {
        check_utf8(err->fields[i].pointer);
        check_utf8(err->fields[i].code);
        check_utf8(err->fields[i].detail);
    }
}

void fuzz_check_refusal(const struct error *err)
{
    fuzz_check_texts(err);
    assert(error_status(err->kind) < 500);
}

void fuzz_check_json(struct span text)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct error err;
    bool parsed = json_document_parse(text, &document, &err);

    assert(parsed);
}
