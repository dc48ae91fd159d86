#include "voucher-service/voucher_expiry.h"
#include "voucher-service/voucher_http.h"
#include "voucher-service/voucher_issuing.h"
#include "voucher-service/voucher_lapse.h"
#include "voucher-service/voucher_use_http.h"

struct settings {
    char order_url[1024];
    char service_key[128];
    int64_t wrong_codes_max;
};

static const struct setting settings_table[] = {
    { "ORDER_URL", SETTING_TEXT, offsetof(struct settings, order_url), 1024,
      "http://127.0.0.1:8081", 0, 0, "origins of order-service, to read its event log from" },
    { "SERVICE_KEY", SETTING_SECRET, offsetof(struct settings, service_key), 128, NULL, 0, 0,
      "API key of this service, with events:read" },
    { "WRONG_CODES_MAX", SETTING_INTEGER, offsetof(struct settings, wrong_codes_max), 0, "5", 1,
      1000000, "voucher codes that do not exist which one API key may try in 5 s" },
};

static const char *const filters[] = { "checkout/v1/+/order/#", NULL };

int main(int argc, char **argv)
{
    struct settings settings;
    char authorization[sizeof(settings.service_key) + sizeof("Bearer ")];
    struct backbone *backbone = backbone_load("voucher-service", argc, argv, settings_table,
                                              COUNT_OF(settings_table), &settings);
    struct voucher_service service = { .backbone = backbone,
                                       .guesses =
                                           voucher_guesses_create(settings.wrong_codes_max) };
    struct voucher_issuing *issuing = voucher_issuing_create();
    struct feed_source orders = { .service = "order-service",
                                  .origins = settings.order_url,
                                  .authorization = authorization };
    struct voucher_lapse *lapse = voucher_lapse_create(&service, &orders);
    struct work works[] = { voucher_expiry_work(&service), voucher_lapse_work(lapse) };

    text_format(authorization, sizeof(authorization), "Bearer %s", settings.service_key);
    voucher_http_add_routes(backbone, &service);
    voucher_use_http_add_routes(backbone, &service);
    for (size_t i = 0; i < COUNT_OF(works); i++)
        backbone_add_worker(backbone, &works[i]);
    backbone_consume(backbone, &(struct backbone_consumption){
                                   .source = orders,
                                   .filters = filters,
                                   .types = voucher_issuing_types,
                                   .handle = voucher_issuing_handle,
                                   .ctx = issuing,
                               });
    int exit_code = backbone_run(backbone);
    voucher_lapse_destroy(lapse);
    voucher_issuing_destroy(issuing);
    voucher_guesses_destroy(service.guesses);
    return exit_code;
}
