#include "shared/json/json_numbers.h"

#include <errno.h>

/* A number's characters; what they make up is the parser's business. */
static const char number_characters[] = "+-.0123456789eE";

static bool is_number_character(char character)
{
    return character != '\0' && strchr(number_characters, character) != NULL;
}

/* Longer than any text of a 64-bit integer; a real may be longer and fit. */
enum { NUMBER_TEXT_MAX = 64 };

static bool fits(struct span number)
{
    char text[NUMBER_TEXT_MAX];
    bool is_real = memchr(number.at, '.', number.length) || memchr(number.at, 'e', number.length) ||
                   memchr(number.at, 'E', number.length);
    char *end = NULL;

    if (!text_copy_span(text, sizeof(text), number))
        return false;
    errno = 0;
    if (is_real)
        (void)strtod(text, &end);
    else
        (void)strtoll(text, &end, 10);
    return errno != ERANGE;
}

/* The string that begins at `at`, with its quotes. */
static size_t string_length(struct span text, size_t at)
{
    size_t end = at + 1;

    while (end < text.length && text.at[end] != '"')
        end += text.at[end] == '\\' ? 2 : 1;
    return (end < text.length ? end + 1 : text.length) - at;
}

static size_t number_length(struct span text, size_t at)
{
    size_t end = at;

    while (end < text.length && is_number_character(text.at[end]))
        end++;
    return end - at;
}

/* Moves `at` behind the digits there; false if there are none. */
static bool skip_digits(struct span text, size_t *at)
{
    size_t start = *at;

    while (*at < text.length && text.at[*at] >= '0' && text.at[*at] <= '9')
        (*at)++;
    return *at > start;
}

/* Moves `at` behind one of the characters, if one is there. */
static bool skip_one_of(struct span text, const char *characters, size_t *at)
{
    bool there = *at < text.length && strchr(characters, text.at[*at]) != NULL;

    *at += there;
    return there;
}

/* The grammar of RFC 8259, section 6. */
static bool is_well_formed(struct span number)
{
    size_t at = number.at[0] == '-', first = at;
    bool good = skip_digits(number, &at) && (number.at[first] != '0' || at == first + 1);

    if (good && skip_one_of(number, ".", &at))
        good = skip_digits(number, &at);
    if (good && skip_one_of(number, "eE", &at)) {
        (void)skip_one_of(number, "+-", &at);
        good = skip_digits(number, &at);
    }
    return good && at == number.length;
}

void json_numbers_replace(struct span text, struct buffer *out)
{
    for (size_t at = 0, length; at < text.length; at += length) {
        bool is_number = text.at[at] == '-' || (text.at[at] >= '0' && text.at[at] <= '9');

        length = text.at[at] == '"' ? string_length(text, at)
                 : is_number        ? number_length(text, at)
                                    : 1;
        struct span part = { text.at + at, length };
        if (is_number && is_well_formed(part) && !fits(part))
            buffer_append(out, JSON_NUMBER_BEYOND);
        else
            buffer_append_span(out, part);
    }
}
