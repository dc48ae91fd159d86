/* Answers of banks that speak SOAP. */
#include "payment-service/gateway_soap.h"

#include "tests/fuzz/bank.h"
#include "tests/fuzz/fuzz.h"

void fuzz(struct span input)
{
    fuzz_answer(&gateway_soap, input);
}
