/*
 * What a status record looks like, for every resource that shows one. Private to api/.
 */
#ifndef DSND_API_STATUSES_H
#define DSND_API_STATUSES_H

#include <stdbool.h>

#include "api/rows_out.h"
#include "store/query_status.h"

extern const struct field statuses_fields[STORE_STATUS_COLUMNS];

/* A number as ids are. */
bool statuses_is_id(struct dsnd_str text);

#endif
