#include "order-service/order_expiry.h"
#include "order-service/order_http.h"
#include "order-service/order_paying.h"

struct settings {
    int64_t expiry_s;
    char voucher_url[1024];
    int64_t voucher_hold_s;
    char payment_url[1024];
    char service_key[128];
};

static const struct setting settings_table[] = {
    { "ORDER_EXPIRY_S", SETTING_INTEGER, offsetof(struct settings, expiry_s), 0, "86400", 1,
      31536000, "seconds after which a prepaid order that nobody paid expires" },
    { "VOUCHER_URL", SETTING_TEXT, offsetof(struct settings, voucher_url), 1024,
      "http://127.0.0.1:8083", 0, 0, "origins of voucher-service, to reserve vouchers at" },
    { "VOUCHER_HOLD_S", SETTING_INTEGER, offsetof(struct settings, voucher_hold_s), 0, "900", 4,
      86400, "seconds for which an order's voucher is reserved; a quarter is for the order" },
    { "PAYMENT_URL", SETTING_TEXT, offsetof(struct settings, payment_url), 1024,
      "http://127.0.0.1:8082", 0, 0, "origins of payment-service, to read its event log from" },
    { "SERVICE_KEY", SETTING_SECRET, offsetof(struct settings, service_key), 128, NULL, 0, 0,
      "API key of this service, with events:read" },
};

int main(int argc, char **argv)
{
    struct settings settings;
    char authorization[sizeof(settings.service_key) + sizeof("Bearer ")];
    struct backbone *backbone = backbone_load("order-service", argc, argv, settings_table,
                                              COUNT_OF(settings_table), &settings);
    struct order_service service = {
        .backbone = backbone,
        .expiry_ms = settings.expiry_s * 1000,
        .vouchers = { .origins = settings.voucher_url,
                      .hold_s = settings.voucher_hold_s,
                      .clients = client_pool_create(ORDER_VOUCHER_CALLS_MAX) },
        .payment_peer = { .service = "payment-service",
                          .origins = settings.payment_url,
                          .clients = client_pool_create(ORDER_PEER_CALLS_MAX) },
        .voucher_peer = { .service = "voucher-service",
                          .origins = settings.voucher_url,
                          .clients = client_pool_create(ORDER_PEER_CALLS_MAX) },
    };
    struct work expiry = order_expiry_work(&service);

    text_format(authorization, sizeof(authorization), "Bearer %s", settings.service_key);
    order_http_add_routes(backbone, &service);
    backbone_add_worker(backbone, &expiry);
    backbone_consume(backbone, &(struct backbone_consumption){
                                   .source = { .service = "payment-service",
                                               .origins = settings.payment_url,
                                               .authorization = authorization },
                                   .filters = order_paying_filters,
                                   .types = order_paying_types,
                                   .handle = order_paying_handle,
                               });
    int code = backbone_run(backbone);
    client_pool_destroy(service.payment_peer.clients);
    client_pool_destroy(service.voucher_peer.clients);
    client_pool_destroy(service.vouchers.clients);
    return code;
}
