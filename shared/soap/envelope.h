/*
 * Envelope: SOAP 1.1 messages, read and written.
 *
 * What is read comes from outside, so the parser is told to be deaf: no DTD, no entities but the
 * five of XML, no network, no files, at most SOAP_BYTES_MAX bytes, SOAP_DEPTH_MAX levels and
 * SOAP_ELEMENTS_MAX elements. A document with a DOCTYPE is refused as such. The body's first
 * element is the message; its children are fields, read by name like members of JSON: wrong ones
 * are recorded in the error with the pointer "/<message>/<field>", and those nobody asked for as
 * "unknown_field". Prefixes mean nothing, namespaces do: a field has that of its message, or none.
 *
 *     AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
 *     if (!envelope_parse(body, &envelope, err))
 *         return false;
 *     struct soap_reader reader;
 *     soap_reader_begin(&reader, &envelope, err);
 *     soap_read_integer(&reader, "amount", SOAP_REQUIRED, 1, 1000, &amount);
 *     soap_reader_end(&reader);
 *     return soap_reader_ok(&reader);
 *
 * An envelope belongs to one thread at a time.
 */
#ifndef CHECKOUT_SOAP_ENVELOPE_H
#define CHECKOUT_SOAP_ENVELOPE_H

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"

enum { SOAP_BYTES_MAX = 65536, SOAP_DEPTH_MAX = 16, SOAP_ELEMENTS_MAX = 256, SOAP_FIELDS_MAX = 64 };

#define SOAP_CONTENT_TYPE "text/xml; charset=utf-8"

/* Of the envelope and of faults. */
#define SOAP_NAMESPACE "http://schemas.xmlsoap.org/soap/envelope/"

enum soap_presence { SOAP_REQUIRED, SOAP_OPTIONAL };

struct soap_document; /* the library's own */
struct soap_element;

struct envelope {
    struct soap_document *document;
    struct soap_element *message; /* the first element of the body */
};

#define ENVELOPE_EMPTY ((struct envelope){ NULL, NULL })

/* Once per process, before threads; false when the library cannot be used. */
MUST_CHECK bool soap_library_start(void);

/*
 * ERROR_MALFORMED "xml_malformed" (also what is too large, too deep, or not UTF-8), "xml_doctype"
 * or "soap_malformed": no envelope, no body, not one message, a processing instruction, a header
 * that must be understood. Nothing of the text is quoted. `out` may be released after a refusal
 * too.
 */
MUST_CHECK bool envelope_parse(struct span text, struct envelope *out, struct error *err);

void envelope_release(struct envelope *envelope);

/* The message's local name ("Authorize", "Fault"), and its namespace ("" for none). */
const char *envelope_message(const struct envelope *envelope);
const char *envelope_namespace(const struct envelope *envelope);

struct soap_reader {
    struct soap_element *element;
    struct error *err;
    char pointer[96];
    size_t asked_count;
    const char *asked[SOAP_FIELDS_MAX];
};

/* As json_reader_begin(): `err` becomes an ERROR_VALIDATION without fields. */
void soap_reader_begin(struct soap_reader *reader, const struct envelope *envelope,
                       struct error *err);
void soap_reader_end(struct soap_reader *reader);
bool soap_reader_ok(const struct soap_reader *reader);

/* Records a wrong field by hand: a rule that needs more than one. `name` may be NULL. */
void soap_reader_refuse(struct soap_reader *reader, const char *name, const char *code,
                        const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * Each returns true when `out` was written; an element that is there twice is wrong, and one that
 * is xsi:nil is not there. As for JSON, `min` and `max` of a text count code points and `size` is
 * at least 4 * max + 1; a text comes back as it is but for line ends, of which XML makes newlines.
 * Around numbers and words blanks are allowed.
 */
bool soap_read_text(struct soap_reader *reader, const char *name, enum soap_presence presence,
                    size_t min, size_t max, char *out, size_t size);
bool soap_read_integer(struct soap_reader *reader, const char *name, enum soap_presence presence,
                       int64_t min, int64_t max, int64_t *out);
bool soap_read_boolean(struct soap_reader *reader, const char *name, enum soap_presence presence,
                       bool *out);
bool soap_read_id(struct soap_reader *reader, const char *name, enum soap_presence presence,
                  struct id *out);
bool soap_read_choice(struct soap_reader *reader, const char *name, enum soap_presence presence,
                      const char *const *words, size_t count, size_t *out);
bool soap_read_element(struct soap_reader *reader, const char *name, enum soap_presence presence,
                       struct soap_reader *out);

/*
 * Writing: envelope_begin() opens Envelope, Body and the message in `name_space`; then fields, in
 * order; then envelope_end(). Texts must be UTF-8 and are escaped; what XML can not write (most
 * control characters) becomes U+FFFD. Names and namespaces are our own literals. Nothing is
 * written for null.
 */
void envelope_begin(struct buffer *out, const char *name_space, const char *message);
void soap_field_text(struct buffer *out, const char *name, const char *text);
void soap_field_integer(struct buffer *out, const char *name, int64_t number);
void soap_field_boolean(struct buffer *out, const char *name, bool value);
void soap_field_id(struct buffer *out, const char *name, struct id id);
void soap_field_begin(struct buffer *out, const char *name);
void soap_field_end(struct buffer *out, const char *name);
void envelope_end(struct buffer *out, const char *message);

/* A whole envelope with a Fault: `code` is "Client" or "Server" (SOAP 1.1, 4.4.1); `detail` is a
 * problem code of ours, in <detail><code>. */
void envelope_fault(struct buffer *out, const char *code, const char *text, const char *detail);

#endif
