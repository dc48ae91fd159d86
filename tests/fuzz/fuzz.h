/*
 * Fuzz: what every target is made of.
 *
 * A target is one function, fuzz(): it hands the input to a parser, and asserts what must hold of
 * what was accepted (written again, it reads as the same) and of what was refused (the reason can
 * be told to a client). libFuzzer makes inputs up, from those in corpus/<target> and the words in
 * <target>.dict; the sanitizers see what the parser does with them.
 *
 * An input is a piece of memory of exactly its size: a parser that reads one byte too far is seen.
 */
#ifndef CHECKOUT_TESTS_FUZZ_FUZZ_H
#define CHECKOUT_TESTS_FUZZ_FUZZ_H

#include "shared/base/buffer.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

/* Every target has its own. */
void fuzz(struct span input);

/*
 * The input up to its first NUL as a string, in memory of exactly its size:
 *
 *     AUTO(fuzz_text_release) char *header = fuzz_text(input);
 */
char *fuzz_text(struct span input);
void fuzz_text_release(char **text);

/* Cuts the first line off `rest`; of the last one nothing is left behind. */
struct span fuzz_take_line(struct span *rest);

/* All that the error says is UTF-8, as JSON needs it. */
void fuzz_check_texts(const struct error *err);

/* That, and it is a client's error: input makes no 5xx. */
void fuzz_check_refusal(const struct error *err);

/* Is the text JSON? */
void fuzz_check_json(struct span text);

#endif
