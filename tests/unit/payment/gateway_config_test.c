#include "payment-service/gateway_config.h"

#include <unistd.h>

#include "tests/unit/payment/fake_bank.h"
#include "tests/unit/table.h"

/* A directory with the files that the configurations name; texts name it as "@". */
static char folder[] = "/tmp/gateway-config-XXXXXX";

static const struct file {
    const char *name;
    const char *content;
} files[] = {
    { "key", "secret-of-the-bank\n" },
    { "key-bare", "secret-of-the-bank" },
    { "key-empty", "" },
    { "key-newline", "\n" },
    { "key-lines", "one\ntwo\n" },
    { "key-120", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" },
    { "key-121", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" },
    { "hook", HOOK_SECRET "\n" },
    { "hook-old", HOOK_OLD "\n" },
    { "hook-bad", "whsec_short\n" },
};

static void path_of(const char *name, char out[64])
{
    text_format(out, 64, "%s/%s", folder, name);
}

static void make_files(void)
{
    char path[64];

    assert(mkdtemp(folder));
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        path_of(files[i].name, path);
        FILE *file = fopen(path, "we");
        assert(file && fputs(files[i].content, file) >= 0 && fclose(file) == 0);
    }
}

static void remove_files(void)
{
    char path[64];

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        path_of(files[i].name, path);
        unlink(path);
    }
    rmdir(folder);
}

/* `text` with "@" replaced by the folder. */
static bool read_config(const char *text, struct gateway_config *out, struct error *err)
{
    AUTO(buffer_release) struct buffer whole = BUFFER_EMPTY;

    buffer_append(&whole, "");
    for (; *text != '\0'; text++) {
        if (*text == '@')
            buffer_append(&whole, folder);
        else
            buffer_append_bytes(&whole, text, 1);
    }
    return gateway_config_read(buffer_span(&whole), (struct client_pool *)(uintptr_t)8, out, err);
}

/* Members of an entry, as macros, so that a row changes one of them. */
#define NAME     "\"name\":\"bank-a\","
#define PROTOCOL "\"protocol\":\"json\","
#define ORIGINS  "\"origins\":\"http://127.0.0.1:8084\","
#define PATH     "\"path\":\"/bank-a/v1\","
#define MONEY    "\"currencies\":[\"EUR\"],"
#define KEY      "\"key_file\":\"@/key\","
#define HOOK     "\"webhook_secret_files\":[\"@/hook\"]"

#define ENTRY         "{" NAME PROTOCOL ORIGINS PATH MONEY KEY HOOK "}"
#define WITH(members) "[{" NAME PROTOCOL ORIGINS PATH MONEY KEY HOOK "," members "}]"

static void the_least_that_is_needed_has_defaults(void **state)
{
    static struct gateway_config config;
    static struct error err;

    (void)state;
    assert_true(read_config("[" ENTRY "]", &config, &err));
    const struct gateway *gateway = &config.entries[0].gateway;
    assert_int_equal(config.count, 1);
    assert_string_equal(gateway->name, "bank-a");
    assert_string_equal(gateway->protocol->name, "json");
    assert_string_equal(gateway->origins, "http://127.0.0.1:8084");
    assert_string_equal(gateway->path, "/bank-a/v1");
    assert_string_equal(gateway->authorization, "Bearer secret-of-the-bank");
    assert_int_equal(gateway->webhook_secret_count, 1);
    assert_string_equal(gateway->webhook_secrets[0], HOOK_SECRET);
    assert_false(gateway->all_currencies);
    assert_int_equal(gateway->currency_count, 1);
    assert_true(gateway->takes_cards && gateway->takes_transfers);
    assert_int_equal(gateway->amount_min, 1);
    assert_int_equal(gateway->amount_max, 1000000000000000);
    assert_int_equal(gateway->timeouts.authorize_ms, 2500);
    assert_int_equal(gateway->timeouts.look_up_ms, 2000);
    assert_ptr_equal(gateway->clients, (void *)8);
    assert_int_equal(config.entries[0].breaker.window_ms, 10000);
    assert_int_equal(config.entries[0].breaker.calls_min, 5);
    assert_int_equal(config.entries[0].breaker.error_percent, 50);
    assert_int_equal(config.entries[0].breaker.open_ms, 5000);
    assert_int_equal(config.entries[0].breaker.probes, 1);
}

