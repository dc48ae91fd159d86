/* Answers of banks that speak JSON. */
#include "payment-service/gateway_json.h"

#include "tests/fuzz/bank.h"
#include "tests/fuzz/fuzz.h"

void fuzz(struct span input)
{
    fuzz_answer(&gateway_json, input);
}
