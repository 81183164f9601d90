/*
 * How long to wait after a failed attempt. Pure, any thread.
 */
#ifndef DSND_HOOK_BACKOFF_H
#define DSND_HOOK_BACKOFF_H

#include <stdint.h>

/* The longest wait without its jitter. */
enum { HOOK_BACKOFF_MAX_MS = 4 * 3600 * 1000 };

/*
 * Milliseconds until the next attempt, when `failures` attempts in a row failed before this one:
 * 5 s, doubled each time, up to HOOK_BACKOFF_MAX_MS; and up to a fifth more by `random`, so that
 * endpoints that failed together do not come back together.
 */
int64_t hook_backoff_ms(int64_t failures, uint32_t random);

#endif
