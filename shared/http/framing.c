#include "shared/http/framing.h"

#include <strings.h>

#include "shared/base/text.h"

/* A longer Content-Length is beyond any limit we could have; it need not be read as a number. */
enum { LENGTH_DIGITS_MAX = 10 };

/* Headers of which a second one would change what the first one said. */
static const char *const singular[] = {
    "Authorization", "Content-Length",  "Content-Type", "Expect",
    "Host",          "Idempotency-Key", "If-Match",     "Transfer-Encoding",
};

const char *head_find(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (strcasecmp(head->headers[i].name, name) == 0)
            return head->headers[i].value;
    return NULL;
}

size_t head_count(const struct head *head, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < head->header_count; i++)
        count += strcasecmp(head->headers[i].name, name) == 0;
    return count;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

bool header_has_word(const char *value, const char *word)
{
    size_t length = strlen(word);

    while (value && *value != '\0') {
        while (is_blank(*value) || *value == ',')
            value++;
        const char *end = value + strcspn(value, ", \t");
        if ((size_t)(end - value) == length && strncasecmp(value, word, length) == 0)
            return true;
        value = end;
    }
    return false;
}

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

static bool check_names(const struct head *head, struct error *err)
{
    if (head->header_count >= HEAD_HEADERS_MAX)
        return error_set(err, ERROR_HEADERS_TOO_LARGE, "headers_too_many",
                         "A request has at most %d headers.", HEAD_HEADERS_MAX - 1);
    for (size_t i = 0; i < head->header_count; i++)
        if (!is_token(head->headers[i].name))
            return error_set(err, ERROR_MALFORMED, "header_malformed",
                             "A header's name has characters that a name cannot have.");
    for (size_t i = 0; i < COUNT_OF(singular); i++)
        if (head_count(head, singular[i]) > 1)
            return error_set(err, ERROR_MALFORMED, "header_repeated",
                             "The header %s is there more than once.", singular[i]);
    return true;
}

/* RFC 9112, section 3.2: one Host with 1.1, and nothing in it that a host and port cannot have. */
static bool check_host(const struct head *head, struct error *err)
{
    static const char allowed[] = "-._~%!$&'()*+;=:[]0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *host = head_find(head, "Host");

    if (!host) {
        if (strcmp(head->version, "1.0") == 0)
            return true;
        return error_set(err, ERROR_MALFORMED, "host_missing", "The header Host is missing.");
    }
    size_t length = strspn(host, allowed);
    if (host[length + strspn(host + length, " \t")] != '\0')
        return error_set(err, ERROR_MALFORMED, "host_malformed", "The header Host is malformed.");
    return true;
}

static bool read_length(const char *text, int64_t *out, struct error *err)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits + strspn(text + digits, " \t")] != '\0')
        return error_set(err, ERROR_MALFORMED, "content_length_malformed",
                         "Content-Length is not a number.");
    *out = INT64_MAX;
    if (digits <= LENGTH_DIGITS_MAX && !number_parse((struct span){ text, digits }, out))
        return error_set(err, ERROR_MALFORMED, "content_length_malformed",
                         "Content-Length is not a number.");
    return true;
}

static bool check_coding(const struct head *head, const char *coding, struct error *err)
{
    if (strcmp(head->version, "1.0") == 0 || head_find(head, "Content-Length"))
        return error_set(err, ERROR_MALFORMED, "framing_ambiguous",
                         "Transfer-Encoding is for HTTP/1.1, and without Content-Length.");
    if (strcasecmp(coding, "chunked") != 0)
        return error_set(err, ERROR_NOT_IMPLEMENTED, "transfer_encoding_unknown",
                         "The only transfer coding spoken here is chunked.");
    return true;
}

static bool read_body_length(const struct head *head, struct framing *framing, struct error *err)
{
    const char *coding = head_find(head, "Transfer-Encoding");
    const char *length = head_find(head, "Content-Length");

    if (coding) {
        framing->chunked = true;
        return check_coding(head, coding, err);
    }
    return !length || read_length(length, &framing->length, err);
}

