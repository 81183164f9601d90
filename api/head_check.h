/*
 * The syntax of a request's head, where libmicrohttpd is more lenient than RFC 9112: what a proxy
 * in front may read in another way is refused, so that nobody can smuggle a request past it.
 */
#ifndef DSND_API_HEAD_CHECK_H
#define DSND_API_HEAD_CHECK_H

#include "base/str.h"

struct MHD_Connection;

/* How the body is framed. */
struct head_framing {
    bool has_length; /* Content-Length */
    bool chunked;    /* Transfer-Encoding: chunked */
    uint64_t octets; /* of Content-Length */
};

/* The first line, as libmicrohttpd gives it. */
struct head_line {
    const char *method; /* where it lies in the receive buffer */
    const char *url;    /* the target's path, in the same buffer */
    const char *target; /* as it was sent */
    const char *version;
};

/*
 * Zero, and `*ret_framing`, where the head is good; else the status to refuse with (400 or 501) and
 * `*ret_reason` (static) says why.
 */
int head_check(struct MHD_Connection *connection, const struct head_line *line,
               struct head_framing *ret_framing, const char **ret_reason);

#endif
