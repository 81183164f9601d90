/*
 * A diagnostic text made ready for matching: at most 4 KiB, white space squeezed, the code that
 * begins each further line of a reply taken out, in the case it came in and in lower case. Two
 * forms with equal offsets, so that what matched can be shown as it was written. One thread.
 */
#ifndef DSND_PARSE_RULE_TEXT_H
#define DSND_PARSE_RULE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
    RULE_TEXT_MAX = 4096,
    RULE_WINDOW = 4,            /* octets of one window */
    RULE_WINDOW_BITS = 1 << 14, /* of the hashed set of windows */
};

struct rule_text {
    size_t len;
    char plain[RULE_TEXT_MAX];
    char lower[RULE_TEXT_MAX];
    /* Which windows of four octets of `lower` there are; may say yes too often, never no. */
    uint64_t windows[RULE_WINDOW_BITS / 64];
};

/* Octets beyond RULE_TEXT_MAX are left out. */
void rule_text_set(struct rule_text *self, struct dsnd_str text);

/* The place of a window of RULE_WINDOW octets in the set. */
uint16_t rule_window_hash(const char *octets);

static inline bool rule_text_has_window(const struct rule_text *self, uint16_t hash)
{
    return self->windows[hash / 64] >> (hash % 64) & 1;
}

#endif