static void everything_can_be_said(void **state)
{
    static const char text[] =
        "[{\"name\":\"b\",\"protocol\":\"soap\","
        "\"origins\":\"https://bank.example:443,http://[::1]:1\",\"path\":\"/b\","
        "\"currencies\":\"*\",\"methods\":[\"bank_transfer\"],\"amount_min\":50,"
        "\"amount_max\":99,\"key_file\":\"@/key-bare\","
        "\"webhook_secret_files\":[\"@/hook\",\"@/hook-old\"],"
        "\"timeouts\":{\"authorize_ms\":1,\"capture_ms\":2,\"void_ms\":3,\"refund_ms\":4,"
        "\"look_up_ms\":5},"
        "\"breaker\":{\"window_ms\":10,\"calls_min\":1,\"error_percent\":100,\"open_ms\":7,"
        "\"probes\":8}}," ENTRY "]";
    static struct gateway_config config;
    static struct error err;

    (void)state;
    assert_true(read_config(text, &config, &err));
    assert_int_equal(config.count, 2);
    const struct gateway *gateway = &config.entries[0].gateway;
    assert_string_equal(gateway->protocol->name, "soap");
    assert_true(gateway->all_currencies);
    assert_false(gateway->takes_cards);
    assert_true(gateway->takes_transfers);
    assert_int_equal(gateway->amount_min, 50);
    assert_int_equal(gateway->amount_max, 99);
    assert_string_equal(gateway->authorization, "Bearer secret-of-the-bank");
    assert_int_equal(gateway->webhook_secret_count, 2);
    assert_string_equal(gateway->webhook_secrets[1], HOOK_OLD);
    assert_int_equal(gateway->timeouts.authorize_ms, 1);
    assert_int_equal(gateway->timeouts.capture_ms, 2);
    assert_int_equal(gateway->timeouts.void_ms, 3);
    assert_int_equal(gateway->timeouts.refund_ms, 4);
    assert_int_equal(gateway->timeouts.look_up_ms, 5);
    assert_int_equal(config.entries[0].breaker.window_ms, 10);
    assert_int_equal(config.entries[0].breaker.probes, 8);
    assert_string_equal(config.entries[1].gateway.name, "bank-a");
}

static void a_key_may_fill_its_place(void **state)
{
    static struct gateway_config config;
    static struct error err;

    (void)state;
    assert_true(read_config("[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@/key-120\"," HOOK
                            "}]",
                            &config, &err));
    assert_int_equal(strlen(config.entries[0].gateway.authorization), 127);
}

