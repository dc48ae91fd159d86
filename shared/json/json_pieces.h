/*
 * JSON pieces: members of a document's top that are left alone, because nobody here needs to know
 * what is in them.
 *
 * Reading a document costs by its values, of which an order has a hundred. A consumer that asks for
 * the amount of an order takes four of its members: where they begin and end is found by brackets
 * and commas, and only they are parsed. What is left out must be closed; no more is checked of it.
 * What was left out can be walked then, so that each element is read, or not, by itself.
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

/* True if the text is an object or an array closed by its last byte, a bracket of its kind. */
MUST_CHECK bool json_is_closed(struct span text);

/*
 * The next element of an array, or member of an object, that is closed, as it stands there; `at`
 * begins with 0 and is moved on. It is whatever lies between two commas, perhaps nothing. False
 * behind the last.
 */
MUST_CHECK bool json_next_element(struct span nested, size_t *at, struct span *out);

/*
 * As json_document_parse(), with no other members of the top than those of these names, which end
 * with NULL; a name with an escape in it stays. Of what is left out no more is known than that it
 * is closed.
 */
MUST_CHECK bool json_document_parse_members(struct span text, const char *const *names,
                                            struct json_document *out, struct error *err);

#endif
