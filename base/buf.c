#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dsnd_buf_done(struct dsnd_buf *self)
{
    free(self->ptr);
    self->ptr = NULL;
    self->len = 0;
    self->size = 0;
}

void dsnd_buf_wipe(struct dsnd_buf *self)
{
    if (self->ptr)
        explicit_bzero(self->ptr, self->size);
    dsnd_buf_done(self);
}

void dsnd_buf_clear(struct dsnd_buf *self)
{
    self->len = 0;
}

enum dsnd_err dsnd_buf_reserve(struct dsnd_buf *self, size_t more)
{
    size_t need;
    size_t size;
    char *ptr;

    if (more > self->max || self->len > self->max - more)
        return DSND_ERR_LIMIT;
    need = self->len + more;
    if (need <= self->size)
        return DSND_OK;
    size = self->size > self->max / 2 ? self->max : self->size * 2;
    if (size < 256)
        size = 256;
    if (size < need)
        size = need;
    if (size > self->max)
        size = self->max;
    ptr = realloc(self->ptr, size);
    if (!ptr)
        return DSND_ERR_NOMEM;
    self->ptr = ptr;
    self->size = size;
    return DSND_OK;
}

enum dsnd_err dsnd_buf_add(struct dsnd_buf *self, struct dsnd_str octets)
{
    enum dsnd_err err = dsnd_buf_reserve(self, octets.len);

    if (err)
        return err;
    if (octets.len)
        memcpy(self->ptr + self->len, octets.ptr, octets.len);
    self->len += octets.len;
    return DSND_OK;
}

enum dsnd_err dsnd_buf_add_char(struct dsnd_buf *self, char c)
{
    return dsnd_buf_add(self, (struct dsnd_str){&c, 1});
}

enum dsnd_err dsnd_buf_addf(struct dsnd_buf *self, const char *format, ...)
{
    va_list args;
    enum dsnd_err err;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return DSND_ERR_SYNTAX;
    err = dsnd_buf_reserve(self, (size_t)len + 1); /* vsnprintf writes a NUL that is not kept */
    if (err)
        return err;
    va_start(args, format);
    len = vsnprintf(self->ptr + self->len, (size_t)len + 1, format, args);
    va_end(args);
    assert(len >= 0);
    self->len += (size_t)len;
    return DSND_OK;
}

void dsnd_buf_consume(struct dsnd_buf *self, size_t octets)
{
    if (octets >= self->len) {
        self->len = 0;
        return;
    }
    memmove(self->ptr, self->ptr + octets, self->len - octets);
    self->len -= octets;
}

struct dsnd_str dsnd_buf_str(const struct dsnd_buf *self)
{
    return (struct dsnd_str){self->ptr ? self->ptr : "", self->len};
}
