#include "base/err.h"

const char *dsnd_err_text(enum dsnd_err err)
{
    static const char *const texts[] = {
        [DSND_OK] = "no error",
        [DSND_ERR_NOMEM] = "out of memory",
        [DSND_ERR_IO] = "input/output error",
        [DSND_ERR_LIMIT] = "limit exceeded",
        [DSND_ERR_SYNTAX] = "syntax error",
        [DSND_ERR_CORRUPT] = "corrupt data",
        [DSND_ERR_NOT_FOUND] = "not found",
        [DSND_ERR_CONFLICT] = "conflict",
        [DSND_ERR_REFUSED] = "refused",
        [DSND_ERR_UNAVAILABLE] = "unavailable",
        [DSND_ERR_VERSION] = "wrong version",
    };

    return texts[err];
}
