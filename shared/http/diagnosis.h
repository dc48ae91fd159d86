/*
 * Diagnosis: why the library could not read a request.
 *
 * Its own status is coarse, and mostly 400: a head that is too long, one that came too slowly and
 * one that is garbage look alike. Which it was is told by the time since the connection waits for
 * it, and by the bytes that the kernel gave out.
 */
#ifndef CHECKOUT_HTTP_DIAGNOSIS_H
#define CHECKOUT_HTTP_DIAGNOSIS_H

#include "shared/http/exchange.h"

/* Fills the exchange's error; `status` is what the library makes of it. */
void diagnosis_of(struct exchange *exchange, int status);

#endif