/* `told` is what the detail has to say. */
static const struct refusal_row {
    const char *label;
    const char *text;
    const char *told;
} refusal_rows[] = {
    { "no text is refused", "", "a JSON document is expected" },
    { "no JSON is refused", "bank-a", "line 1" },
    { "an object is refused", ENTRY, "must be an array of 1 to 8 entries" },
    { "no entry is refused", "[]", "must be an array of 1 to 8 entries" },
    { "nine entries are refused", "[1,2,3,4,5,6,7,8,9]", "must be an array of 1 to 8 entries" },
    { "an entry that is none is refused", "[" ENTRY ",5]", "/1 must be an object" },
    { "an unknown field is refused", WITH("\"colour\":1"), "/0/colour is not a field" },

    { "no name is refused", "[{" PROTOCOL ORIGINS PATH MONEY KEY HOOK "}]", "/0/name is required" },
    { "no protocol is refused", "[{" NAME ORIGINS PATH MONEY KEY HOOK "}]",
      "/0/protocol is required" },
    { "no origins are refused", "[{" NAME PROTOCOL PATH MONEY KEY HOOK "}]",
      "/0/origins is required" },
    { "no path is refused", "[{" NAME PROTOCOL ORIGINS MONEY KEY HOOK "}]", "/0/path is required" },
    { "no currencies are refused", "[{" NAME PROTOCOL ORIGINS PATH KEY HOOK "}]",
      "/0/currencies is required" },
    { "no key is refused", "[{" NAME PROTOCOL ORIGINS PATH MONEY HOOK "}]",
      "/0/key_file is required" },
    { "no webhook secret is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@/key\"}]",
      "/0/webhook_secret_files is required" },

    { "an empty name is refused", "[{\"name\":\"\"," PROTOCOL ORIGINS PATH MONEY KEY HOOK "}]",
      "/0/name must have at least 1" },
    { "a name with a capital is refused",
      "[{\"name\":\"Bank\"," PROTOCOL ORIGINS PATH MONEY KEY HOOK "}]", "/0/name must consist of" },
    { "a name of 33 letters is refused",
      "[{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"," PROTOCOL ORIGINS PATH MONEY KEY HOOK "}]",
      "/0/name must have at most 32" },
    { "a name twice is refused", "[" ENTRY "," ENTRY "]", "/1/name bank-a is there twice" },
    { "another protocol is refused",
      "[{" NAME "\"protocol\":\"fax\"," ORIGINS PATH MONEY KEY HOOK "}]",
      "/0/protocol must be one of: json, soap" },
    { "an origin without a scheme is refused",
      "[{" NAME PROTOCOL "\"origins\":\"127.0.0.1:1\"," PATH MONEY KEY HOOK "}]",
      "/0/origins must be http://host:port" },
    { "an origin of files is refused",
      "[{" NAME PROTOCOL "\"origins\":\"file://x\"," PATH MONEY KEY HOOK "}]",
      "/0/origins must be" },
    { "an origin with a path is refused",
      "[{" NAME PROTOCOL "\"origins\":\"http://x/y\"," PATH MONEY KEY HOOK "}]",
      "/0/origins must be" },
    { "an origin with a password is refused",
      "[{" NAME PROTOCOL "\"origins\":\"http://me@x\"," PATH MONEY KEY HOOK "}]",
      "/0/origins must be" },
    { "an origin without a host is refused",
      "[{" NAME PROTOCOL "\"origins\":\"http://\"," PATH MONEY KEY HOOK "}]",
      "/0/origins must be" },
    { "a comma too many is refused",
      "[{" NAME PROTOCOL "\"origins\":\"http://x,\"," PATH MONEY KEY HOOK "}]",
      "/0/origins must be" },
    { "17 instances are refused",
      "[{" NAME PROTOCOL "\"origins\":\"http://a,http://a,http://a,http://a,http://a,http://a,"
      "http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,"
      "http://a\"," PATH MONEY KEY HOOK "}]",
      "/0/origins must be" },
    { "a path without a slash is refused",
      "[{" NAME PROTOCOL ORIGINS "\"path\":\"v1\"," MONEY KEY HOOK "}]", "/0/path must begin" },
    { "a path that ends with a slash is refused",
      "[{" NAME PROTOCOL ORIGINS "\"path\":\"/v1/\"," MONEY KEY HOOK "}]", "/0/path must begin" },
    { "a path that climbs is refused",
      "[{" NAME PROTOCOL ORIGINS "\"path\":\"/a/../b\"," MONEY KEY HOOK "}]",
      "/0/path must begin" },
    { "a path with a query is refused",
      "[{" NAME PROTOCOL ORIGINS "\"path\":\"/a?b\"," MONEY KEY HOOK "}]",
      "/0/path must consist of" },
    { "another word for all currencies is refused",
      "[{" NAME PROTOCOL ORIGINS PATH "\"currencies\":\"all\"," KEY HOOK "}]",
      "/0/currencies must be an array" },
    { "no currency is refused", "[{" NAME PROTOCOL ORIGINS PATH "\"currencies\":[]," KEY HOOK "}]",
      "/0/currencies must have at least 1" },
    { "an unknown currency is refused",
      "[{" NAME PROTOCOL ORIGINS PATH "\"currencies\":[\"EUR\",\"eur\"]," KEY HOOK "}]",
      "/0/currencies must be \"*\" or active codes of ISO 4217, not eur" },
    { "a currency is quoted with all of its last character",
      "[{" NAME PROTOCOL ORIGINS PATH "\"currencies\":[\"aaaaaaaaaaaaaaaaaaa\xc3\xa4\"]," KEY HOOK
      "}]",
      "ISO 4217, not aaaaaaaaaaaaaaaaaaa\xc3\xa4" },
    { "a number is no currency",
      "[{" NAME PROTOCOL ORIGINS PATH "\"currencies\":[978]," KEY HOOK "}]",
      "/0/currencies must be \"*\" or active codes" },
    { "a currency twice is refused",
      "[{" NAME PROTOCOL ORIGINS PATH "\"currencies\":[\"EUR\",\"EUR\"]," KEY HOOK "}]",
      "/0/currencies EUR is there twice" },
    { "a key that is not there is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@/none\"," HOOK "}]", "No such file" },
    { "an empty key is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@/key-empty\"," HOOK "}]",
      "must hold one line of 1 to 120 bytes" },
    { "a key of a newline is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@/key-newline\"," HOOK "}]",
      "must hold one line of 1 to 120 bytes" },
    { "a key of two lines is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@/key-lines\"," HOOK "}]",
      "must hold one line of 1 to 120 bytes" },
    { "a key that is too long is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@/key-121\"," HOOK "}]",
      "must hold one line of 1 to 120 bytes" },
    { "a folder is no key", "[{" NAME PROTOCOL ORIGINS PATH MONEY "\"key_file\":\"@\"," HOOK "}]",
      "/0/key_file" },
    { "a webhook secret that can not be used is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY KEY "\"webhook_secret_files\":[\"@/hook-bad\"]}]",
      "must hold whsec_ and base64" },
    { "no webhook secret in the list is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY KEY "\"webhook_secret_files\":[]}]",
      "/0/webhook_secret_files must have at least 1" },
    { "three webhook secrets are refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY KEY
      "\"webhook_secret_files\":[\"@/hook\",\"@/hook\",\"@/hook\"]}]",
      "/0/webhook_secret_files must have at most 2" },
    { "a webhook secret that is no name is refused",
      "[{" NAME PROTOCOL ORIGINS PATH MONEY KEY "\"webhook_secret_files\":[1]}]",
      "/0/webhook_secret_files must be names of files" },

    { "no method is refused", WITH("\"methods\":[]"), "/0/methods must have at least 1" },
    { "another method is refused", WITH("\"methods\":[\"cash\"]"),
      "/0/methods must be of card and bank_transfer" },
    { "methods that are none are refused", WITH("\"methods\":\"card\""),
      "/0/methods must be an array" },
    { "an amount of 0 is refused", WITH("\"amount_min\":0"), "/0/amount_min must be from 1" },
    { "an amount beyond all is refused", WITH("\"amount_max\":1000000000000001"),
      "/0/amount_max must be from 1" },
    { "a fraction of an amount is refused", WITH("\"amount_max\":1.5"),
      "/0/amount_max must be a whole number" },
    { "amounts the wrong way round are refused", WITH("\"amount_min\":2,\"amount_max\":1"),
      "/0/amount_max must not be below amount_min" },
    { "no time is refused", WITH("\"timeouts\":{\"authorize_ms\":0}"),
      "/0/timeouts/authorize_ms must be from 1 to 60000" },
    { "too much time is refused", WITH("\"timeouts\":{\"look_up_ms\":60001}"),
      "/0/timeouts/look_up_ms must be from 1 to 60000" },
    { "an unknown timeout is refused", WITH("\"timeouts\":{\"transfer_ms\":1}"),
      "/0/timeouts/transfer_ms is not a field" },
    { "timeouts that are none are refused", WITH("\"timeouts\":5"),
      "/0/timeouts must be an object" },
    { "a window without slices is refused", WITH("\"breaker\":{\"window_ms\":9}"),
      "/0/breaker/window_ms must be from 10" },
    { "a breaker after no call is refused", WITH("\"breaker\":{\"calls_min\":0}"),
      "/0/breaker/calls_min must be from 1" },
    { "more than all is refused", WITH("\"breaker\":{\"error_percent\":101}"),
      "/0/breaker/error_percent must be from 1 to 100" },
    { "no pause is refused", WITH("\"breaker\":{\"open_ms\":0}"),
      "/0/breaker/open_ms must be from 1" },
    { "no probe is refused", WITH("\"breaker\":{\"probes\":0}"),
      "/0/breaker/probes must be from 1" },
    { "an unknown word of a breaker is refused", WITH("\"breaker\":{\"colour\":1}"),
      "/0/breaker/colour is not a field" },
    { "all that is wrong is told",
      "[" ENTRY ",{\"name\":\"b\"," PROTOCOL ORIGINS "\"currencies\":[],\"key_file\":\"@/key\"}]",
      "gateways: /1/path is required; /1/currencies must have at least 1 elements; "
      "/1/webhook_secret_files is required" },
};

