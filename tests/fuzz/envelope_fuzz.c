/* SOAP envelopes: a text that was read is written, and reads as the same. */
#include "shared/soap/envelope.h"

#include "tests/fuzz/fuzz.h"

enum { FIELD_MAX = 200, FIELD_SIZE = 4 * FIELD_MAX + 1 };

static bool parse(struct span text, struct envelope *out)
{
    struct error err;
    bool parsed = envelope_parse(text, out, &err);

    if (!parsed)
        fuzz_check_refusal(&err);
    return parsed;
}

static void check_written(const char *text)
{
    AUTO(buffer_release) struct buffer written = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct soap_reader reader;
    struct error err;
    char again[FIELD_SIZE];

    envelope_begin(&written, "urn:fuzz", "Message");
    soap_field_text(&written, "text", text);
    envelope_end(&written, "Message");
    bool parsed = parse(buffer_span(&written), &envelope);
    assert(parsed);
    soap_reader_begin(&reader, &envelope, &err);
    bool read = soap_read_text(&reader, "text", SOAP_REQUIRED, 0, FIELD_MAX, again, sizeof(again));
    assert(read && strcmp(again, text) == 0);
}

static void read_fields(const struct envelope *envelope)
{
    static const char *const words[] = { "approved", "declined" };
    struct soap_reader reader, inner;
    char text[FIELD_SIZE];
    struct error err;
    struct id id;
    int64_t number;
    size_t index;
    bool flag;

    soap_reader_begin(&reader, envelope, &err);
    if (soap_read_text(&reader, "text", SOAP_REQUIRED, 0, FIELD_MAX, text, sizeof(text)))
        check_written(text);
    soap_read_integer(&reader, "amount", SOAP_REQUIRED, 1, INT64_MAX, &number);
    soap_read_boolean(&reader, "capture", SOAP_OPTIONAL, &flag);
    soap_read_id(&reader, "reference", SOAP_OPTIONAL, &id);
    soap_read_choice(&reader, "status", SOAP_OPTIONAL, words, COUNT_OF(words), &index);
    if (soap_read_element(&reader, "card", SOAP_OPTIONAL, &inner))
        soap_reader_end(&inner);
    soap_reader_end(&reader);
    fuzz_check_refusal(&err);
}

void fuzz(struct span input)
{
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    static bool started;

    started = started || soap_library_start();
    assert(started);
    if (!parse(input, &envelope))
        return;
    assert(*envelope_message(&envelope) != '\0');
    read_fields(&envelope);
}
