/*
 * Document: what a service tells of its own API, GET /openapi.json.
 *
 * It is made of docs/api when the service is built, and is a part of the program: a program and its
 * document are never of two versions, and nothing has to be installed beside it.
 */
#ifndef CHECKOUT_HTTP_DOCUMENT_H
#define CHECKOUT_HTTP_DOCUMENT_H

#include "shared/http/router.h"

/* The OpenAPI document of the service that this program is, in JSON; each program has its own. */
extern const struct span api_document;

void document_add_routes(struct router *router);

#endif
