/* Authorization: a key that was read is found in any text, so that it can be kept out of logs. */
#include "shared/http/credentials.h"

#include "tests/fuzz/fuzz.h"

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *header = fuzz_text(input);
    char found[ACCESS_KEY_ID_MAX + 1];
    struct credentials credentials;
    struct error err;

    bool is_there = credentials_find_key(header, found);
    if (!credentials_parse(header, &credentials, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(credentials.key_id[0] != '\0');
    assert(is_there && strcmp(found, credentials.key_id) == 0);
}
