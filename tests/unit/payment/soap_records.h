/*
 * SOAP records: what banks say in envelopes, put together from parts, so that a row of a test
 * changes one of them.
 */
#ifndef CHECKOUT_TESTS_UNIT_PAYMENT_SOAP_RECORDS_H
#define CHECKOUT_TESTS_UNIT_PAYMENT_SOAP_RECORDS_H

#include "tests/unit/payment/fake_bank.h"

#define ENVELOPE(body)                                                                \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>" body \
    "</s:Body></s:Envelope>"
#define MESSAGE(name, content) \
    ENVELOPE("<" name " xmlns=\"urn:checkout:bank:1\">" content "</" name ">")

#define RECORD(operation, reference, status, rest)                                   \
    "<record><id>op_1</id><operation>" operation "</operation><reference>" reference \
    "</reference><status>" status "</status>" rest                                   \
    "<created_at>2026-01-31T23:59:59.123Z</created_at></record>"
#define MONEY    "<amount>13700</amount><currency>EUR</currency>"
#define AT       "<authorization>" TARGET "</authorization>"
#define CAPTURED "<captured>true</captured>"
#define OPEN     "<captured>false</captured>"
#define FAILURE \
    "<failure><code>card_declined</code><decline_code>lost_card</decline_code></failure>"

#define GOOD     RECORD("authorize", REFERENCE, "approved", MONEY CAPTURED)
#define DECLINED RECORD("authorize", REFERENCE, "declined", MONEY OPEN FAILURE)
#define DEAD     RECORD("void_reference", REFERENCE, "voided", OPEN)

#define FAULT(kind, detail)                             \
    ENVELOPE("<s:Fault><faultcode>" kind "</faultcode>" \
             "<faultstring>4242424242424242</faultstring>" detail "</s:Fault>")
#define CODE(code) "<detail><code>" code "</code></detail>"

#endif
