#include "shared/http/framing.h"

#include "shared/base/text.h"
#include "tests/unit/table.h"

#define HOST                \
    {                       \
        "Host", "shop:8080" \
    }

/* A head in HTTP/1.1 unless `version` says otherwise; headers end with a NULL name. */
static const struct row {
    const char *label;
    const char *version;
    struct header headers[5];
    const char *code; /* NULL: it is read as follows */
    struct framing framing;
} rows[] = {
    { "no body is announced", "1.1", { HOST }, NULL, { .keeps_alive = true } },
    { "a length is read",
      "1.1",
      { HOST, { "content-length", "42" } },
      NULL,
      { .length = 42, .keeps_alive = true } },
    { "a length of nothing is none",
      "1.1",
      { HOST, { "Content-Length", "0" } },
      NULL,
      { .length = 0, .keeps_alive = true } },
    { "a length may begin with zeros",
      "1.1",
      { HOST, { "Content-Length", "0000000042" } },
      NULL,
      { .length = 42, .keeps_alive = true } },
    { "blanks behind a length are none of it",
      "1.1",
      { HOST, { "Content-Length", "42 \t" } },
      NULL,
      { .length = 42, .keeps_alive = true } },
    { "ten digits are a number",
      "1.1",
      { HOST, { "Content-Length", "9999999999" } },
      NULL,
      { .length = 9999999999, .keeps_alive = true } },
    { "eleven digits are too long, whatever they say",
      "1.1",
      { HOST, { "Content-Length", "00000000001" } },
      NULL,
      { .length = INT64_MAX, .keeps_alive = true } },
    { "a length with a sign is malformed",
      "1.1",
      { HOST, { "Content-Length", "+5" } },
      "content_length_malformed",
      { 0 } },
    { "a length in hexadecimal is malformed",
      "1.1",
      { HOST, { "Content-Length", "0x5" } },
      "content_length_malformed",
      { 0 } },
    { "a length with a tail is malformed",
      "1.1",
      { HOST, { "Content-Length", "5abc" } },
      "content_length_malformed",
      { 0 } },
    { "a length with a blank inside is malformed",
      "1.1",
      { HOST, { "Content-Length", "5 5" } },
      "content_length_malformed",
      { 0 } },
    { "an empty length is malformed",
      "1.1",
      { HOST, { "Content-Length", "" } },
      "content_length_malformed",
      { 0 } },
    { "a length twice is refused",
      "1.1",
      { HOST, { "Content-Length", "5" }, { "CONTENT-LENGTH", "5" } },
      "header_repeated",
      { 0 } },
    { "chunks are known",
      "1.1",
      { HOST, { "Transfer-Encoding", "Chunked" } },
      NULL,
      { .chunked = true, .keeps_alive = true } },
    { "another coding is not",
      "1.1",
      { HOST, { "Transfer-Encoding", "deflate" } },
      "transfer_encoding_unknown",
      { 0 } },
    { "chunks and another coding are not",
      "1.1",
      { HOST, { "Transfer-Encoding", "chunked, chunked" } },
      "transfer_encoding_unknown",
      { 0 } },
    { "chunks and a length are ambiguous",
      "1.1",
      { HOST, { "Transfer-Encoding", "chunked" }, { "Content-Length", "5" } },
      "framing_ambiguous",
      { 0 } },
    { "chunks are not for 1.0",
      "1.0",
      { { "Transfer-Encoding", "chunked" } },
      "framing_ambiguous",
      { 0 } },
    { "a host is needed", "1.1", { { "A", "b" } }, "host_missing", { 0 } },
    { "an empty host is one", "1.1", { { "Host", "" } }, NULL, { .keeps_alive = true } },
    { "a host may be an address",
      "1.1",
      { { "Host", "[::1]:8081" } },
      NULL,
      { .keeps_alive = true } },
    { "a host is no path", "1.1", { { "Host", "a/b" } }, "host_malformed", { 0 } },
    { "a host is no user", "1.1", { { "Host", "a@b" } }, "host_malformed", { 0 } },
    { "two hosts are refused", "1.1", { HOST, HOST }, "header_repeated", { 0 } },
    { "1.0 needs no host and is closed", "1.0", { { "A", "b" } }, NULL, { .keeps_alive = false } },
    { "1.0 is kept when it asks",
      "1.0",
      { { "Connection", "Keep-Alive" } },
      NULL,
      { .keeps_alive = true } },
    { "1.1 is closed when it asks", "1.1", { HOST, { "Connection", "close" } }, NULL, { 0 } },
    { "close wins over keep-alive",
      "1.1",
      { HOST, { "Connection", "keep-alive, close" } },
      NULL,
      { 0 } },
    { "an upgrade is closed",
      "1.1",
      { HOST, { "Connection", "keep-alive, Upgrade" }, { "Upgrade", "websocket" } },
      NULL,
      { 0 } },
    { "two Connection headers are closed",
      "1.1",
      { HOST, { "Connection", "keep-alive" }, { "Connection", "TE" } },
      NULL,
      { 0 } },
    { "100-continue is understood",
      "1.1",
      { HOST, { "Expect", "100-Continue" } },
      NULL,
      { .expects_continue = true, .keeps_alive = true } },
    { "1.0 cannot read a 100", "1.0", { { "Expect", "100-continue" } }, NULL, { 0 } },
    { "other expectations are refused",
      "1.1",
      { HOST, { "Expect", "200-ok" } },
      "expectation_unknown",
      { 0 } },
    { "two keys are refused",
      "1.1",
      { HOST, { "Authorization", "a" }, { "authorization", "a" } },
      "header_repeated",
      { 0 } },
    { "two idempotency keys are refused",
      "1.1",
      { HOST, { "Idempotency-Key", "a" }, { "Idempotency-Key", "b" } },
      "header_repeated",
      { 0 } },
    { "two types are refused",
      "1.1",
      { HOST, { "Content-Type", "application/json" }, { "Content-Type", "text/plain" } },
      "header_repeated",
      { 0 } },
    { "a name with a blank is refused",
      "1.1",
      { HOST, { "A b", "c" } },
      "header_malformed",
      { 0 } },
    { "a name with a slash is refused",
      "1.1",
      { HOST, { "A/b", "c" } },
      "header_malformed",
      { 0 } },
    { "an empty name is refused", "1.1", { HOST, { "", "c" } }, "header_malformed", { 0 } },
    { "other headers may be there twice",
      "1.1",
      { HOST, { "A", "b" }, { "A", "c" } },
      NULL,
      { .keeps_alive = true } },
};

