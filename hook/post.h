/*
 * One POST to a webhook's endpoint, through libcurl: signed, without redirects, bounded in time and
 * octets, and to no address it must not reach. That is looked at when the socket is made, so no
 * name that resolves otherwise a moment later gets past it. A struct serves one thread.
 */
#ifndef DSND_HOOK_POST_H
#define DSND_HOOK_POST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct hook_settings {
    bool allow_private; /* addresses that are not public */
    bool allow_http;    /* without TLS */
    uint64_t timeout_ms;
};

struct hook_message {
    const char *url;
    struct dsnd_str secret;
    struct dsnd_str old_secret; /* signs too while it is followed by `secret`; absent: none */
    const char *id;             /* webhook-id */
    int64_t timestamp;          /* seconds since 1970 */
    struct dsnd_str body;
};

enum { HOOK_REASON_SIZE = 256 };

struct hook_answer {
    int status;                    /* of HTTP; 0: none came */
    char reason[HOOK_REASON_SIZE]; /* why it failed; "" where it did not */
};

struct hook_poster;

/* Once, before any thread. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err hook_global_init(void);

/* `settings` are copied. NULL without memory. */
struct hook_poster *hook_poster_new(const struct hook_settings *settings);
void hook_poster_free(struct hook_poster *self);

/*
 * Whether the endpoint took it: it answered 2xx. `stop` (may be NULL) ends the wait when it becomes
 * true. `*ret_answer` is always set.
 */
bool hook_post(struct hook_poster *self, const struct hook_message *message,
               const atomic_bool *stop, struct hook_answer *ret_answer);

#endif
