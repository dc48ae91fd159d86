/*
 * JSON pieces: members of a document's top that are left alone, because nobody here needs to know
 * what is in them.
 *
 * Reading a document costs by its values, and an order's lines are most of its values. A consumer
 * that asks for the amount of an order leaves the lines out: they are found by their brackets, and
 * the rest is parsed as ever. What is left out must be closed; no more is checked of it. An array
 * that was left out can be walked then, so that each element is read, or not, by itself.
 */
#ifndef CHECKOUT_JSON_JSON_PIECES_H
#define CHECKOUT_JSON_JSON_PIECES_H

#include "shared/json/json_reader.h"

/*
 * Appends the text to `out`, with the object or array that the top's member `names[i]` holds made
 * empty, and sets `pieces[i]` to what it was: a part of `text`, or an empty span where there is no
 * such member, or neither an object nor an array in it. `names` end with NULL. False when something
 * below the top is not closed, or a string: then the text is no JSON.
 */
MUST_CHECK bool json_cut(struct span text, const char *const *names, struct span *pieces,
                         struct buffer *out);

/* Two names are enough for all that we leave out. */
enum { JSON_PIECES_MAX = 2 };

/*
 * The next element of an array that json_cut() found, as it stands there; `at` begins with 0 and is
 * moved on. An element is whatever lies between two commas, perhaps nothing. False behind the last.
 */
MUST_CHECK bool json_next_element(struct span array, size_t *at, struct span *out);

/* True if the text is an object or an array whose bracket is closed by its very last byte. */
MUST_CHECK bool json_is_closed(struct span text);

/* As json_document_parse(), with the members of these names made empty; `names` as above. */
MUST_CHECK bool json_document_parse_without(struct span text, const char *const *names,
                                            struct json_document *out, struct error *err);

#endif
