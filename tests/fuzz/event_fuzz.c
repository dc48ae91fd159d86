/* An event as the bus brings it. */
#include "tests/fuzz/events.h"
#include "tests/fuzz/fuzz.h"

void fuzz(struct span input)
{
    AUTO(buffer_release) struct buffer storage = BUFFER_EMPTY;
    struct event event;
    struct error err;

    if (event_read(input, FUZZ_PRODUCER, &storage, &event, &err))
        fuzz_check_event(&event);
    else
        fuzz_check_refusal(&err);
}
