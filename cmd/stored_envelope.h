/*
 * Whom a stored message was sent to: its SMTP envelope is gone, but the server that stored it may
 * have written it into the header. One thread.
 */
#ifndef DSND_CMD_STORED_ENVELOPE_H
#define DSND_CMD_STORED_ENVELOPE_H

#include "base/str.h"
#include "parse/return_path.h"

/*
 * The first address in Delivered-To, X-Original-To, Envelope-To, X-Envelope-To, X-Rcpt-To or To
 * that has the form of a return path; else the first address of the first of them that is there;
 * absent where none is. Borrows from `message`; `*ret_header` is the header's name, static.
 */
struct dsnd_str stored_envelope_to(struct dsnd_str message, const char **ret_header);

#endif
