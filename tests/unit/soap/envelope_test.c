#include "shared/soap/envelope.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/patience.h"
#include "tests/unit/table.h"

#define OPEN  "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
#define BODY  OPEN "<s:Body>"
#define CLOSE "</s:Body></s:Envelope>"

/* Bytes that may hold a NUL. */
#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

/* A copy of exactly this size: reading beyond it is seen by the sanitizer. */
static bool parse_copy(struct span text, struct envelope *out, struct error *err)
{
    char *copy = memory_copy_text(text);
    char *exact = realloc(copy, text.length > 0 ? text.length : 1);

    assert_non_null(exact);
    bool parsed = envelope_parse((struct span){ exact, text.length }, out, err);
    free(exact);
    return parsed;
}

static void expect_refusal(struct span text, const char *code)
{
    struct envelope envelope = { (struct soap_document *)(uintptr_t)code, NULL };
    struct error err;

    assert_false(parse_copy(text, &envelope, &err));
    assert_int_equal(err.kind, ERROR_MALFORMED);
    assert_string_equal(err.code, code);
    assert_true(strlen(err.detail) > 0);
    assert_true(text_is_utf8(span_of(err.detail)));
    assert_null(strstr(err.detail, "secret"));
    envelope_release(&envelope); /* as an automatic one would be */
}

