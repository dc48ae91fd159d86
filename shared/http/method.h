/*
 * Method: the names of enum http_method.
 */
#ifndef CHECKOUT_HTTP_METHOD_H
#define CHECKOUT_HTTP_METHOD_H

#include "shared/http/request.h"

const char *http_method_name(enum http_method method);

/* Names are case-sensitive (RFC 9110, section 9.1). */
MUST_CHECK bool http_method_parse(const char *text, enum http_method *out);

#endif
