#include "shared/http/client.h"

#include <curl/curl.h>

/* Whoever does not take a connection within this time is away, however long the deadline. */
enum { CONNECT_MS = 2000 };

/* Servers close idle connections; one that was idle for longer is not tried. */
enum { IDLE_MAX_S = 30 };

struct client {
    CURL *curl;
    size_t preferred; /* the origin that took the last request */
};

/* What the library writes to while it works. */
struct inbox {
    struct buffer *answer;
    size_t max;
    bool overflowed;
};

bool client_library_start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct client *client_create(void)
{
    struct client *client = memory_allocate_zeroed(1, sizeof(*client));

    client->curl = curl_easy_init();
    assert(client->curl); /* fails only without memory, or before client_library_start() */
    return client;
}

void client_destroy(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

/* The library's callback: anything but the whole length ends the exchange. */
static size_t receive(char *bytes, size_t size, size_t count, void *ctx)
{
    struct inbox *inbox = ctx;
    size_t length = size * count;

    if (length > inbox->max - inbox->answer->length) {
        inbox->overflowed = true;
        return 0;
    }
    buffer_append_bytes(inbox->answer, bytes, length);
    return length;
}

static void release_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static void add_header(struct curl_slist **list, const char *name, const char *value)
{
    AUTO(buffer_release) struct buffer line = BUFFER_EMPTY;

    if (!value || value[0] == '\0')
        return;
    assert(!strpbrk(value, "\r\n"));
    buffer_append_format(&line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line.at);
    assert(longer);
    *list = longer;
}

/* A key goes bare where it can, because not everybody reads the quoted form. */
static void add_key(struct curl_slist **list, const char *key)
{
    AUTO(buffer_release) struct buffer quoted = BUFFER_EMPTY;

    if (!key || !strpbrk(key, "\"\\ ")) {
        add_header(list, "Idempotency-Key", key);
        return;
    }
    buffer_append(&quoted, "\"");
    for (; *key != '\0'; key++)
        buffer_append_format(&quoted, "%s%c", *key == '"' || *key == '\\' ? "\\" : "", *key);
    buffer_append(&quoted, "\"");
    add_header(list, "Idempotency-Key", quoted.at);
}

static const char *or_json(const char *type)
{
    return type ? type : "application/json";
}

static struct curl_slist *make_headers(const struct client_request *request)
{
    struct curl_slist *list = NULL;

    add_header(&list, "Accept", or_json(request->accept));
    if (request->body.length > 0)
        add_header(&list, "Content-Type", or_json(request->content_type));
    add_header(&list, "Authorization", request->authorization);
    add_header(&list, "traceparent", request->traceparent);
    add_key(&list, request->idempotency_key);
    for (size_t i = 0; i < CLIENT_HEADERS_MAX && request->headers[i].name; i++)
        add_header(&list, request->headers[i].name, request->headers[i].value);
    list = curl_slist_append(list, "Expect:"); /* no waiting for a 100 */
    assert(list);
    return list;
}

/* The options that keep a request from going where nobody sent it. */
static void set_limits(CURL *curl, struct deadline deadline)
{
    int left_ms = deadline_left_ms(deadline);

    if (left_ms == 0) /* to the library, that is for ever */
        left_ms = 1;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* the environment has no say */
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(left_ms < CONNECT_MS ? left_ms : CONNECT_MS));
}

static void set_request(CURL *curl, const struct client_request *request, const char *url,
                        struct curl_slist *headers, struct inbox *inbox)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, inbox);
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "GET") != 0) {
        /* a POST without a body announces its length, 0, too */
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.length > 0 ? request->body.at : "");
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

/* The kind says whether the other side may have read the request, and so acted on it. */
static bool explain(CURL *curl, const struct inbox *inbox, CURLcode code, struct error *err)
{
    long sent = 0;

    if (inbox->overflowed)
        return error_set(err, ERROR_UNKNOWN_OUTCOME, "answer_too_large",
                         "the answer has more than %zu bytes", inbox->max);
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent);
    if (sent == 0)
        return error_set(err, ERROR_UNAVAILABLE, "peer_unavailable", "%s",
                         curl_easy_strerror(code));
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, ERROR_DEADLINE, "peer_timeout", "nobody answered in time");
    return error_set(err, ERROR_UNKNOWN_OUTCOME, "peer_lost", "%s", curl_easy_strerror(code));
}

/* What the library makes of a number of seconds, or of a date. */
static int64_t retry_after(CURL *curl)
{
    curl_off_t seconds = 0;

    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds < 0)
        return 0;
    return seconds < CLIENT_RETRY_AFTER_MAX_S ? seconds : CLIENT_RETRY_AFTER_MAX_S;
}

/* Finds the origins in the text; their number. */
static size_t split_origins(const char *text, struct span out[CLIENT_ORIGINS_MAX])
{
    size_t count = 0;

    while (*text != '\0' && count < CLIENT_ORIGINS_MAX) {
        size_t length = strcspn(text, ",");

        out[count++] = (struct span){ .at = text, .length = length };
        text += length + (text[length] == ',');
    }
    return count;
}

/* One exchange with one origin. */
static bool ask(struct client *client, const struct client_request *request, struct span origin,
                int *status, struct buffer *answer, struct error *err)
{
    AUTO(release_list) struct curl_slist *headers = make_headers(request);
    AUTO(buffer_release) struct buffer url = BUFFER_EMPTY;
    struct inbox inbox = { .answer = answer, .max = request->answer_max };
    long answered = 0;

    buffer_clear(answer);
    buffer_append_span(&url, origin);
    buffer_append(&url, request->path);
    curl_easy_reset(client->curl); /* forgets options; connections are kept */
    set_limits(client->curl, request->deadline);
    set_request(client->curl, request, url.at, headers, &inbox);
    CURLcode code = curl_easy_perform(client->curl);
    if (code != CURLE_OK)
        return explain(client->curl, &inbox, code, err);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answered);
    *status = (int)answered;
    if (request->retry_after_s)
        *request->retry_after_s = retry_after(client->curl);
    return true;
}

bool client_send(struct client *client, const struct client_request *request, int *status,
                 struct buffer *answer, struct error *err)
{
    struct span origins[CLIENT_ORIGINS_MAX];
    size_t count = split_origins(request->origins, origins);

    error_set(err, ERROR_UNAVAILABLE, "peer_unavailable", "nobody is named to be asked");
    for (size_t tried = 0; tried < count; tried++) {
        client->preferred %= count;
        if (deadline_passed(request->deadline))
            return error_set(err, ERROR_UNAVAILABLE, "peer_unavailable", "no time was left to ask");
        if (ask(client, request, origins[client->preferred], status, answer, err))
            return true;
        if (err->kind != ERROR_UNAVAILABLE) /* it was sent: it may have had its effect */
            return false;
        client->preferred++;
    }
    return false;
}
