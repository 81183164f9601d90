/*
 * One arena per message: everything allocated from it dies with it. It has a cap, so that no input
 * can make it grow without end. One thread at a time.
 */
#ifndef DSND_BASE_ARENA_H
#define DSND_BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct dsnd_arena_block;

struct dsnd_arena {
    struct dsnd_arena_block *head; /* newest block first */
    size_t used;                   /* octets handed out and lost at block ends */
    size_t max;                    /* octets it may ever hand out */
};

#define DSND_ARENA_INIT(max_octets) ((struct dsnd_arena){NULL, 0, (max_octets)})

void dsnd_arena_done(struct dsnd_arena *self);
/* Forget everything, keep one block for the next message. */
void dsnd_arena_clear(struct dsnd_arena *self);

/* Zeroed memory aligned for any type, or NULL at the cap or without memory. */
void *dsnd_arena_alloc(struct dsnd_arena *self, size_t octets);
/* The same for an array; NULL also when count * size overflows. */
void *dsnd_arena_array(struct dsnd_arena *self, size_t count, size_t size);
/* A copy that lives in the arena (NUL follows it). Absent stays absent; DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err dsnd_arena_copy(struct dsnd_arena *self, struct dsnd_str s,
                              struct dsnd_str *ret_copy);

#endif
