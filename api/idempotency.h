/*
 * Idempotency-Key on POST: the first answer under a key is stored and given again for the same
 * request, so that a client that lost the answer can repeat it without doing its work twice.
 */
#ifndef DSND_API_IDEMPOTENCY_H
#define DSND_API_IDEMPOTENCY_H

#include <stdbool.h>

#include "api/request.h"

/*
 * Claim the request's key where it has one and its route honours it: `*ret_keyed` asks for
 * idempotency_end. Where an answer is known, or the key is bad, the request is answered.
 */
DSND_MUST_CHECK
enum dsnd_err idempotency_begin(struct request *self, struct store_conn *conn, bool *ret_keyed);
/*
 * Store the answer in one transaction with what the request did, or forget the key where it is a
 * failure of ours or a request we cannot read: then nothing is done. DSND_ERR_UNAVAILABLE: it is
 * not known which; to be repeated.
 */
DSND_MUST_CHECK
enum dsnd_err idempotency_end(struct request *self, struct store_conn *conn);

#endif
