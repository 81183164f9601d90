/*
 * Results of fallible functions. Zero is success; each constant says what the caller may rely on.
 */
#ifndef DSND_BASE_ERR_H
#define DSND_BASE_ERR_H

#define DSND_MUST_CHECK __attribute__((warn_unused_result))
#define DSND_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum dsnd_err {
    DSND_OK = 0,
    DSND_ERR_NOMEM,       /* an allocation failed or its cap was reached; nothing was changed */
    DSND_ERR_IO,          /* a system call failed; errno is still set */
    DSND_ERR_LIMIT,       /* input is larger, deeper or more numerous than the limit */
    DSND_ERR_SYNTAX,      /* input breaks the grammar that the callee names */
    DSND_ERR_CORRUPT,     /* stored octets fail their checksum or their framing */
    DSND_ERR_NOT_FOUND,   /* what was asked for does not exist */
    DSND_ERR_CONFLICT,    /* what was asked for contradicts what exists; nothing was changed */
    DSND_ERR_REFUSED,     /* well formed, but not allowed here; nothing was changed */
    DSND_ERR_UNAVAILABLE, /* a peer or the database is away; the same call may succeed later */
    DSND_ERR_VERSION,     /* stored data has a format or schema that this program must not touch */
};

/* The constant's meaning in a few words, for log lines and messages; a static string. */
const char *dsnd_err_text(enum dsnd_err err);

#endif
