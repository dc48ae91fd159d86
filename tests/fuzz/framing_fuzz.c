/*
 * The head of a request. civetweb keeps its parser to itself, so the target cuts the bytes up in
 * place as that does: words and values end with a NUL, and what a lenient reader skips is skipped.
 * What the framing then takes has to be what a strict reader would have read (RFC 9112).
 */
#include "shared/http/framing.h"

#include <ctype.h>

#include "tests/fuzz/fuzz.h"

/* Ends the word at `at` and moves to the next one; false where the word does not end so. */
static bool cut_word(char **at, const char *ends)
{
    while ((unsigned char)**at > ' ')
        (*at)++;
    if (**at == '\0' || !strchr(ends, **at))
        return false;
    do
        *(*at)++ = '\0';
    while (isspace((unsigned char)**at));
    return true;
}

static bool cut_first_line(char **at, struct head *head)
{
    head->method = *at;
    if (!cut_word(at, " "))
        return false;
    head->target = *at;
    if (!cut_word(at, " "))
        return false;
    head->version = *at + strlen("HTTP/");
    if (strncmp(*at, "HTTP/", strlen("HTTP/")) != 0 || !cut_word(at, "\r\n"))
        return false;
    char *query = strchr(head->target, '?');
    if (query) {
        *query = '\0';
        head->query = query + 1;
    }
    return true;
}

static bool is_name_character(char character)
{
    return character > ' ' && character <= '~' && character != ':';
}

static bool cut_header(char **at, struct header *out)
{
    char *end = *at;

    while (is_name_character(*end))
        end++;
    while (*end == ' ')
        *end++ = '\0';
    if (*end != ':')
        return false;
    *end++ = '\0';
    *out = (struct header){ *at, end + strspn(end, " \t") };
    end += strcspn(end, "\r\n");
    if (*end == '\r') {
        *end++ = '\0';
        if (*end != '\n')
            return false;
    }
    if (*end == '\n')
        *end++ = '\0';
    *at = end;
    return true;
}

static bool cut_headers(char *at, struct head *head)
{
    while (head->header_count < HEAD_HEADERS_MAX && is_name_character(*at))
        if (!cut_header(&at, &head->headers[head->header_count++]))
            return false;
    return true;
}

/* Where the head ends, behind its empty line; 0 when it does not, or has control characters. */
static size_t head_length(struct span input)
{
    for (size_t i = 0; i < input.length; i++) {
        char character = input.at[i];

        if (iscntrl((unsigned char)character) && character != '\r' && character != '\n')
            return 0;
        if (character == '\n' && i >= 1 && input.at[i - 1] == '\n')
            return i + 1;
        if (character == '\n' && i >= 3 && memcmp(input.at + i - 3, "\r\n\r", 3) == 0)
            return i + 1;
    }
    return 0;
}

/*
 * Behind the first line the library tells how much white space it skipped, not which: what stands
 * in for CR LF there, or for an empty line, can not be seen.
 */
static bool is_told(const struct head *head, struct span original)
{
    size_t end = (size_t)(head->version + strlen(head->version) - head->method);
    size_t skipped = 0;

    while (end + skipped < original.length && isspace((unsigned char)original.at[end + skipped]))
        skipped++;
    struct span space = { original.at + end, skipped };
    if (head->header_count > 0)
        return skipped != 2 || span_equal(space, span_of("\r\n"));
    return skipped < 4 || span_equal(space, span_of("\r\n\r\n"));
}

/* The lines of the head end with CR LF, and the last one is empty: what was cut off counts. */
static void check_strict(struct span head)
{
    for (size_t i = 0; i < head.length; i++)
        if (head.at[i] == '\n')
            assert(i > 0 && head.at[i - 1] == '\r');
    assert(head.length > 4 && memcmp(head.at + head.length - 4, "\r\n\r\n", 4) == 0);
}

static void check_framing(const struct head *head, struct span original)
{
    struct framing framing;
    struct error err;

    if (!framing_read(head, &framing, &err) || !framing_check_lines(head, &err)) {
        assert(err.kind == ERROR_NOT_IMPLEMENTED || error_status(err.kind) < 500);
        return;
    }
    if (!is_told(head, original))
        return;
    check_strict(original);
    assert(framing_head_length(head) == original.length);
    assert(head_count(head, "Content-Length") <= 1 && head_count(head, "Host") <= 1);
    assert(!framing.chunked || !head_find(head, "Content-Length"));
    assert(framing_has_body(&framing) == (framing.chunked || framing.length > 0));
}

void fuzz(struct span input)
{
    struct head head = { .header_count = 0 };
    size_t length = head_length(input);

    if (length == 0 || isspace((unsigned char)input.at[0]))
        return;
    char *buffer = memory_allocate(length);
    char *at = buffer;
    head.limit = buffer + length;
    memcpy(buffer, input.at, length);
    buffer[length - 1] = '\0';
    if (cut_first_line(&at, &head) && cut_headers(at, &head))
        check_framing(&head, (struct span){ input.at, length });
    free(buffer);
}
