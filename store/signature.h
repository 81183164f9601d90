/*
 * What texts of the same cause have in common. Pure, any thread.
 */
#ifndef DSND_STORE_SIGNATURE_H
#define DSND_STORE_SIGNATURE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { STORE_SIGNATURE_MAX = 200, STORE_MASKED_MAX = 500 };

/*
 * `text` in lower case (ASCII) without words that name somebody or something single: those with an
 * '@', and those of 8 octets and more that hold a digit; other runs of digits become one '0',
 * whatever parts words becomes one space. At most STORE_SIGNATURE_MAX octets, cut between
 * characters; may become empty. Linear. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err store_text_signature(struct dsnd_arena *arena, struct dsnd_str text,
                                   struct dsnd_str *ret_signature);

/*
 * `text` with "..." in the place of every word that holds an '@', so that it names nobody; at most
 * STORE_MASKED_MAX octets, cut between characters. Linear. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err store_text_mask(struct dsnd_arena *arena, struct dsnd_str text,
                              struct dsnd_str *ret_masked);

#endif
