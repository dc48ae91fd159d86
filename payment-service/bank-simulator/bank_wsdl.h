/*
 * WSDL: bank.wsdl as it was when the program was built.
 */
#ifndef CHECKOUT_BANK_WSDL_H
#define CHECKOUT_BANK_WSDL_H

#include "shared/base/buffer.h"

void bank_wsdl_write(struct buffer *out);

#endif
