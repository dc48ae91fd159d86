/*
 * An event as the bus brings it. One that is read as it stands is read as the same by way of JSON,
 * which a blank at its end enforces.
 */
#include "shared/events/event_scan.h"
#include "tests/fuzz/events.h"
#include "tests/fuzz/fuzz.h"

static void check_scanned(struct span input, const struct event *event)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY, storage = BUFFER_EMPTY;
    struct event parsed;
    struct error err;

    buffer_append_span(&text, input);
    buffer_append(&text, " ");
    bool scanned = event_scan(buffer_span(&text), FUZZ_PRODUCER, &parsed);
    assert(!scanned);
    bool read = event_read(buffer_span(&text), FUZZ_PRODUCER, &storage, &parsed, &err);
    assert(read);
    fuzz_check_same_event(event, &parsed);
}

void fuzz(struct span input)
{
    AUTO(buffer_release) struct buffer storage = BUFFER_EMPTY;
    struct event event;
    struct error err;

    if (event_scan(input, FUZZ_PRODUCER, &event))
        check_scanned(input, &event);
    if (event_read(input, FUZZ_PRODUCER, &storage, &event, &err))
        fuzz_check_event(&event);
    else
        fuzz_check_refusal(&err);
}
