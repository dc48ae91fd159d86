/* Webhooks of banks that speak JSON, signed. */
#include "payment-service/gateway_json.h"

#include "tests/fuzz/bank.h"
#include "tests/fuzz/fuzz.h"

void fuzz(struct span input)
{
    fuzz_webhook(&gateway_json, "application/json", input);
}
