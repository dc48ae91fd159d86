/*
 * Bank SOAP: the banks that speak SOAP 1.1, as bank.wsdl describes them (which is served at
 * GET /{bank}/soap?wsdl).
 */
#ifndef CHECKOUT_BANK_SOAP_H
#define CHECKOUT_BANK_SOAP_H

#include "payment-service/bank-simulator/bank_door.h"

void bank_soap_add_routes(struct router *router, struct door *door);

#endif
