#include "order-service/order_expiry.h"
#include "order-service/order_http.h"

struct settings {
    int64_t expiry_s;
};

static const struct setting settings_table[] = {
    { "ORDER_EXPIRY_S", SETTING_INTEGER, offsetof(struct settings, expiry_s), 0, "86400", 1,
      31536000, "seconds after which a prepaid order that nobody paid expires" },
};

int main(int argc, char **argv)
{
    struct settings settings;
    struct backbone *backbone = backbone_load("order-service", argc, argv, settings_table,
                                              COUNT_OF(settings_table), &settings);
    struct order_service service = { .backbone = backbone, .expiry_ms = settings.expiry_s * 1000 };
    struct work expiry = order_expiry_work(&service);

    order_http_add_routes(backbone, &service);
    backbone_add_worker(backbone, &expiry);
    return backbone_run(backbone);
}