static const struct refusal_row {
    const char *label;
    struct span text;
    const char *code;
} refusal_rows[] = {
    { "nothing is refused", BYTES(""), "xml_malformed" },
    { "what points nowhere is refused", { NULL, 0 }, "xml_malformed" },
    { "blanks alone are refused", BYTES(" \n"), "xml_malformed" },
    { "text is no XML", BYTES("secret"), "xml_malformed" },
    { "JSON is no XML", BYTES("{\"secret\":1}"), "xml_malformed" },
    { "a cut tag is refused", BYTES("<s:Envelo"), "xml_malformed" },
    { "a cut document is refused", BYTES(BODY "<a xmlns=\"x\"><secret>1</secret>"),
      "xml_malformed" },
    { "a document without its last byte is refused", BYTES(BODY "<a/></s:Body></s:Envelope"),
      "xml_malformed" },
    { "crossed tags are refused", BYTES(BODY "<a><secret></a></secret>" CLOSE), "xml_malformed" },
    { "a prefix nobody declared is refused",
      BYTES("<s:Envelope><s:Body><a/></s:Body></s:Envelope>"), "xml_malformed" },
    { "something behind it is refused", BYTES(BODY "<a/>" CLOSE "secret"), "xml_malformed" },
    { "a second root is refused", BYTES(BODY "<a/>" CLOSE "<b/>"), "xml_malformed" },
    { "an attribute twice is refused", BYTES(BODY "<a b=\"1\" b=\"1\"/>" CLOSE), "xml_malformed" },
    { "a bare ampersand is refused", BYTES(BODY "<a>1 & 2</a>" CLOSE), "xml_malformed" },
    { "an entity nobody declared is refused", BYTES(BODY "<a>&secret;</a>" CLOSE),
      "xml_malformed" },
    { "a reference to NUL is refused", BYTES(BODY "<a>&#0;</a>" CLOSE), "xml_malformed" },
    { "a reference to a surrogate is refused", BYTES(BODY "<a>&#xd800;</a>" CLOSE),
      "xml_malformed" },
    { "a control character is refused", BYTES(BODY "<a>\x01</a>" CLOSE), "xml_malformed" },
    { "a NUL inside is refused", BYTES(BODY "<a>1\0</a>" CLOSE), "xml_malformed" },
    { "a NUL behind it is refused", BYTES(BODY "<a/>" CLOSE "\0"), "xml_malformed" },
    { "a NUL before it is refused", BYTES("\0" BODY "<a/>" CLOSE), "xml_malformed" },
    { "a declaration that is not first is refused",
      BYTES(" <?xml version=\"1.0\"?>" BODY "<a/>" CLOSE), "xml_malformed" },
    { "the end of CDATA outside is refused", BYTES(BODY "<a>]]></a>" CLOSE), "xml_malformed" },
    { "a CDATA without end is refused", BYTES(BODY "<a><![CDATA[</a>" CLOSE), "xml_malformed" },

    { "UTF-16 with a mark is refused", BYTES("\xff\xfe<\0a\0/\0>\0"), "xml_malformed" },
    { "UTF-16 without a mark is refused", BYTES("\0<\0a\0/\0>"), "xml_malformed" },
    { "UTF-8 that says it is UTF-16 is refused",
      BYTES("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" BODY "<a/>" CLOSE), "xml_malformed" },
    { "Latin 1 that says so is refused",
      BYTES("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" BODY "<a>\xe4</a>" CLOSE),
      "xml_malformed" },
    { "UTF-8 that says it is Latin 1 is refused",
      BYTES("<?xml version=\"1.0\" encoding=\"latin1\"?>" BODY "<a>\xc3\xa4</a>" CLOSE),
      "xml_malformed" },
    { "ASCII that says it is UTF-7 is refused",
      BYTES("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADw-a/+AD4-"), "xml_malformed" },
    { "an encoding that does not exist is refused",
      BYTES("<?xml version=\"1.0\" encoding=\"secret\"?>" BODY "<a/>" CLOSE), "xml_malformed" },
    { "Latin 1 that says nothing is refused", BYTES(BODY "<a>\xe4</a>" CLOSE), "xml_malformed" },
    { "a long form is refused", BYTES(BODY "<a>\xc0\xbc</a>" CLOSE), "xml_malformed" },
    { "an encoded surrogate is refused", BYTES(BODY "<a>\xed\xa0\x80</a>" CLOSE), "xml_malformed" },

    { "a DOCTYPE is refused", BYTES("<!DOCTYPE a>" BODY "<a/>" CLOSE), "xml_doctype" },
    { "a DOCTYPE behind a declaration is refused",
      BYTES("<?xml version=\"1.0\"?>\n<!DOCTYPE s:Envelope [ ]>" BODY "<a/>" CLOSE),
      "xml_doctype" },
    { "a DOCTYPE of a file is refused", BYTES("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"),
      "xml_doctype" },
    { "a public DOCTYPE is refused",
      BYTES("<!DOCTYPE a PUBLIC \"-//X\" \"http://127.0.0.1/\"><a/>"), "xml_doctype" },
    { "an entity of a file is refused",
      BYTES("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"), "xml_doctype" },
    { "a parameter entity is refused",
      BYTES("<!DOCTYPE a [<!ENTITY % x SYSTEM \"file:///etc/passwd\"> %x;]><a/>"), "xml_doctype" },
    { "an entity that holds itself is refused",
      BYTES("<!DOCTYPE a [<!ENTITY x \"&x;\">]><a>&x;</a>"), "xml_doctype" },
    { "a DOCTYPE inside is refused", BYTES(BODY "<!DOCTYPE a><a/>" CLOSE), "xml_malformed" },

    { "another document is no envelope", BYTES("<a/>"), "soap_malformed" },
    { "an envelope without namespace is none", BYTES("<Envelope><Body><a/></Body></Envelope>"),
      "soap_malformed" },
    { "SOAP 1.2 is not spoken",
      BYTES("<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><a/>" CLOSE),
      "soap_malformed" },
    { "an empty envelope is refused", BYTES(OPEN "</s:Envelope>"), "soap_malformed" },
    { "a header alone is refused", BYTES(OPEN "<s:Header/></s:Envelope>"), "soap_malformed" },
    { "an empty body is refused", BYTES(BODY CLOSE), "soap_malformed" },
    { "a body of text is refused", BYTES(BODY "secret" CLOSE), "soap_malformed" },
    { "text beside the message is refused", BYTES(BODY "<a/>secret" CLOSE), "soap_malformed" },
    { "text beside the body is refused", BYTES(OPEN "secret<s:Body><a/>" CLOSE), "soap_malformed" },
    { "two messages are refused", BYTES(BODY "<a/><b/>" CLOSE), "soap_malformed" },
    { "two bodies are refused", BYTES(BODY "<a/></s:Body><s:Body><b/>" CLOSE), "soap_malformed" },
    { "a header behind the body is refused", BYTES(BODY "<a/></s:Body><s:Header/></s:Envelope>"),
      "soap_malformed" },
    { "two headers are refused", BYTES(OPEN "<s:Header/><s:Header/><s:Body><a/>" CLOSE),
      "soap_malformed" },
    { "a body of another namespace is none", BYTES(OPEN "<Body><a/></Body></s:Envelope>"),
      "soap_malformed" },
    { "a header that must be understood is refused",
      BYTES(OPEN "<s:Header><x s:mustUnderstand=\"1\"/></s:Header><s:Body><a/>" CLOSE),
      "soap_malformed" },
    { "a processing instruction is refused", BYTES(BODY "<a><?php secret?></a>" CLOSE),
      "soap_malformed" },
    { "a style sheet is refused",
      BYTES("<?xml-stylesheet href=\"file:///etc/passwd\"?>" BODY "<a/>" CLOSE), "soap_malformed" },
};

