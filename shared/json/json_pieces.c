#include "shared/json/json_pieces.h"

/* A quote behind an odd number of backslashes ends no string; another quote is in front of them. */
static bool is_escaped(const char *quote)
{
    const char *before = quote;

    while (before[-1] == '\\')
        before--;
    return (quote - before) % 2 == 1;
}

/* Of the text from `at`, where a string opens: the index of its closing quote, or the length. */
static size_t end_of_string(struct span text, size_t at)
{
    const char *quote = text.at + at;

    do {
        quote++;
        quote = memchr(quote, '"', text.length - (size_t)(quote - text.at));
    } while (quote != NULL && is_escaped(quote));
    return quote != NULL ? (size_t)(quote - text.at) : text.length;
}

/* Where the bracket at `at` is closed, or the length. */
static size_t end_of_nested(struct span text, size_t at)
{
    size_t depth = 0;

    for (; at < text.length; at++) {
        switch (text.at[at]) {
        case '"':
            at = end_of_string(text, at);
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0)
                return at;
            break;
        default:
            break;
        }
    }
    return text.length;
}

/* The place of the member in `names`; where they end if it is none of them. */
static size_t find_name(const char *const *names, struct span name)
{
    size_t i = 0;

    while (names[i] != NULL && !span_equal(name, span_of(names[i])))
        i++;
    return i;
}

/* Where what begins at `at` ends; `at` itself, but for a string and for what is below the top. */
static size_t end_of(struct span text, size_t at, bool inside)
{
    switch (text.at[at]) {
    case '"':
        return end_of_string(text, at);
    case '{':
    case '[':
        return inside ? end_of_nested(text, at) : at;
    default:
        return at;
    }
}

bool json_cut(struct span text, const char *const *names, struct span *pieces, struct buffer *out)
{
    struct span name = { NULL, 0 }; /* the string before, which is a member's name before a value */
    size_t copied = 0;
    bool inside = false; /* the top */

    for (size_t i = 0; names[i] != NULL; i++)
        pieces[i] = (struct span){ NULL, 0 };
    for (size_t start = 0, end; start < text.length; start = end + 1) {
        end = end_of(text, start, inside);
        if (end == text.length)
            return false;
        if (text.at[start] == '"') {
            name = (struct span){ text.at + start + 1, end - start - 1 };
        } else if (end > start && names[find_name(names, name)] != NULL) {
            pieces[find_name(names, name)] = (struct span){ text.at + start, end - start + 1 };
            buffer_append_bytes(out, text.at + copied, start + 1 - copied);
            copied = end;
        }
        inside |= text.at[start] == '{' || text.at[start] == '[';
    }
    buffer_append_bytes(out, text.at + copied, text.length - copied);
    return true;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static struct span without_blanks(struct span text)
{
    while (text.length > 0 && is_blank(text.at[0]))
        text = (struct span){ text.at + 1, text.length - 1 };
    while (text.length > 0 && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

bool json_next_element(struct span nested, size_t *at, struct span *out)
{
    assert(nested.length >= 2);
    struct span inside = { nested.at + 1, nested.length - 2 }; /* its brackets are left away */
    size_t start = *at, end = start;

    if (start > inside.length || (start == 0 && without_blanks(inside).length == 0))
        return false;
    while (end < inside.length && inside.at[end] != ',') {
        end = end_of(inside, end, true);
        end += end < inside.length;
    }
    *out = without_blanks((struct span){ inside.at + start, end - start });
    *at = end + 1;
    return true;
}

bool json_is_closed(struct span text)
{
    if (text.length < 2 || (text.at[0] != '{' && text.at[0] != '['))
        return false;
    return text.at[text.length - 1] == (text.at[0] == '{' ? '}' : ']') &&
           end_of_nested(text, 0) == text.length - 1;
}

/* What is no member at all stays, for the parser to find out. */
static bool is_asked_for(struct span member, const char *const *names)
{
    if (member.length == 0 || member.at[0] != '"')
        return true;
    size_t end = end_of_string(member, 0);
    struct span name = { member.at + 1, end - 1 };

    return end == member.length || names[find_name(names, name)] != NULL ||
           memchr(name.at, '\\', name.length) != NULL;
}

static bool copy_members(struct span object, const char *const *names, struct buffer *out)
{
    struct span member;

    if (!json_is_closed(object) || object.at[0] != '{')
        return false;
    buffer_append(out, "{");
    for (size_t at = 0; json_next_element(object, &at, &member);) {
        if (!is_asked_for(member, names))
            continue;
        buffer_append(out, out->length > 1 ? "," : "");
        buffer_append_span(out, member);
    }
    buffer_append(out, "}");
    return true;
}

bool json_document_parse_members(struct span text, const char *const *names,
                                 struct json_document *out, struct error *err)
{
    AUTO(buffer_release) struct buffer asked_for = BUFFER_EMPTY;

    if (!copy_members(without_blanks(text), names, &asked_for))
        return json_document_parse(text, out, err); /* which says what is wrong */
    return json_document_parse(buffer_span(&asked_for), out, err);
}
