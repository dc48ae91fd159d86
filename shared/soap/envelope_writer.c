#include "shared/soap/envelope.h"

#include "shared/soap/soap_library.h"

/* XML 1.0 has no way to write most control characters, nor the two that are none. */
#define REPLACEMENT "\xef\xbf\xbd"

/* How the character at `at` is written, and how many bytes it has; NULL: as it is. */
static const char *spelling(const char *at, size_t *length)
{
    *length = 1;
    switch (*at) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r': /* a bare one would be read as a newline */
        return "&#13;";
    case '\n':
    case '\t':
        return NULL;
    default:
        break;
    }
    if ((unsigned char)*at < 0x20)
        return REPLACEMENT;
    if (strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0) {
        *length = 3;
        return REPLACEMENT;
    }
    return NULL;
}

static void write_text(struct buffer *out, const char *text)
{
    while (*text != '\0') {
        size_t length;
        const char *spelled = spelling(text, &length);

        if (spelled)
            buffer_append(out, spelled);
        else
            buffer_append_bytes(out, text, length);
        text += length;
    }
}

void envelope_begin(struct buffer *out, const char *name_space, const char *message)
{
    buffer_append(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<soap:Envelope xmlns:soap=\"" SOAP_NAMESPACE "\"><soap:Body>");
    buffer_append_format(out, "<%s xmlns=\"%s\">", message, name_space);
}

void envelope_end(struct buffer *out, const char *message)
{
    buffer_append_format(out, "</%s></soap:Body></soap:Envelope>\n", message);
}

void soap_field_begin(struct buffer *out, const char *name)
{
    buffer_append_format(out, "<%s>", name);
}

void soap_field_end(struct buffer *out, const char *name)
{
    buffer_append_format(out, "</%s>", name);
}

void soap_field_text(struct buffer *out, const char *name, const char *text)
{
    soap_field_begin(out, name);
    write_text(out, text);
    soap_field_end(out, name);
}

void soap_field_integer(struct buffer *out, const char *name, int64_t number)
{
    soap_field_begin(out, name);
    buffer_append_integer(out, number);
    soap_field_end(out, name);
}

void soap_field_boolean(struct buffer *out, const char *name, bool value)
{
    soap_field_text(out, name, value ? "true" : "false");
}

void soap_field_id(struct buffer *out, const char *name, struct id id)
{
    soap_field_text(out, name, id_text(id).text);
}

void envelope_fault(struct buffer *out, const char *code, const char *text, const char *detail)
{
    buffer_append(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<soap:Envelope xmlns:soap=\"" SOAP_NAMESPACE "\"><soap:Body>"
                       "<soap:Fault>");
    buffer_append_format(out, "<faultcode>soap:%s</faultcode>", code);
    soap_field_text(out, "faultstring", text);
    soap_field_begin(out, "detail");
    soap_field_text(out, "code", detail);
    soap_field_end(out, "detail");
    buffer_append(out, "</soap:Fault></soap:Body></soap:Envelope>\n");
}
