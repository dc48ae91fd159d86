#include "tests/unit/freed.h"

#include <malloc.h>

/* The linker's names: every free() becomes the second, which is ours. */
void __real_free(void *memory);
void __wrap_free(void *memory);

static _Thread_local struct span watched;
static _Thread_local int found;

void freed_watch(struct span bytes)
{
    watched = bytes;
    found = 0;
}

int freed_found(void)
{
    watched.length = 0;
    return found;
}

void __wrap_free(void *memory)
{
    if (memory && watched.length > 0 &&
        memmem(memory, malloc_usable_size(memory), watched.at, watched.length))
        found++;
    __real_free(memory);
}