static bool read_expectation(const struct head *head, struct framing *framing, struct error *err)
{
    const char *expectation = head_find(head, "Expect");

    if (!expectation)
        return true;
    if (strcasecmp(expectation, "100-continue") != 0)
        return error_set(err, ERROR_MALFORMED, "expectation_unknown",
                         "The only expectation known here is 100-continue.");
    framing->expects_continue = strcmp(head->version, "1.0") != 0; /* 1.0 cannot read a 100 */
    return true;
}

/* An upgrade is never made, and the library closes after a request for one. */
static bool wants_more(const struct head *head)
{
    const char *connection = head_find(head, "Connection");

    if (head_count(head, "Connection") > 1 || head_find(head, "Upgrade"))
        return false;
    if (!connection)
        return strcmp(head->version, "1.0") != 0;
    return header_has_word(connection, "keep-alive") && !header_has_word(connection, "close");
}

bool framing_read(const struct head *head, struct framing *out, struct error *err)
{
    struct framing framing = { .keeps_alive = wants_more(head) };

    if (!check_names(head, err) || !check_host(head, err) ||
        !read_body_length(head, &framing, err) || !read_expectation(head, &framing, err))
        return false;
    *out = framing;
    return true;
}

/* Between a name and its value the library left the colon as a NUL: a second one was a blank. */
static bool has_blank_before_colon(const struct header *header)
{
    for (const char *at = header->name + strlen(header->name) + 1; at < header->value; at++)
        if (*at == '\0')
            return true;
    return false;
}

/* What two line ends come to: CR LF CR LF. */
enum { END_LENGTH = 4 };

/*
 * Behind a value the library left CR LF as two NULs, and then comes the next header, or the CR of
 * the empty line (whose LF it also made a NUL). Anything else is where it stopped to read, and less
 * than that is a head of line feeds that fills the buffer.
 */
static bool ends_cleanly(const struct head *head, size_t index)
{
    const char *end = head->headers[index].value + strlen(head->headers[index].value);

    if (head->limit - end < END_LENGTH || end[1] != '\0')
        return false;
    if (index + 1 < head->header_count)
        return head->headers[index + 1].name == end + 2;
    return end[2] == '\r' && end[3] == '\0';
}

/*
 * The first header follows CR LF. Where the library saw none it may have met a byte that begins no
 * name, and taken all the headers for the end of them: an empty line is four NULs.
 */
static bool ends_plainly(const struct head *head)
{
    static const char empty_line[END_LENGTH];
    const char *end = head->version + strlen(head->version);

    if (head->header_count > 0)
        return head->headers[0].name == end + 2;
    return head->limit - end >= END_LENGTH && memcmp(end, empty_line, END_LENGTH) == 0;
}

/* Method, target and version are apart by one blank. */
static bool has_plain_first_line(const struct head *head)
{
    static const char protocol[] = "HTTP/";
    const char *end = head->query ? head->query : head->target;

    return head->target == head->method + strlen(head->method) + 1 &&
           head->version == end + strlen(end) + 1 + strlen(protocol) && ends_plainly(head);
}

bool framing_check_lines(const struct head *head, struct error *err)
{
    if (!has_plain_first_line(head))
        return error_set(err, ERROR_MALFORMED, "request_line_malformed",
                         "The first line is method, target and version, apart by one blank.");
    for (size_t i = 0; i < head->header_count; i++)
        if (has_blank_before_colon(&head->headers[i]) || !ends_cleanly(head, i))
            return error_set(err, ERROR_MALFORMED, "header_malformed",
                             "Each header stands on one line that ends with CR LF, and no blank is "
                             "before its colon.");
    return true;
}

size_t framing_head_length(const struct head *head)
{
    const char *last =
        head->header_count > 0 ? head->headers[head->header_count - 1].value : head->version;

    return (size_t)(last - head->method) + strlen(last) + strlen("\r\n\r\n");
}

bool framing_has_body(const struct framing *framing)
{
    return framing->chunked || framing->length > 0;
}
