/*
 * What the reply to EHLO and LHLO offers: only what is honoured on the listener at hand. Pure, any
 * thread.
 */
#ifndef DSND_INGEST_SMTP_CAPABILITY_H
#define DSND_INGEST_SMTP_CAPABILITY_H

#include "ingest/smtp_session.h"

/* Append the whole reply. Errors as dsnd_buf_add; part of it may have been appended then. */
DSND_MUST_CHECK
enum dsnd_err smtp_capability_list(const struct smtp_session_settings *settings,
                                   const struct smtp_session_options *options,
                                   struct dsnd_buf *out);

#endif
