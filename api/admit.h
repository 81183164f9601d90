/*
 * Whether a request is let in: its head, the rate of its client, route, token, and how long its
 * body may be. Private to api/.
 */
#ifndef DSND_API_ADMIT_H
#define DSND_API_ADMIT_H

#include "api/request.h"

enum { ADMIT_DRAIN_MAX = 32 * 1024 * 1024 }; /* of a refused body, so that the client reads why */

/* Look at the head, before any of the body: the request is refused (`answered`), let in, or
 * `asks_token`. Asks the database nothing. */
void admit_begin(struct request *self, const struct head_line *line);
/* Then: whose token it is, and the rest. */
void admit_token(struct request *self);
/* It is refused, and the answer must go out now, behind which the library closes: neither its head
 * nor its body can be trusted to end where the next request begins, or is worth waiting for. */
bool admit_refuses(struct request *self);
/* The body is longer than any may be. */
void admit_refuse_body(struct request *self);

#endif
