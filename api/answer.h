/*
 * What every answer has in common: its headers, and that it is counted. Private to api/.
 */
#ifndef DSND_API_ANSWER_H
#define DSND_API_ANSWER_H

#include "api/request.h"

struct MHD_Response;

/* Into the metrics by status, and into the log where the fault is ours. */
void answer_count(const struct request *request);
/* Those of all answers, and those of the request. */
void answer_headers(const struct request *request, struct MHD_Response *response);

#endif
