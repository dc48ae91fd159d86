/*
 * GATEWAYS, the configuration of the banks. (The files that it names are played by the target: the
 * linker sends fopen() here.)
 */
#include "payment-service/gateway_config.h"

#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/payment/fake_bank.h"

static char key_file[] = "secret-of-the-bank\n";
static char hook_file[] = HOOK_SECRET "\n";

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

/* Only the program opens files with "re". */
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (strcmp(mode, "re") != 0)
        return __real_fopen(path, mode);
    if (strstr(path, "key"))
        return fmemopen(key_file, strlen(key_file), "r");
    if (strstr(path, "hook"))
        return fmemopen(hook_file, strlen(hook_file), "r");
    errno = ENOENT;
    return NULL;
}

static void check_gateway(const struct gateway *gateway)
{
    assert(gateway->name[0] != '\0' && gateway->protocol && gateway->path[0] == '/');
    assert(gateway->amount_min >= 1 && gateway->amount_min <= gateway->amount_max);
    assert(gateway->all_currencies == (gateway->currency_count == 0));
    assert(gateway->takes_cards || gateway->takes_transfers);
    assert(gateway->webhook_secret_count >= 1);
    assert(gateway->timeouts.authorize_ms > 0 && gateway->timeouts.look_up_ms > 0);
}

void fuzz(struct span input)
{
    struct gateway_config config;
    struct error err;

    if (!gateway_config_read(input, NULL, &config, &err)) {
        fuzz_check_texts(&err);
        assert(err.kind == ERROR_CONFIGURATION);
        return;
    }
    assert(config.count >= 1 && config.count <= GATEWAYS_MAX);
    for (size_t i = 0; i < config.count; i++)
        check_gateway(&config.entries[i].gateway);
}
