/*
 * SOAP gateway: banks that speak SOAP 1.1 as in bank-simulator/bank.wsdl.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_SOAP_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_SOAP_H

#include "payment-service/gateway.h"

extern const struct gateway_protocol gateway_soap;

#endif
