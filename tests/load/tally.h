/*
 * What the API has to show of the demonstration, reckoned from what is sent and from nothing else.
 * One thread.
 */
#ifndef DSND_TESTS_LOAD_TALLY_H
#define DSND_TESTS_LOAD_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/load/outcome.h"

/* How a delivery ends, as far as reports tell. */
enum ending { ENDING_NONE, ENDING_FAILED, ENDING_DELIVERED, ENDING_RELAYED };

/* One delivery. */
struct fate {
    unsigned weight; /* in 10,000 */
    bool delayed;    /* a delay is reported first */
    enum ending ending;
    bool complaint;
    bool auto_reply;
    bool twice;     /* the last report comes twice, octet by octet */
    bool forwarded; /* the report names somebody else, as forwarding hosts do */
};

struct tally_counts {
    uint64_t failed;
    uint64_t delivered;
    uint64_t handed_off;
    uint64_t delay_open;
    uint64_t delayed;
    uint64_t complained;
};

enum { TALLY_PROVIDERS_MAX = 32 };

struct tally {
    uint64_t sent;
    uint64_t messages; /* over SMTP, duplicates included */
    uint64_t duplicates;
    uint64_t unattributed; /* forged or unsigned */
    uint64_t hard, soft, block;
    uint64_t suppressed; /* addresses */
    uint64_t classes[REPORT_CLASS_COUNT];
    struct tally_counts all;
    struct {
        const char *name;
        struct tally_counts counts;
    } providers[TALLY_PROVIDERS_MAX];
    size_t provider_count;
};

/* Take a delivery into account, with the outcome that its reports tell of. */
void tally_add(struct tally *self, const struct fate *fate, const struct outcome *outcome);

/* One JSON object. Errors as dsnd_buf_addf. */
DSND_MUST_CHECK
enum dsnd_err tally_write(const struct tally *self, const char *campaign, struct dsnd_buf *out);

#endif
