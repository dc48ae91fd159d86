#include "shared/json/json_memory.h"

#include <malloc.h>

#include "shared/base/buffer.h"
#include "shared/json/json_library.h"

/* The library never resizes memory: it gives back the old one, and says nothing of its size. */
static void free_wiped(void *memory)
{
    if (memory)
        memory_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

void json_memory_wipe_freed(void)
{
    json_set_alloc_funcs(malloc, free_wiped);
}
