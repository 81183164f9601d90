/*
 * What forwarders and gateways put around a return path: BATV (draft-levine-smtp-batv: prvs=),
 * Barracuda's btv1==, SRS0 and SRS1 (the Sender Rewriting Scheme) and Exchange Online's +SRS=. Pure
 * functions, any thread.
 */
#ifndef DSND_PARSE_RETURN_PATH_UNWRAP_H
#define DSND_PARSE_RETURN_PATH_UNWRAP_H

#include "base/str.h"

struct return_path_parts {
    struct dsnd_str local;
    struct dsnd_str domain;
};

/*
 * Take off every layer, in any order and case, at most eight of them. The views borrow from what
 * they came from; without a layer nothing changes. What looks like a layer but is malformed stays.
 */
void return_path_unwrap(struct return_path_parts *parts);

#endif
