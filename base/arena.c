#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_OCTETS = 16 * 1024 };

struct dsnd_arena_block {
    struct dsnd_arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char data[];
};

void dsnd_arena_done(struct dsnd_arena *self)
{
    while (self->head) {
        struct dsnd_arena_block *next = self->head->next;

        free(self->head);
        self->head = next;
    }
    self->used = 0;
}

void dsnd_arena_clear(struct dsnd_arena *self)
{
    while (self->head && self->head->next) {
        struct dsnd_arena_block *next = self->head->next;

        free(self->head);
        self->head = next;
    }
    if (self->head)
        self->head->used = 0;
    self->used = 0;
}

static struct dsnd_arena_block *add_block(struct dsnd_arena *self, size_t octets)
{
    size_t size = octets > ARENA_BLOCK_OCTETS ? octets : ARENA_BLOCK_OCTETS;
    struct dsnd_arena_block *block = malloc(sizeof(*block) + size);

    if (!block)
        return NULL;
    block->next = self->head;
    block->used = 0;
    block->size = size;
    self->head = block;
    return block;
}

void *dsnd_arena_alloc(struct dsnd_arena *self, size_t octets)
{
    const size_t align = alignof(max_align_t);
    struct dsnd_arena_block *block = self->head;
    void *out;

    if (octets > self->max || self->used > self->max - octets)
        return NULL;
    octets = (octets + align - 1) / align * align;
    if (!block || block->size - block->used < octets)
        block = add_block(self, octets);
    if (!block)
        return NULL;
    out = block->data + block->used;
    block->used += octets;
    self->used += octets;
    return memset(out, 0, octets);
}

void *dsnd_arena_array(struct dsnd_arena *self, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size)
        return NULL;
    return dsnd_arena_alloc(self, count * size);
}

enum dsnd_err dsnd_arena_copy(struct dsnd_arena *self, struct dsnd_str s, struct dsnd_str *ret_copy)
{
    char *copy;

    if (!s.ptr) {
        *ret_copy = DSND_STR_ABSENT;
        return DSND_OK;
    }
    copy = dsnd_arena_alloc(self, s.len + 1);
    if (!copy)
        return DSND_ERR_NOMEM;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    *ret_copy = (struct dsnd_str){copy, s.len};
    return DSND_OK;
}
