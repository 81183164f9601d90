/*
 * What the records of a batch that change take from counts and lists, and what they add. Private to
 * store/.
 */
#ifndef DSND_STORE_RECLASSIFY_HARVEST_H
#define DSND_STORE_RECLASSIFY_HARVEST_H

#include "store/reclassify_span.h"

struct hit_row {
    int64_t campaign_id;
    int32_t day;
    struct dsnd_str rule;
    struct dsnd_str version;
};

struct address_row {
    struct dsnd_str hash;
    int64_t key;
    int64_t campaign_id; /* 0: of an address */
    struct dsnd_str ref;
};

struct change_row {
    int64_t status_id;
    struct dsnd_str hash;
    int64_t campaign_id;
    struct dsnd_str ref;
    int64_t us;
    int16_t action;
    int16_t klass;
    int16_t permanence;
    int16_t evidence;
    struct dsnd_str proven;
    struct dsnd_str provider;
    struct dsnd_str diagnostic;
    int16_t kind;
    int16_t feedback;
    int16_t fault;
    int16_t cause;
};

/* Everything that is collected in one walk over the records that change. */
struct again_harvest {
    struct hit_row *hits_old;
    size_t hit_old_count;
    struct hit_row *hits_new;
    size_t hit_new_count;
    struct write_candidate *guard_old;
    size_t guard_old_count;
    struct write_candidate *guard_new;
    size_t guard_new_count;
    struct address_row *addresses;
    size_t address_count;
    struct change_row *changes;
    size_t change_count;
    int64_t *ids; /* rows of status to be dropped */
    size_t id_count;
};

/* One walk over the records that change; everything lies in the span's arena. */
DSND_MUST_CHECK
enum dsnd_err again_harvest(struct again *self, struct again_harvest *h);

#endif