static void check_refusal(void **state)
{
    const struct refusal_row *row = *state;
    static struct gateway_config config;
    static struct error err;

    assert_false(read_config(row->text, &config, &err));
    assert_int_equal(err.kind, ERROR_CONFIGURATION);
    if (!strstr(err.detail, row->told))
        assert_string_equal(err.detail, row->told);
    assert_null(strstr(err.detail, "secret-of"));
    assert_null(strstr(err.detail, "whsec_short"));
}

static const struct support_row {
    const char *label;
    int64_t amount;
    const char *currency;
    enum gateway_operation operation;
    const char *refusal; /* NULL: it takes it */
} support_rows[] = {
    { "a card of its currency is taken", 50, "EUR", GATEWAY_AUTHORIZE, NULL },
    { "the most is taken", 99, "USD", GATEWAY_AUTHORIZE, NULL },
    { "another currency is not", 50, "JPY", GATEWAY_AUTHORIZE, "currency" },
    { "too little is not", 49, "EUR", GATEWAY_AUTHORIZE, "amount" },
    { "too much is not", 100, "EUR", GATEWAY_AUTHORIZE, "amount" },
    { "a transfer is not", 50, "EUR", GATEWAY_TRANSFER, "method" },
    { "a refund needs no method", 50, "EUR", GATEWAY_REFUND, NULL },
};

static void check_support(void **state)
{
    const struct support_row *row = *state;
    struct gateway gateway = { .currency_count = 2,
                               .currencies = { EUR, USD },
                               .amount_min = 50,
                               .amount_max = 99,
                               .takes_cards = true };
    struct money money = { .amount = row->amount };

    assert_true(currency_parse(row->currency, &money.currency));
    const char *refusal = gateway_refusal(&gateway, money, row->operation);
    assert_string_equal(refusal ? refusal : "", row->refusal ? row->refusal : "");
    assert_int_equal(gateway_supports(&gateway, money, row->operation), !row->refusal);
    gateway.all_currencies = true;
    assert_true(gateway_supports(&gateway, (struct money){ 50, JPY }, GATEWAY_CAPTURE));
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    make_files();
    TABLE_ADD(&table, the_least_that_is_needed_has_defaults);
    TABLE_ADD(&table, everything_can_be_said);
    TABLE_ADD(&table, a_key_may_fill_its_place);
    TABLE_ADD_ROWS(&table, refusal_rows, check_refusal);
    TABLE_ADD_ROWS(&table, support_rows, check_support);
    int failed = table_run(&table);
    remove_files();
    return failed;
}
