/*
 * A growing octet buffer with a hard cap. One owner, one thread at a time.
 */
#ifndef DSND_BASE_BUF_H
#define DSND_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct dsnd_buf {
    char *ptr;
    size_t len;
    size_t size; /* octets allocated */
    size_t max;  /* octets it may ever hold; 0 when not initialised */
};

/* An empty buffer that may grow to `max_octets`; allocates nothing yet. */
#define DSND_BUF_INIT(max_octets) ((struct dsnd_buf){NULL, 0, 0, (max_octets)})

void dsnd_buf_done(struct dsnd_buf *self); /* frees; the buffer is empty and usable after it */
/* The same for secrets: its octets are overwritten first. */
void dsnd_buf_wipe(struct dsnd_buf *self);
void dsnd_buf_clear(struct dsnd_buf *self); /* empties, keeps the allocation */

/* Room for `more` octets behind `len`. DSND_ERR_LIMIT above the cap, DSND_ERR_NOMEM; unchanged
 * then. */
DSND_MUST_CHECK
enum dsnd_err dsnd_buf_reserve(struct dsnd_buf *self, size_t more);
/* Append; errors as dsnd_buf_reserve, and then nothing was appended. */
DSND_MUST_CHECK
enum dsnd_err dsnd_buf_add(struct dsnd_buf *self, struct dsnd_str octets);
DSND_MUST_CHECK
enum dsnd_err dsnd_buf_add_char(struct dsnd_buf *self, char c);
DSND_MUST_CHECK
DSND_PRINTF(2, 3)
enum dsnd_err dsnd_buf_addf(struct dsnd_buf *self, const char *format, ...);
/* Remove the first `octets` (at most all). */
void dsnd_buf_consume(struct dsnd_buf *self, size_t octets);
/* All of it; borrowed until the next change. */
struct dsnd_str dsnd_buf_str(const struct dsnd_buf *self);

#endif