static void check_refusal(void **state)
{
    const struct refusal_row *row = *state;

    expect_refusal(row->text, row->code);
}

static const struct message_row {
    const char *label;
    struct span text;
    const char *message, *name_space;
} message_rows[] = {
    { "a message has a name", BYTES(BODY "<a/>" CLOSE), "a", "" },
    { "a message has the namespace it stands in", BYTES(BODY "<a xmlns=\"urn:x\"/>" CLOSE), "a",
      "urn:x" },
    { "a prefix is no part of the name", BYTES(BODY "<p:a xmlns:p=\"urn:x\"/>" CLOSE), "a",
      "urn:x" },
    { "the envelope's prefix may be any",
      BYTES("<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>"
            "<a xmlns=\"urn:x\"/></Body></Envelope>"),
      "a", "urn:x" },
    { "a fault is a message", BYTES(BODY "<s:Fault/>" CLOSE), "Fault",
      "http://schemas.xmlsoap.org/soap/envelope/" },
    { "a declaration may come first",
      BYTES("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n" BODY "<a/>" CLOSE),
      "a", "" },
    { "a byte order mark may come first", BYTES("\xef\xbb\xbf" BODY "<a/>" CLOSE), "a", "" },
    { "blanks and comments may stand between",
      BYTES("<!-- < & secret -->" OPEN "\r\n\t<!-- x --> <s:Body>\n<a/>\n" CLOSE "\n<!-- x -->"),
      "a", "" },
    { "a header may be there",
      BYTES(OPEN "<s:Header><x s:mustUnderstand=\"0\"/><y/></s:Header><s:Body><a/>" CLOSE), "a",
      "" },
    { "nothing is included",
      BYTES(BODY "<x:include xmlns:x=\"http://www.w3.org/2001/XInclude\" parse=\"text\" "
                 "href=\"file:///etc/passwd\"/>" CLOSE),
      "include", "http://www.w3.org/2001/XInclude" },
};

static void check_message(void **state)
{
    const struct message_row *row = *state;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    assert_true(parse_copy(row->text, &envelope, &err));
    assert_string_equal(envelope_message(&envelope), row->message);
    assert_string_equal(envelope_namespace(&envelope), row->name_space);
}

static void repeat(struct buffer *out, size_t times, const char *text)
{
    for (size_t i = 0; i < times; i++)
        buffer_append(out, text);
}

/* Each of ten entities is ten of the one before: ten thousand million laughs. */
static void laughs_are_not_laughed(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    int64_t began_us = clock_monotonic_us();

    (void)state;
    buffer_append(&text, "<!DOCTYPE a [<!ENTITY x0 \"ha\">");
    for (int i = 1; i <= 10; i++) {
        buffer_append_format(&text, "<!ENTITY x%d \"", i);
        for (int j = 0; j < 10; j++)
            buffer_append_format(&text, "&x%d;", i - 1);
        buffer_append(&text, "\">");
    }
    buffer_append(&text, "]>" BODY "<a>&x10;</a>" CLOSE);
    expect_refusal(buffer_span(&text), "xml_doctype");
    assert_true(patience_lasts(began_us, 1000));
}

/* One entity of 30 KiB, a thousand times: no nesting, and 30 MiB all the same. */
static void a_long_entity_is_not_repeated(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    (void)state;
    buffer_append(&text, "<!DOCTYPE a [<!ENTITY x \"");
    repeat(&text, 30 * 1024, "a");
    buffer_append(&text, "\">]>" BODY "<a>");
    repeat(&text, 1000, "&x;");
    buffer_append(&text, "</a>" CLOSE);
    expect_refusal(buffer_span(&text), "xml_doctype");
}

