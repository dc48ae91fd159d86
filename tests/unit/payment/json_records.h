/*
 * JSON records: what banks say, put together from parts, so that a row of a test changes one of
 * them.
 */
#ifndef CHECKOUT_TESTS_UNIT_PAYMENT_JSON_RECORDS_H
#define CHECKOUT_TESTS_UNIT_PAYMENT_JSON_RECORDS_H

#include "tests/unit/payment/fake_bank.h"

#define RECORD(operation, reference, status, rest)                                      \
    "{\"id\":\"op_1\",\"operation\":\"" operation "\",\"reference\":\"" reference "\"," \
    "\"status\":\"" status "\"," rest ",\"created_at\":\"2026-01-31T23:59:59.123Z\"}"
#define MONEY         "\"amount\":13700,\"currency\":\"EUR\""
#define NONE          "\"authorization\":null,\"failure\":null,\"action_url\":null"
#define AT            "\"authorization\":\"" TARGET "\""
#define CAPTURED      "\"captured\":true"
#define OPEN          "\"captured\":false"
#define PROBLEM(code) "{\"code\":\"" code "\",\"detail\":\"4242424242424242\",\"status\":400}"
#define FAILURE       "\"failure\":{\"code\":\"card_declined\",\"decline_code\":\"lost_card\"}"

#define GOOD     RECORD("authorize", REFERENCE, "approved", MONEY "," CAPTURED "," NONE)
#define DECLINED RECORD("authorize", REFERENCE, "declined", MONEY "," OPEN "," FAILURE)
#define DEAD     RECORD("void_reference", REFERENCE, "voided", "\"amount\":null,\"currency\":null")

#endif
