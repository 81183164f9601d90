/*
 * Inside of a set of providers. Not for other modules than those of providers.
 */
#ifndef DSND_PARSE_PROVIDER_SET_H
#define DSND_PARSE_PROVIDER_SET_H

#include "base/arena.h"
#include "parse/provider.h"

struct provider_host {
    struct dsnd_str domain; /* lower case */
    size_t family;
};

struct provider_set {
    struct dsnd_arena arena;
    struct dsnd_str *names; /* of families that are not built in; their indices follow those */
    size_t name_count;
    struct provider_host *hosts;
    size_t host_count;
    char version[PROVIDER_VERSION_CHARS];
};

#endif
