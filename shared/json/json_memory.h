/*
 * JSON memory: what the parser leaves behind.
 *
 * A document is many small pieces of memory, and reading it takes further ones that nobody sees. In
 * a process that reads card numbers, whatever the parser gives back is overwritten first.
 */
#ifndef CHECKOUT_JSON_JSON_MEMORY_H
#define CHECKOUT_JSON_JSON_MEMORY_H

/* From now on, for the whole process. Once, before threads and before the first document. */
void json_memory_wipe_freed(void);

#endif
