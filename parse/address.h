/*
 * Mail addresses as reports write them: with types, brackets, quotes, source routes, comments and
 * escapes. Views borrow unless an arena is passed. Pure, any thread, linear time.
 */
#ifndef DSND_PARSE_ADDRESS_H
#define DSND_PARSE_ADDRESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/*
 * local@domain: a dot-string (leniently: any atoms and dots, UTF-8 too) or a quoted string, then a
 * domain name or an address literal; nothing around it.
 */
bool address_is_mail(struct dsnd_str s);

/*
 * What is left of `s` without white space, comments, a display name, "<" and ">", a source route
 * ("@a,@b:") and quotes around the whole; "mailto:" goes too.
 */
struct dsnd_str address_bare(struct dsnd_str s);

/*
 * The address of a field such as "rfc822; a@b" or "utf-8; ..." (RFC 3464 section 2.1.2, RFC 6533
 * section 3): its type removed, escapes decoded. `is_original` decodes xtext where it must be
 * xtext. The result need not be a mail address. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err address_from_field(struct dsnd_arena *arena, struct dsnd_str value, bool is_original,
                                 struct dsnd_str *ret_address);

/*
 * The next mail address in prose at or behind `*at`, which moves behind it; absent at the end. Its
 * domain has a dot or is a literal.
 */
struct dsnd_str address_next(struct dsnd_str text, size_t *at);

#endif
