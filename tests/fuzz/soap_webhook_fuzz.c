/* Webhooks of banks that speak SOAP, signed. */
#include "payment-service/gateway_soap.h"

#include "tests/fuzz/bank.h"
#include "tests/fuzz/fuzz.h"

void fuzz(struct span input)
{
    fuzz_webhook(&gateway_soap, "text/xml", input);
}
