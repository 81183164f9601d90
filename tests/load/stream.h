/*
 * An endless stream of distinct reports for measurements: one for each delivery, of many campaigns,
 * in all shapes. One thread.
 */
#ifndef DSND_TESTS_LOAD_STREAM_H
#define DSND_TESTS_LOAD_STREAM_H

#include "parse/return_path.h"
#include "tests/load/sender.h"

enum { STREAM_CAMPAIGNS = 20 };

struct stream {
    const struct return_path_keys *keys;
    const char *domain;
    uint64_t first_id; /* another number, other deliveries */
    uint64_t count;
    uint64_t rate; /* messages a second at most; 0: as many as are asked for */
    /* Private. */
    int64_t begun_ms;
    uint64_t made;
    struct dsnd_buf message;
    char address[RETURN_PATH_SIZE];
};

void stream_init(struct stream *self, const struct return_path_keys *keys, const char *domain,
                 uint64_t first_id, uint64_t count);
void stream_done(struct stream *self);

/* The next message; none after `count`. `context` is the stream. */
DSND_MUST_CHECK
enum dsnd_err stream_next(void *context, struct sender_message *ret_message, bool *ret_any);

#endif
