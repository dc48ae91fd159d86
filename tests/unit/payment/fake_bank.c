#include "tests/unit/payment/fake_bank.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/http/webhook.h"
#include "tests/unit/patience.h"
#include "tests/unit/table.h"

enum { REQUEST_MAX = 16384, WAIT_MS = 5000, BACKLOG = 16 };

struct fake_bank {
    int listener;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex;
    const struct fake_answer *answer;
    char heard[REQUEST_MAX];
    atomic_bool stopped;
};

/* Bytes of the request whose head is at `text`, as far as that is known; 0: not yet. */
static size_t whole_length(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    int64_t number = 0;

    if (!body)
        return 0;
    if (length && length < body) {
        length += strlen("\r\nContent-Length: ");
        assert(number_parse((struct span){ length, strcspn(length, "\r") }, &number));
    }
    return (size_t)(body + 4 - text) + (size_t)number;
}

static void hear(struct fake_bank *bank, int wire)
{
    char text[REQUEST_MAX];
    size_t length = 0;

    text[0] = '\0';
    while (whole_length(text) == 0 || length < whole_length(text)) {
        ssize_t got = recv(wire, text + length, sizeof(text) - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
    }
    pthread_mutex_lock(&bank->mutex);
    text_copy(bank->heard, sizeof(bank->heard), text);
    pthread_mutex_unlock(&bank->mutex);
}

static bool say(int wire, struct span text)
{
    while (text.length > 0) {
        ssize_t sent = send(wire, text.at, text.length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text.at += sent;
        text.length -= (size_t)sent;
    }
    return true;
}

/* The whole answer, or what there is of it before it is cut. */
static void say_answer(int wire, const struct fake_answer *answer)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    const char *body = answer->body ? answer->body : "";

    buffer_append_format(&text, "HTTP/1.1 %d Whatever\r\nConnection: close\r\n%s", answer->status,
                         answer->headers ? answer->headers : "");
    if (answer->behaviour != BANK_CUTS_HEAD) {
        buffer_append_format(&text, "Content-Length: %zu\r\n\r\n", strlen(body));
        buffer_append_bytes(&text, body,
                            strlen(body) / (answer->behaviour == BANK_CUTS_BODY ? 2 : 1));
    }
    say(wire, buffer_span(&text));
}

/* Until the other side closes. */
static void say_without_end(int wire)
{
    static const char blanks[] = "                                                              ";

    say(wire, span_of("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
    while (say(wire, span_of(blanks)))
        ;
}

static void wait_for_end(int wire)
{
    struct pollfd pollfd = { .fd = wire, .events = POLLIN };
    char byte;

    while (poll(&pollfd, 1, (int)patience_ms(WAIT_MS)) == 1 && recv(wire, &byte, 1, 0) > 0)
        ;
}

/* Closes with a reset: what was sent to us was not read. */
static void reset(int wire)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    char byte;

    assert(recv(wire, &byte, 1, MSG_PEEK) >= 0);
    setsockopt(wire, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void behave(struct fake_bank *bank, int wire, const struct fake_answer *answer)
{
    if (answer->behaviour == BANK_RESETS) {
        reset(wire);
        return;
    }
    hear(bank, wire);
    switch (answer->behaviour) {
    case BANK_IS_SILENT:
        wait_for_end(wire);
        break;
    case BANK_NEVER_ENDS:
        say_without_end(wire);
        break;
    case BANK_SPEAKS_NONSENSE:
        say(wire, span_of("220 mail is here\r\n"));
        break;
    case BANK_HANGS_UP:
    case BANK_RESETS:
        break;
    case BANK_ANSWERS:
    case BANK_CUTS_HEAD:
    case BANK_CUTS_BODY:
        say_answer(wire, answer);
        break;
    }
}

static void *serve(void *ctx)
{
    struct fake_bank *bank = ctx;

    while (!bank->stopped) {
        int wire = accept(bank->listener, NULL, NULL);
        if (wire < 0)
            continue;
        pthread_mutex_lock(&bank->mutex);
        const struct fake_answer *answer = bank->answer;
        pthread_mutex_unlock(&bank->mutex);
        if (answer)
            behave(bank, wire, answer);
        close(wire);
    }
    return NULL;
}

struct fake_bank *fake_bank_start(void)
{
    struct fake_bank *bank = memory_allocate_zeroed(1, sizeof(*bank));
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);

    bank->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(bind(bank->listener, (struct sockaddr *)&address, length) == 0);
    assert(listen(bank->listener, BACKLOG) == 0);
    assert(getsockname(bank->listener, (struct sockaddr *)&address, &length) == 0);
    bank->port = ntohs(address.sin_port);
    pthread_mutex_init(&bank->mutex, NULL);
    assert(pthread_create(&bank->thread, NULL, serve, bank) == 0);
    return bank;
}

void fake_bank_stop(struct fake_bank *bank)
{
    bank->stopped = true;
    shutdown(bank->listener, SHUT_RDWR);
    pthread_join(bank->thread, NULL);
    close(bank->listener);
    pthread_mutex_destroy(&bank->mutex);
    free(bank);
}

void fake_bank_tell(struct fake_bank *bank, const struct fake_answer *answer)
{
    pthread_mutex_lock(&bank->mutex);
    bank->answer = answer;
    bank->heard[0] = '\0';
    pthread_mutex_unlock(&bank->mutex);
}

const char *fake_bank_heard(struct fake_bank *bank)
{
    /* whoever asks has its answer: nobody writes */
    pthread_mutex_lock(&bank->mutex);
    const char *heard = bank->heard;
    pthread_mutex_unlock(&bank->mutex);
    return heard;
}

struct gateway nobody_gateway(const struct gateway_protocol *protocol, struct client_pool *clients)
{
    return (struct gateway){
        .name = "bank-x",
        .protocol = protocol,
        .origins = "http://127.0.0.1:1",
        .path = "/bank-x/v1",
        .authorization = "Bearer key-of-bank-x",
        .webhook_secret_count = 2,
        .webhook_secrets = { HOOK_SECRET, HOOK_OLD },
        .all_currencies = true,
        .amount_min = 1,
        .amount_max = INT64_MAX,
        .takes_cards = true,
        .takes_transfers = true,
        .timeouts = { 2000, 2000, 2000, 2000, 2000 },
        .clients = clients,
    };
}

struct gateway fake_gateway(const struct fake_bank *bank, const struct gateway_protocol *protocol,
                            struct client_pool *clients)
{
    struct gateway gateway = nobody_gateway(protocol, clients);

    text_format(gateway.origins, sizeof(gateway.origins), "http://127.0.0.1:%d", bank->port);
    return gateway;
}

static struct id id_of(const char *text)
{
    struct id id;

    assert(id_parse(text, &id));
    return id;
}

struct gateway_call fake_call(enum gateway_operation operation)
{
    static const struct card card = { .number = CARD_NUMBER,
                                      .cvc = "012",
                                      .exp_month = 12,
                                      .exp_year = 2030,
                                      .name = "Anna <\"&\x01\xc3\x84>" };

    return (struct gateway_call){
        .operation = operation,
        .reference = id_of(REFERENCE),
        .target = id_of(TARGET),
        .account = "demo",
        .money = { 13700, EUR },
        .capture = true,
        .card = operation == GATEWAY_AUTHORIZE ? &card : NULL,
        .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        .deadline = patience_deadline(3000),
    };
}

struct gateway_webhook fake_webhook_signed(const char *content_type, const char *body,
                                           const char *secret, int64_t age_s)
{
    static char signature[WEBHOOK_SIGNATURE_SIZE], timestamp[24];
    struct instant now = clock_now();
    int64_t at_s = now.ms / 1000 - age_s;

    text_format(timestamp, sizeof(timestamp), "%lld", (long long)at_s);
    webhook_sign(secret, "msg_1", at_s, span_of(body), signature);
    return (struct gateway_webhook){ .account = "demo",
                                     .content_type = content_type,
                                     .id = "msg_1",
                                     .timestamp = timestamp,
                                     .signature = signature,
                                     .body = span_of(body),
                                     .now = now };
}

struct gateway_webhook fake_webhook(const char *content_type, const char *body)
{
    return fake_webhook_signed(content_type, body, HOOK_SECRET, 0);
}
