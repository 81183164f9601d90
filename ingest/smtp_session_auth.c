/*
 * AUTH in a session of submission (RFC 4954): its place among the commands, and the exchange.
 */
#include "ingest/smtp_session_parts.h"

void smtp_session_auth_put(struct smtp_session *self, struct dsnd_str line, bool begins,
                           struct dsnd_buf *out)
{
    enum dsnd_err err = smtp_auth_put(&self->auth, line, begins);

    smtp_session_set_state(self, err ? SMTP_STATE_READY : SMTP_STATE_VERIFY);
    if (err)
        smtp_session_say(
            self, err == DSND_ERR_SYNTAX ? SMTP_REPLY_AUTH_SYNTAX : SMTP_REPLY_AUTH_UNAVAILABLE,
            out);
}

void smtp_session_verify(struct smtp_session *self)
{
    self->auth_reply = smtp_auth_run(&self->auth, self->settings->users, self->options.tls);
}

void smtp_session_verified(struct smtp_session *self, struct dsnd_buf *out)
{
    enum smtp_reply reply = self->auth_reply;
    bool more = reply == SMTP_REPLY_AUTH_CHALLENGE;

    smtp_session_set_state(self, more ? SMTP_STATE_AUTH : SMTP_STATE_READY);
    if (!more)
        smtp_session_say(self, reply, out);
    else if (smtp_reply_addf(out, 334, ' ', "%s", self->auth.challenge ? self->auth.challenge : ""))
        smtp_session_set_state(self, SMTP_STATE_CLOSED);
    self->authenticated |= reply == SMTP_REPLY_AUTH_OK;
    self->pause |= reply == SMTP_REPLY_AUTH_FAILED;
}

void smtp_session_on_auth(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    if (!self->options.submit)
        smtp_session_say(self, SMTP_REPLY_NOT_OFFERED, out);
    else if (self->state != SMTP_STATE_READY)
        smtp_session_say(
            self, self->state == SMTP_STATE_START ? SMTP_REPLY_NO_HELO : SMTP_REPLY_BAD_SEQUENCE,
            out);
    else if (self->authenticated)
        smtp_session_say(self, SMTP_REPLY_AUTH_TWICE, out);
    else if (!argument.len)
        smtp_session_say(self, SMTP_REPLY_ARGUMENT_NEEDED, out);
    else if (self->options.starttls && !self->options.tls)
        smtp_session_say(self, SMTP_REPLY_AUTH_NEEDS_TLS, out);
    else
        smtp_session_auth_put(self, argument, true, out);
}

void smtp_session_auth_leave(struct smtp_session *self)
{
    smtp_auth_clear(&self->auth);
    if (self->state == SMTP_STATE_AUTH)
        smtp_session_set_state(self, SMTP_STATE_READY);
}
