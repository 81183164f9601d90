/*
 * How a connection's session, stream and journal move each other: input to the session, its actions
 * to the stream and the journal, output to the socket. The half of smtp_conn.c that knows no
 * events. Belongs to the loop's thread.
 */
#ifndef DSND_INGEST_SMTP_DRIVE_H
#define DSND_INGEST_SMTP_DRIVE_H

#include "ingest/smtp_conn.h"

/* The earlier of the two, or the shorter. */
static inline int64_t smtp_drive_sooner(int64_t ms, int64_t limit_ms)
{
    return ms < limit_ms ? ms : limit_ms;
}

/* The only way in which a connection's phase changes. */
void smtp_drive_phase(struct smtp_conn *self, enum smtp_phase phase);
/* The connection is gone, or of no use: it will be freed by whoever handles the event. */
void smtp_drive_lose(struct smtp_conn *self);

/* Say 220 and take input. */
void smtp_drive_greet(struct smtp_conn *self, int64_t now_ms);
/* Begin the handshake. */
void smtp_drive_secure(struct smtp_conn *self, int64_t now_ms);
/* Read what has come and feed it, as far as the session goes. */
void smtp_drive_talk(struct smtp_conn *self, int64_t now_ms);
/* What the session waited for has happened: feed it what was left, then as smtp_drive_talk. */
void smtp_drive_go_on(struct smtp_conn *self, int64_t now_ms);
/* End the session with `reply`. */
void smtp_drive_end(struct smtp_conn *self, enum smtp_reply reply, int64_t now_ms);
/* Send what waits; the last of it closes our side. */
void smtp_drive_flush(struct smtp_conn *self, int64_t now_ms);
/*
 * Between messages the deadline runs from the end of the last command, whatever arrives of the
 * next. Within content each octet buys time at min_rate, up to idle_timeout in advance.
 */
void smtp_drive_deadline(struct smtp_conn *self, int64_t now_ms);

#endif
