/* Times as clients and the database write them: what was read is written, and reads as the same. */
#include "shared/base/clock.h"

#include "tests/fuzz/fuzz.h"

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *text = fuzz_text(input);
    struct instant instant, again;

    if (!instant_parse(text, &instant))
        return;
    struct instant_text written = instant_text(instant);
    bool parsed = instant_parse(written.text, &again);
    assert(parsed && again.ms == instant.ms);
}
