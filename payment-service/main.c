#include "payment-service/payment_http.h"
#include "payment-service/payment_workers.h"
#include "shared/json/json_memory.h"
#include "shared/soap/envelope.h"

/* Bank calls that workers make beside those of requests. */
enum { WORKER_CALLS = PAYMENT_RECONCILERS };

struct settings {
    char order_url[1024];
    char service_key[128];
    char payment_key[256];
    char gateways[8193];
    int64_t bank_calls_max;
};

static const struct setting settings_table[] = {
    { "ORDER_URL", SETTING_TEXT, offsetof(struct settings, order_url), 1024,
      "http://127.0.0.1:8081", 0, 0, "origins of order-service, to read its event log from" },
    { "SERVICE_KEY", SETTING_SECRET, offsetof(struct settings, service_key), 128, NULL, 0, 0,
      "API key of this service, with events:read" },
    { "PAYMENT_KEY", SETTING_SECRET, offsetof(struct settings, payment_key), 256, NULL, 0, 0,
      "secret of at least 32 characters that card numbers are sealed with" },
    { "GATEWAYS", SETTING_DOCUMENT, offsetof(struct settings, gateways), 8193, NULL, 0, 0,
      "the banks to pay at, in their order, as JSON" },
    { "BANK_CALLS_MAX", SETTING_INTEGER, offsetof(struct settings, bank_calls_max), 0, "128", 1,
      4096, "requests that may wait for a bank at once: half of HTTP_THREADS" },
};

static const char *const filters[] = { "checkout/v1/+/order/#", NULL };

/* A wrong setting ends the process before it has touched anything. */
static void require(bool good, const char *setting, const struct error *err)
{
    if (good)
        return;
    fprintf(stderr, "payment-service: %s: %s\n", setting, err->detail);
    exit(EXIT_CONFIGURATION);
}

static void start_libraries(void)
{
    json_memory_wipe_freed(); /* card numbers pass through it */
    bool started = soap_library_start();
    assert(started);
}

static void derive_keys(const struct settings *settings, struct payment_service *service)
{
    struct span secret = span_of(settings->payment_key);
    struct error err;

    require(seal_key_derive(secret, "card number", &service->card_key, &err) &&
                seal_key_derive(secret, "card fingerprint", &service->print_key, &err) &&
                seal_key_derive(secret, "request hash", &service->request_key, &err),
            "PAYMENT_KEY", &err);
}

static struct gateway_chain *make_chain(const struct settings *settings,
                                        struct client_pool *clients)
{
    struct gateway_config *config = memory_allocate_zeroed(1, sizeof(*config));
    struct error err;

    require(gateway_config_read(span_of(settings->gateways), clients, config, &err), "GATEWAYS",
            &err);
    struct gateway_chain *chain = gateway_chain_create(config);
    memory_wipe(config, sizeof(*config));
    free(config);
    return chain;
}

int main(int argc, char **argv)
{
    struct settings settings = { .bank_calls_max = 0 };
    char authorization[sizeof(settings.service_key) + sizeof("Bearer ")];

    start_libraries();
    struct backbone *backbone = backbone_load("payment-service", argc, argv, settings_table,
                                              COUNT_OF(settings_table), &settings);
    struct payment_service service = { .backbone = backbone };
    struct client_pool *clients = NULL;
    sem_t calls;

    sem_init(&calls, 0, (unsigned)settings.bank_calls_max);
    service.calls = &calls;
    if (!backbone_only_prints(backbone)) {
        clients = client_pool_create((size_t)settings.bank_calls_max + WORKER_CALLS);
        derive_keys(&settings, &service);
        service.chain = make_chain(&settings, clients);
    }
    text_format(authorization, sizeof(authorization), "Bearer %s", settings.service_key);
    payment_http_add_routes(backbone, &service);
    payment_workers_add(&service);
    backbone_consume(backbone, &(struct backbone_consumption){
                                   .source = { .service = "order-service",
                                               .origins = settings.order_url,
                                               .authorization = authorization },
                                   .filters = filters,
                                   .types = payable_order_types,
                                   .handle = payable_order_handle,
                               });
    int exit_code = backbone_run(backbone);
    gateway_chain_destroy(service.chain);
    client_pool_destroy(clients);
    sem_destroy(&calls);
    return exit_code;
}
