#include "payment-service/gateway_config.h"

#include <errno.h>

#include "payment-service/gateway_json.h"
#include "payment-service/gateway_soap.h"
#include "shared/http/webhook.h"
#include "shared/json/json_reader.h"

/* Amounts beyond are no prices here (migrations/payments). */
static const int64_t AMOUNT_MOST = INT64_C(1000000000000000);

/* Milliseconds that a bank may be given for one operation; and of a breaker's window and pause. */
enum { TIMEOUT_MS_MAX = 60000, BREAKER_MS_MAX = 3600000 };

/* Calls and probes that a breaker may be told to wait for. */
enum { BREAKER_CALLS_MAX = 10000, BREAKER_PROBES_MAX = 100 };

/* Bytes of a file's name. */
enum { FILE_NAME_MAX = 500 };

#define KEY_PREFIX "Bearer "

static const struct gateway_protocol *const protocols[] = { &gateway_json, &gateway_soap };

static const char NAME_LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
static const char PATH_LETTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
static const char HOST_LETTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]";

static bool consists_of(struct span text, const char *letters)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] == '\0' || !strchr(letters, text.at[i]))
            return false;
    return text.length > 0;
}

/* A text of at most `size` - 1 bytes that consists of `letters`. */
static bool read_letters(struct json_reader *reader, const char *name, const char *letters,
                         char *out, size_t size)
{
    char text[4 * GATEWAY_URL_SIZE];

    if (!json_read_text(reader, name, JSON_REQUIRED, 1, size - 1, text, sizeof(text)))
        return false;
    if (!consists_of(span_of(text), letters)) {
        json_reader_refuse(reader, name, "not_allowed", "must consist of %s", letters);
        return false;
    }
    return text_copy(out, size, text);
}

static void read_protocol(struct json_reader *reader, struct gateway *out)
{
    const char *words[COUNT_OF(protocols)];
    size_t index;

    for (size_t i = 0; i < COUNT_OF(protocols); i++)
        words[i] = protocols[i]->name;
    if (json_read_choice(reader, "protocol", JSON_REQUIRED, words, COUNT_OF(words), &index))
        out->protocol = protocols[index];
}

/* One of "http://host:port"; nothing behind it. */
static bool is_origin(struct span text)
{
    static const char *const schemes[] = { "http://", "https://" };

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t length = strlen(schemes[i]);
        struct span host = { text.at + length, text.length - length };
        if (text.length > length && memcmp(text.at, schemes[i], length) == 0)
            return consists_of(host, HOST_LETTERS);
    }
    return false;
}

static bool are_origins(const char *text)
{
    for (size_t count = 1; count <= CLIENT_ORIGINS_MAX; count++) {
        size_t length = strcspn(text, ",");
        if (!is_origin((struct span){ text, length }))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
    return false;
}

static void read_place(struct json_reader *reader, struct gateway *out)
{
    char text[4 * sizeof(out->origins)];

    if (json_read_text(reader, "origins", JSON_REQUIRED, 1, sizeof(out->origins) - 1, text,
                       sizeof(text))) {
        if (are_origins(text))
            text_copy(out->origins, sizeof(out->origins), text);
        else
            json_reader_refuse(reader, "origins", "not_allowed",
                               "must be http://host:port, of at most %d instances with commas",
                               CLIENT_ORIGINS_MAX);
    }
    if (read_letters(reader, "path", PATH_LETTERS, out->path, sizeof(out->path)) &&
        (out->path[0] != '/' || strstr(out->path, "//") || strstr(out->path, "/.") ||
         out->path[strlen(out->path) - 1] == '/'))
        json_reader_refuse(reader, "path", "not_allowed",
                           "must begin with / and not end with it, without // and /.");
}

/* An array's element as text; NULL when it is none. */
static const char *text_at(struct json_value *array, size_t index)
{
    return json_value_text(json_array_at(array, index));
}

static bool has_currency(const struct gateway *gateway, struct currency currency)
{
    for (size_t i = 0; i < gateway->currency_count; i++)
        if (currency_equal(gateway->currencies[i], currency))
            return true;
    return false;
}

static void read_currency_list(struct json_reader *reader, struct gateway *out)
{
    struct json_value *array;
    struct currency currency;
    size_t count;

    if (!json_read_array(reader, "currencies", JSON_REQUIRED, 1, GATEWAY_CURRENCIES_MAX, &array,
                         &count))
        return;
    for (size_t i = 0; i < count; i++) {
        const char *code = text_at(array, i);
        if (!code || !currency_parse(code, &currency))
            json_reader_refuse(reader, "currencies", "currency_unknown",
                               "must be \"*\" or active codes of ISO 4217, not %s",
                               code ? code : "numbers");
        else if (has_currency(out, currency))
            json_reader_refuse(reader, "currencies", "repeated", "%s is there twice", code);
        else
            out->currencies[out->currency_count++] = currency;
    }
}

static void read_currencies(struct json_reader *reader, struct gateway *out)
{
    const char *text = json_value_text(json_read_value(reader, "currencies"));

    if (text && strcmp(text, "*") == 0)
        out->all_currencies = true;
    else
        read_currency_list(reader, out);
}

/* All, when nothing is said. */
static void read_methods(struct json_reader *reader, struct gateway *out)
{
    struct json_value *array;
    size_t count;

    out->takes_cards = out->takes_transfers = !json_has(reader, "methods");
    if (!json_read_array(reader, "methods", JSON_OPTIONAL, 1, 2, &array, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        const char *method = text_at(array, i);
        bool card = method && strcmp(method, "card") == 0;
        bool transfer = method && strcmp(method, "bank_transfer") == 0;
        if (!card && !transfer)
            json_reader_refuse(reader, "methods", "not_allowed",
                               "must be of card and bank_transfer");
        out->takes_cards |= card;
        out->takes_transfers |= transfer;
    }
}

static void read_amounts(struct json_reader *reader, struct gateway *out)
{
    out->amount_min = 1;
    out->amount_max = AMOUNT_MOST;
    json_read_integer(reader, "amount_min", JSON_OPTIONAL, 1, AMOUNT_MOST, &out->amount_min);
    json_read_integer(reader, "amount_max", JSON_OPTIONAL, 1, AMOUNT_MOST, &out->amount_max);
    if (out->amount_min > out->amount_max)
        json_reader_refuse(reader, "amount_max", "out_of_range", "must not be below amount_min");
}

static void close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file); /* it was only read */
}

