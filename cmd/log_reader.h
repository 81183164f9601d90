/*
 * Lines of one log: a plain file that may still grow, a file compressed with zstd, or a pipe.
 * Memory does not grow with the file. One thread.
 */
#ifndef DSND_CMD_LOG_READER_H
#define DSND_CMD_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { LOG_LINE_MAX = 256 * 1024 }; /* octets; longer ones are passed over */

struct ZSTD_DCtx_s;

struct log_reader {
    int fd;          /* borrowed */
    uint64_t offset; /* of the next line, in what zstd would have compressed */
    uint64_t lines;  /* before it */
    bool ended;      /* of a pipe: the other side closed it */
    bool is_pipe;
    bool passing;        /* inside a line that is too long */
    struct dsnd_buf buf; /* octets from `offset` on */
    size_t taken;        /* of them, by lines given */
    size_t searched;     /* of them, without a line end */
    struct ZSTD_DCtx_s *zstd;
    bool holds_more;        /* zstd has output that did not fit */
    struct dsnd_buf packed; /* octets for zstd */
};

/*
 * Begin at `offset` behind so many `lines`. DSND_ERR_IO; DSND_ERR_CORRUPT: no good zstd, or it
 * ends before `offset`; DSND_ERR_NOMEM. log_reader_close in any case.
 */
DSND_MUST_CHECK
enum dsnd_err log_reader_open(struct log_reader *self, int fd, uint64_t offset, uint64_t lines);
void log_reader_close(struct log_reader *self);

/*
 * The next line without its end, borrowed until the next call. DSND_ERR_NOT_FOUND: there is no
 * whole line now; where `is_last`, what stands behind the last line end is a line, too.
 * DSND_ERR_LIMIT: a line too long was passed over. DSND_ERR_IO, DSND_ERR_CORRUPT, DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err log_reader_next(struct log_reader *self, bool is_last, struct dsnd_str *ret_line);

#endif
