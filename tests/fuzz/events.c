#include "tests/fuzz/events.h"

#include "tests/fuzz/fuzz.h"

void fuzz_check_same_event(const struct event *a, const struct event *b)
{
    assert(a->stream == b->stream && a->sequence == b->sequence);
    assert(id_equal(a->id, b->id) && id_equal(a->subject, b->subject));
    assert(strcmp(a->merchant, b->merchant) == 0 && strcmp(a->type, b->type) == 0);
    assert(a->subject_version == b->subject_version && a->time.ms == b->time.ms);
    assert(strcmp(a->traceparent, b->traceparent) == 0);
    assert(span_equal(a->data, b->data));
}

void fuzz_check_event(const struct event *event)
{
    AUTO(buffer_release) struct buffer written = BUFFER_EMPTY, storage = BUFFER_EMPTY;
    char topic[EVENT_TOPIC_SIZE];
    struct event again;
    struct error err;

    event_topic(event, topic, sizeof(topic));
    assert(event_fits_topic(event, topic) && strlen(topic) + 1 < sizeof(topic));
    event_write(event, FUZZ_PRODUCER, &written);
    bool read = event_read(buffer_span(&written), FUZZ_PRODUCER, &storage, &again, &err);
    assert(read);
    fuzz_check_same_event(event, &again);
}
