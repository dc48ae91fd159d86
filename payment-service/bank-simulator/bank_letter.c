#include "payment-service/bank-simulator/bank_letter.h"

#include "shared/crypto/hash.h"
#include "shared/http/client_pool.h"
#include "shared/http/webhook.h"
#include "shared/runtime/log.h"

/* What the other side answers is not read, beyond its status. */
enum { ANSWER_MAX = 65536, ORIGIN_SIZE = 512 };

struct letters {
    char origin[ORIGIN_SIZE]; /* "http://127.0.0.1:8082" */
    const char *path;         /* with its placeholders */
    const char *secret;
    char forged_secret[64];
    struct client_pool *clients;
};

/* Splits "scheme://host:port/path". */
static bool split_url(const char *url, struct letters *out)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;

    if (!path || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
        return false;
    out->path = path;
    return text_copy_span(out->origin, sizeof(out->origin),
                          (struct span){ url, (size_t)(path - url) });
}

/* Good to sign with, and nobody's. */
static void make_forged_secret(char *out, size_t size)
{
    struct digest random;

    random_fill(&random, sizeof(random));
    text_format(out, size, "whsec_%.32s", digest_text(random).text);
}

bool letters_create(const char *url, const char *secret, struct letters **out, struct error *err)
{
    struct letters *letters = memory_allocate_zeroed(1, sizeof(*letters));
    bool well = split_url(url, letters);

    if (!well)
        error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                  "WEBHOOK_URL: must be an http address with a path");
    else if (!webhook_secret_check(secret))
        well = error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                         "WEBHOOK_SECRET: must be whsec_ and base64 of 24 to 64 bytes");
    if (!well) {
        free(letters);
        return false;
    }
    letters->secret = secret;
    make_forged_secret(letters->forged_secret, sizeof(letters->forged_secret));
    letters->clients = client_pool_create(LETTERS_MAX);
    *out = letters;
    return true;
}

void letters_destroy(struct letters *letters)
{
    if (!letters)
        return;
    client_pool_destroy(letters->clients);
    explicit_bzero(letters->forged_secret, sizeof(letters->forged_secret));
    free(letters);
}

/* The path with its placeholders filled in; bank and account need no encoding. */
static void write_path(const struct letters *letters, const struct bank_place *place,
                       struct buffer *out)
{
    static const char bank[] = "{bank}", account[] = "{account}";

    for (const char *at = letters->path; *at != '\0';) {
        if (strncmp(at, bank, sizeof(bank) - 1) == 0) {
            buffer_append(out, place->bank->name);
            at += sizeof(bank) - 1;
        } else if (strncmp(at, account, sizeof(account) - 1) == 0) {
            buffer_append(out, place->account);
            at += sizeof(account) - 1;
        } else {
            buffer_append_bytes(out, at++, 1);
        }
    }
}

static int send(struct letters *letters, const struct client_request *request)
{
    AUTO(buffer_release) struct buffer answer = BUFFER_EMPTY;
    struct error err;
    int status = 0;

    if (client_pool_send(letters->clients, request, &status, &answer, &err))
        return status;
    log_swallowed(LOG_LEVEL_DEBUG, "webhook not taken", &err);
    return 0;
}

int letters_post(struct letters *letters, const struct letter *letter)
{
    AUTO(buffer_release) struct buffer path = BUFFER_EMPTY;
    char timestamp[24], signature[WEBHOOK_SIGNATURE_SIZE];
    struct id_text id = id_text(letter->id);
    int64_t at_s = letter->at.ms / 1000;

    write_path(letters, letter->place, &path);
    text_format(timestamp, sizeof(timestamp), "%lld", (long long)at_s);
    webhook_sign(letter->forged ? letters->forged_secret : letters->secret, id.text, at_s,
                 letter->body, signature);
    return send(letters, &(struct client_request){
                             .method = "POST",
                             .origins = letters->origin,
                             .path = path.at,
                             .body = letter->body,
                             .content_type = letter->content_type,
                             .headers = { { "webhook-id", id.text },
                                          { "webhook-timestamp", timestamp },
                                          { "webhook-signature", signature } },
                             .answer_max = ANSWER_MAX,
                             .deadline = deadline_in_ms(LETTER_MS),
                         });
}
