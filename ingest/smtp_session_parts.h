/*
 * Between the files of the session object (smtp_session.h); nobody else includes it.
 */
#ifndef DSND_INGEST_SMTP_SESSION_PARTS_H
#define DSND_INGEST_SMTP_SESSION_PARTS_H

#include "ingest/smtp_session.h"

/* The one place where a session's state changes; outside a transaction what it held is freed. */
void smtp_session_set_state(struct smtp_session *self, enum smtp_state state);
/* Append a reply and count it. Without memory for a reply the session cannot go on. */
void smtp_session_say(struct smtp_session *self, enum smtp_reply reply, struct dsnd_buf *out);

/* The verbs DATA and BDAT with their arguments, and octets of content in the states they lead to.
 */
void smtp_session_on_data(struct smtp_session *self, struct dsnd_str argument,
                          struct dsnd_buf *out);
void smtp_session_on_bdat(struct smtp_session *self, struct dsnd_str argument,
                          struct dsnd_buf *out);
void smtp_session_feed_data(struct smtp_session *self, struct dsnd_str *in, struct dsnd_buf *out);
void smtp_session_feed_chunk(struct smtp_session *self, struct dsnd_str *in, struct dsnd_buf *out);

/* The verb AUTH with its argument. */
void smtp_session_on_auth(struct smtp_session *self, struct dsnd_str argument,
                          struct dsnd_buf *out);
/* A line of the exchange; `begins`: the argument of AUTH. */
void smtp_session_auth_put(struct smtp_session *self, struct dsnd_str line, bool begins,
                           struct dsnd_buf *out);
/* A line that is none ends the exchange. */
void smtp_session_auth_leave(struct smtp_session *self);

#endif
