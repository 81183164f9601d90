/*
 * From a request that is let in (api/admit.h) to its answer: the body, the handler, then what all
 * answers share (ETag, stored answers, problems for errors). Private to api/.
 */
#ifndef DSND_API_DISPATCH_H
#define DSND_API_DISPATCH_H

#include "api/request.h"

/* Take octets of the body. False: too many to throw away; cut the connection. */
bool dispatch_body(struct request *self, struct dsnd_str octets);
/*
 * The request is whole: make the answer at once where that takes no longer than handing it to a
 * worker. False: it does, or the database is slow today.
 */
bool dispatch_quick(struct request *self);
/* Make the answer, or set `waiting`. */
void dispatch_run(struct request *self);

/* The next octets of a streamed answer in place of those before; the stream's state says the rest.
 */
void dispatch_page(struct request *self);
/* The answer is on its way, or nobody takes it any more: what the request keeps goes back. */
void dispatch_end(struct request *self);

#endif
