#include "ingest/smtp_session_parts.h"

#include <assert.h>

void smtp_session_set_state(struct smtp_session *self, enum smtp_state state)
{
    assert(self->state != SMTP_STATE_CLOSED || state == SMTP_STATE_CLOSED);
    if (state == SMTP_STATE_START || state == SMTP_STATE_READY || state == SMTP_STATE_CLOSED)
        smtp_transaction_clear(&self->transaction);
    self->state = state;
}

/*
 * Whether a reply counts against the client. A recipient that is refused does not where the client
 * is an MTA that hands over mail of others, and only learns here who is one; nor does the DATA that
 * it had sent along.
 */
static bool is_error(const struct smtp_session *self, enum smtp_reply reply)
{
    bool hands_over = self->options.lmtp || self->options.submit;
    bool in_envelope = self->state == SMTP_STATE_MAIL || self->state == SMTP_STATE_RCPT;

    return smtp_reply_text(reply)->code >= 500 && !(hands_over && in_envelope);
}

void smtp_session_say(struct smtp_session *self, enum smtp_reply reply, struct dsnd_buf *out)
{
    bool error = is_error(self, reply);

    if (smtp_reply_add(out, reply)) {
        smtp_session_set_state(self, SMTP_STATE_CLOSED);
        return;
    }
    if (smtp_reply_text(reply)->code >= 400 && self->options.refused)
        self->options.refused(self->options.context, reply, error);
    if (!error)
        return;
    self->errors++;
    self->pause = self->errors > SMTP_ERRORS_SLOW;
    if (self->errors >= SMTP_ERRORS_MAX && self->state != SMTP_STATE_CLOSED)
        smtp_session_close(self, SMTP_REPLY_TOO_MANY_ERRORS, out);
}

void smtp_session_close(struct smtp_session *self, enum smtp_reply reply, struct dsnd_buf *out)
{
    if (self->state == SMTP_STATE_CLOSED)
        return;
    smtp_session_set_state(self, SMTP_STATE_CLOSED);
    smtp_session_say(self, reply, out);
}