/* A port that nobody may come to, while a document names it in every way there is. */
static void nobody_is_asked_over_the_network(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    int port = ntohs(address.sin_port);
    buffer_append_format(&text, "<!DOCTYPE a SYSTEM \"http://127.0.0.1:%d/a.dtd\" [", port);
    buffer_append_format(&text, "<!ENTITY %% p SYSTEM \"http://127.0.0.1:%d/p\"> %%p;", port);
    buffer_append_format(&text, "<!ENTITY x SYSTEM \"http://127.0.0.1:%d/x\">]>", port);
    buffer_append(&text, BODY "<a>&x;</a>" CLOSE);
    expect_refusal(buffer_span(&text), "xml_doctype");
    assert_int_equal(poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, 100), 0);
    close(listener);
}

/* A document with `levels` levels, of which envelope and body are two. */
static void nest(struct buffer *out, size_t levels)
{
    buffer_append(out, BODY);
    repeat(out, levels - 2, "<a>");
    repeat(out, levels - 2, "</a>");
    buffer_append(out, CLOSE);
}

static void depth_has_a_limit(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    (void)state;
    nest(&text, SOAP_DEPTH_MAX);
    assert_true(parse_copy(buffer_span(&text), &envelope, &err));
    buffer_clear(&text);
    nest(&text, SOAP_DEPTH_MAX + 1);
    expect_refusal(buffer_span(&text), "xml_malformed");
}

/* As much depth as there is room for, closed or not; and more than there is room for. */
static void no_depth_hurts(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;

    (void)state;
    repeat(&text, SOAP_BYTES_MAX / 3, "<a>");
    expect_refusal(buffer_span(&text), "xml_malformed");
    buffer_clear(&text);
    nest(&text, 100000);
    expect_refusal(buffer_span(&text), "xml_malformed");
}

static void elements_have_a_limit(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    (void)state;
    buffer_append(&text, BODY "<a>");
    repeat(&text, SOAP_ELEMENTS_MAX - 3, "<b/>");
    buffer_append(&text, "</a>" CLOSE);
    assert_true(parse_copy(buffer_span(&text), &envelope, &err));
    buffer_clear(&text);
    buffer_append(&text, BODY "<a>");
    repeat(&text, SOAP_ELEMENTS_MAX - 2, "<b/>");
    buffer_append(&text, "</a>" CLOSE);
    expect_refusal(buffer_span(&text), "xml_malformed");
}

static void bytes_have_a_limit(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    (void)state;
    buffer_append(&text, BODY "<a/>" CLOSE);
    repeat(&text, SOAP_BYTES_MAX - text.length, " ");
    assert_true(parse_copy(buffer_span(&text), &envelope, &err));
    buffer_append(&text, " ");
    expect_refusal(buffer_span(&text), "xml_malformed");
}

/* Comparing each attribute, or namespace, with each other takes a while, but not a long one. */
static void many_attributes_take_no_time(void **state)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;
    int64_t began_us = clock_monotonic_us();

    (void)state;
    buffer_append(&text, BODY "<a");
    for (int i = 0; text.length < SOAP_BYTES_MAX - 200; i++)
        buffer_append_format(&text, " a%x=\"\"", i);
    buffer_append(&text, "/>" CLOSE);
    assert_true(parse_copy(buffer_span(&text), &envelope, &err));
    assert_true(patience_lasts(began_us, 5000));
}

/* A message with everything in it, cut behind every byte, is refused and does no harm. */
static void every_cut_is_refused(void **state)
{
    static const char whole[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- x -->" OPEN
        "<s:Header><h s:mustUnderstand=\"0\"/></s:Header><s:Body><p:a xmlns:p=\"urn:x\">"
        "<p:b c=\"&amp;\">\xc3\xa4&#x10FFFF;<![CDATA[<]]></p:b></p:a>" CLOSE;
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    (void)state;
    for (size_t length = 0; length < sizeof(whole) - 1; length++)
        expect_refusal((struct span){ whole, length }, "xml_malformed");
    assert_true(parse_copy(span_of(whole), &envelope, &err));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    assert(soap_library_start());
    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD_ROWS(&table, message_rows, check_message);
    TABLE_ADD(&table, laughs_are_not_laughed);
    TABLE_ADD(&table, a_long_entity_is_not_repeated);
    TABLE_ADD(&table, nobody_is_asked_over_the_network);
    TABLE_ADD(&table, depth_has_a_limit);
    TABLE_ADD(&table, no_depth_hurts);
    TABLE_ADD(&table, elements_have_a_limit);
    TABLE_ADD(&table, bytes_have_a_limit);
    TABLE_ADD(&table, many_attributes_take_no_time);
    TABLE_ADD(&table, every_cut_is_refused);
    return table_run(&table);
}