static struct head make_head(const struct row *row)
{
    struct head head = { .method = "POST", .target = "/", .version = row->version };

    while (head.header_count < COUNT_OF(row->headers) && row->headers[head.header_count].name) {
        head.headers[head.header_count] = row->headers[head.header_count];
        head.header_count++;
    }
    return head;
}

static void check_row(void **state)
{
    static struct error err;
    const struct row *row = *state;
    struct head head = make_head(row);
    struct framing framing = { .length = 77 };

    assert_int_equal(framing_read(&head, &framing, &err), row->code == NULL);
    if (row->code) {
        assert_string_equal(err.code, row->code);
        assert_int_equal(framing.length, 77);
        return;
    }
    assert_int_equal(framing.chunked, row->framing.chunked);
    assert_int_equal(framing.length, row->framing.length);
    assert_int_equal(framing.keeps_alive, row->framing.keeps_alive);
    assert_int_equal(framing.expects_continue, row->framing.expects_continue);
    assert_int_equal(framing_has_body(&framing), framing.chunked || framing.length > 0);
}

static const struct word_row {
    const char *label;
    const char *value;
    bool has;
} word_rows[] = {
    { "the word alone is there", "close", true },
    { "case does not matter", "CLOSE", true },
    { "it may be one of several", "a ,\tclose, b", true },
    { "a longer word is another one", "closed", false },
    { "a shorter word is another one", "clos", false },
    { "nothing has no words", "", false },
    { "commas are no words", ",,", false },
    { "no header has none", NULL, false },
};

static void check_word(void **state)
{
    const struct word_row *row = *state;

    assert_int_equal(header_has_word(row->value, "close"), row->has);
}

/* The library's buffer: NULs where it cut, and how much of it there is. */
#define CUT(bytes)               \
    {                            \
        bytes, sizeof(bytes) - 1 \
    }
#define FIRST_LINE "GET\0/\0HTTP/1.1"

static const struct lines_row {
    const char *label;
    struct span buffer;
    size_t headers; /* of the one header "Host" that the library saw */
    bool taken;
} lines_rows[] = {
    { "lines that end with CR LF are taken", CUT(FIRST_LINE "\0\0Host\0 a\0\0\r\0"), 1, true },
    { "a last line that ends with LF is not", CUT(FIRST_LINE "\0\0Host\0 a\0\0\0"), 1, false },
    { "lines of LF that fill the buffer are not", CUT(FIRST_LINE "\0\0Host\0 a\0\0"), 1, false },
    { "a head without headers is taken", CUT(FIRST_LINE "\0\0\0\0"), 0, true },
    { "one of LF that fills the buffer is not", CUT(FIRST_LINE "\0\0"), 0, false },
    { "headers that the library did not see are not", CUT(FIRST_LINE "\0\0\xf6: a\r\n\r\0"), 0,
      false },
    { "nor behind a bare CR", CUT(FIRST_LINE "\0\xf6: a\r\n\r\0"), 0, false },
};

/* What is behind the buffer would be taken for CR and the empty line's end. */
static void check_lines(void **state)
{
    static struct error err;
    const struct lines_row *row = *state;
    char bytes[64] = "";
    struct head head = { .method = bytes, .target = bytes + 4, .version = bytes + 11 };

    memcpy(bytes, row->buffer.at, row->buffer.length);
    bytes[row->buffer.length] = row->headers > 0 ? '\r' : '\0';
    head.limit = bytes + row->buffer.length;
    head.header_count = row->headers;
    head.headers[0] = (struct header){ bytes + 16, bytes + 22 };
    assert_int_equal(framing_check_lines(&head, &err), row->taken);
    if (!row->taken)
        assert_int_equal(err.kind, ERROR_MALFORMED);
}

static void the_sixty_fourth_header_is_too_many(void **state)
{
    static struct error err;
    struct head head = { .method = "GET", .target = "/", .version = "1.1", .header_count = 63 };
    struct framing framing;

    (void)state;
    for (size_t i = 0; i < HEAD_HEADERS_MAX; i++)
        head.headers[i] = (struct header){ i == 0 ? "Host" : "A", "b" };
    assert_true(framing_read(&head, &framing, &err));
    head.header_count = 64;
    assert_false(framing_read(&head, &framing, &err));
    assert_int_equal(err.kind, ERROR_HEADERS_TOO_LARGE);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD_ROWS(&table, word_rows, check_word);
    TABLE_ADD_ROWS(&table, lines_rows, check_lines);
    TABLE_ADD(&table, the_sixty_fourth_header_is_too_many);
    return table_run(&table);
}