/* One line, of what a header may hold. False, and recorded under `name`, when it is none. */
static bool read_secret(struct json_reader *reader, const char *name, const char *path, char *out,
                        size_t size)
{
    AUTO(close_file) FILE *file = fopen(path, "re");

    if (!file) {
        json_reader_refuse(reader, name, "file_unreadable", "cannot open %s: %s", path,
                           strerror(errno));
        return false;
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no second copy of a secret */
    size_t length = fread(out, 1, size, file);
    if (ferror(file)) {
        json_reader_refuse(reader, name, "file_unreadable", "cannot read %s", path);
        return false;
    }
    if (length > 0 && out[length - 1] == '\n')
        length--;
    if (length == size || length == 0 || memchr(out, '\0', length) ||
        text_has_control((struct span){ out, length })) {
        json_reader_refuse(reader, name, "file_unreadable",
                           "%s must hold one line of 1 to %zu bytes", path, size - 1);
        return false;
    }
    out[length] = '\0';
    return true;
}

static void read_key(struct json_reader *reader, struct gateway *out)
{
    char path[4 * FILE_NAME_MAX + 1];
    char key[sizeof(out->authorization) - sizeof(KEY_PREFIX) + 1];

    if (json_read_text(reader, "key_file", JSON_REQUIRED, 1, FILE_NAME_MAX, path, sizeof(path)) &&
        read_secret(reader, "key_file", path, key, sizeof(key)))
        text_format(out->authorization, sizeof(out->authorization), KEY_PREFIX "%s", key);
    memory_wipe(key, sizeof(key));
}

static void read_webhook_secret(struct json_reader *reader, const char *path, struct gateway *out)
{
    static const char name[] = "webhook_secret_files";
    char *secret = out->webhook_secrets[out->webhook_secret_count];

    if (!path)
        json_reader_refuse(reader, name, "type_invalid", "must be names of files");
    else if (!read_secret(reader, name, path, secret, GATEWAY_SECRET_SIZE))
        return;
    else if (!webhook_secret_check(secret))
        json_reader_refuse(reader, name, "secret_invalid",
                           "%s must hold whsec_ and base64 of 24 to 64 bytes", path);
    else
        out->webhook_secret_count++;
}

static void read_webhook_secrets(struct json_reader *reader, struct gateway *out)
{
    struct json_value *array;
    size_t count;

    if (!json_read_array(reader, "webhook_secret_files", JSON_REQUIRED, 1, GATEWAY_SECRETS_MAX,
                         &array, &count))
        return;
    for (size_t i = 0; i < count; i++)
        read_webhook_secret(reader, text_at(array, i), out);
}

static void read_timeouts(struct json_reader *reader, struct gateway_timeouts *out)
{
    struct json_reader timeouts;

    *out = (struct gateway_timeouts){ 2500, 2500, 2500, 2500, 2000 };
    if (!json_read_object(reader, "timeouts", JSON_OPTIONAL, &timeouts))
        return;
    json_read_integer(&timeouts, "authorize_ms", JSON_OPTIONAL, 1, TIMEOUT_MS_MAX,
                      &out->authorize_ms);
    json_read_integer(&timeouts, "capture_ms", JSON_OPTIONAL, 1, TIMEOUT_MS_MAX, &out->capture_ms);
    json_read_integer(&timeouts, "void_ms", JSON_OPTIONAL, 1, TIMEOUT_MS_MAX, &out->void_ms);
    json_read_integer(&timeouts, "refund_ms", JSON_OPTIONAL, 1, TIMEOUT_MS_MAX, &out->refund_ms);
    json_read_integer(&timeouts, "look_up_ms", JSON_OPTIONAL, 1, TIMEOUT_MS_MAX, &out->look_up_ms);
    json_reader_end(&timeouts);
}

static void read_breaker(struct json_reader *reader, struct breaker_settings *out)
{
    struct json_reader breaker;

    *out = (struct breaker_settings){ 10000, 5, 50, 5000, 1 };
    if (!json_read_object(reader, "breaker", JSON_OPTIONAL, &breaker))
        return;
    json_read_integer(&breaker, "window_ms", JSON_OPTIONAL, BREAKER_SLICES, BREAKER_MS_MAX,
                      &out->window_ms);
    json_read_integer(&breaker, "calls_min", JSON_OPTIONAL, 1, BREAKER_CALLS_MAX, &out->calls_min);
    json_read_integer(&breaker, "error_percent", JSON_OPTIONAL, 1, 100, &out->error_percent);
    json_read_integer(&breaker, "open_ms", JSON_OPTIONAL, 1, BREAKER_MS_MAX, &out->open_ms);
    json_read_integer(&breaker, "probes", JSON_OPTIONAL, 1, BREAKER_PROBES_MAX, &out->probes);
    json_reader_end(&breaker);
}

static void read_entry(struct json_reader *reader, struct gateway_entry *out)
{
    struct gateway *gateway = &out->gateway;

    read_letters(reader, "name", NAME_LETTERS, gateway->name, sizeof(gateway->name));
    read_protocol(reader, gateway);
    read_place(reader, gateway);
    read_currencies(reader, gateway);
    read_methods(reader, gateway);
    read_amounts(reader, gateway);
    read_key(reader, gateway);
    read_webhook_secrets(reader, gateway);
    read_timeouts(reader, &gateway->timeouts);
    read_breaker(reader, &out->breaker);
    json_reader_end(reader);
}

/* A name stands for one bank: attempts are told by it where to ask. */
static void refuse_repeated_name(struct json_reader *reader, const struct gateway_config *config,
                                 const char *name)
{
    for (size_t i = 0; i < config->count; i++)
        if (*name != '\0' && strcmp(config->entries[i].gateway.name, name) == 0)
            json_reader_refuse(reader, "name", "repeated", "%s is there twice",
                               config->entries[i].gateway.name);
}

static void read_entries(const struct json_document *document, struct gateway_config *out,
                         struct error *wrong)
{
    struct json_value *value;
    struct json_reader reader;
    char pointer[16];

    while (out->count < GATEWAYS_MAX && (value = json_array_at(document->root, out->count))) {
        struct gateway_entry *entry = &out->entries[out->count];

        text_format(pointer, sizeof(pointer), "/%zu", out->count);
        json_reader_at(&reader, value, pointer, wrong);
        if (json_value_is_object(value))
            read_entry(&reader, entry);
        refuse_repeated_name(&reader, out, entry->gateway.name);
        out->count++;
    }
}

/* All that is wrong, as far as there is room for it. */
static bool refuse_fields(const struct error *wrong, struct error *err)
{
    AUTO(buffer_release) struct buffer list = BUFFER_EMPTY;

    for (size_t i = 0; i < wrong->field_count; i++)
        buffer_append_format(&list, "%s%s %s", i > 0 ? "; " : "", wrong->fields[i].pointer,
                             wrong->fields[i].detail);
    return error_set(err, ERROR_CONFIGURATION, "configuration_invalid", "gateways: %s", list.at);
}

bool gateway_config_read(struct span text, struct client_pool *clients, struct gateway_config *out,
                         struct error *err)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct error wrong;

    *out = (struct gateway_config){ .count = 0 };
    if (!json_document_parse(text, &document, &wrong))
        return error_set(err, ERROR_CONFIGURATION, "configuration_invalid", "gateways: %s",
                         wrong.detail);
    error_begin_validation(&wrong);
    read_entries(&document, out, &wrong);
    if (out->count == 0 || json_array_at(document.root, GATEWAYS_MAX))
        return error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                         "gateways: must be an array of 1 to %d entries", GATEWAYS_MAX);
    if (wrong.field_count > 0)
        return refuse_fields(&wrong, err);
    for (size_t i = 0; i < out->count; i++)
        out->entries[i].gateway.clients = clients;
    return true;
}
