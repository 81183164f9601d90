/*
 * Content of a message in a session: DATA (RFC 5321 section 4.1.1.4) and BDAT (RFC 3030), and what
 * is answered when it is whole.
 */
#include <assert.h>
#include <inttypes.h>

#include "ingest/smtp_envelope.h"
#include "ingest/smtp_session_parts.h"

enum { SKIP_FACTOR = 4, SKIP_EXTRA = 1024 * 1024 };

/* Content that is too much to be skipped: the session must end to stop it. */
static uint64_t skip_max(const struct smtp_session *self)
{
    return self->settings->max_size * SKIP_FACTOR + SKIP_EXTRA;
}

/* LMTP answers the end of content once for each recipient (RFC 2033 section 4.2). */
static size_t answers(const struct smtp_session *self)
{
    return self->options.lmtp ? self->transaction.recipient_count : 1;
}

static void refuse_content(struct smtp_session *self, enum smtp_reply reply, struct dsnd_buf *out)
{
    size_t count = answers(self);

    smtp_session_set_state(self, SMTP_STATE_READY);
    /* Told to each recipient, but counted once, by the last. */
    for (size_t i = 1; i < count && self->state != SMTP_STATE_CLOSED; i++)
        if (smtp_reply_add(out, reply))
            smtp_session_set_state(self, SMTP_STATE_CLOSED);
    if (self->state != SMTP_STATE_CLOSED)
        smtp_session_say(self, reply, out);
}

/* All content is here: hand it out, or say why not. */
static void end_content(struct smtp_session *self, struct dsnd_buf *out)
{
    enum smtp_reply reply = smtp_envelope_content(self->settings, &self->transaction, &self->dot);

    if (reply == SMTP_REPLY_OK)
        smtp_session_set_state(self, SMTP_STATE_COMMIT);
    else
        refuse_content(self, reply, out);
}

void smtp_session_on_data(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    (void)argument;
    if (self->transaction.params.body == SMTP_BODY_BINARYMIME) {
        smtp_session_say(self, SMTP_REPLY_BINARY_NEEDS_BDAT, out);
        return;
    }
    smtp_dot_clear(&self->dot);
    smtp_session_set_state(self, SMTP_STATE_DATA);
    smtp_session_say(self, SMTP_REPLY_GO_AHEAD, out);
}

static void put_content(void *context, struct dsnd_str octets)
{
    struct smtp_session *self = context;

    smtp_transaction_put(&self->transaction, octets);
}

void smtp_session_feed_data(struct smtp_session *self, struct dsnd_str *in, struct dsnd_buf *out)
{
    if (smtp_dot_feed(&self->dot, in, put_content, self))
        end_content(self, out);
    else if (self->transaction.octets > skip_max(self))
        smtp_session_close(self, SMTP_REPLY_TOO_LARGE, out);
}

static void end_chunk(struct smtp_session *self, struct dsnd_buf *out)
{
    enum dsnd_err failure = self->transaction.failure;
    bool kept = self->chunk_reply == SMTP_REPLY_CHUNK_OK;

    smtp_session_set_state(self, self->after_chunk);
    if (kept && self->chunk_last) {
        end_content(self, out);
        return;
    }
    /* One reply in LMTP too: only the last chunk is answered for each recipient. */
    if (kept && failure) {
        self->chunk_reply = failure == DSND_ERR_LIMIT ? SMTP_REPLY_TOO_LARGE : SMTP_REPLY_NO_MEMORY;
        smtp_session_set_state(self, SMTP_STATE_READY);
    }
    smtp_session_say(self, self->chunk_reply, out);
}

void smtp_session_feed_chunk(struct smtp_session *self, struct dsnd_str *in, struct dsnd_buf *out)
{
    size_t len = in->len < self->chunk_left ? in->len : (size_t)self->chunk_left;

    if (self->chunk_reply == SMTP_REPLY_CHUNK_OK)
        smtp_transaction_put(&self->transaction, dsnd_str_slice(*in, 0, len));
    self->chunk_left -= len;
    *in = dsnd_str_slice(*in, len, in->len);
    if (!self->chunk_left)
        end_chunk(self, out);
}

/* BDAT in each state: its octets follow at once, so even a refused chunk must be skipped. */
void smtp_session_on_bdat(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    static const enum smtp_reply refusals[] = {
        [SMTP_STATE_START] = SMTP_REPLY_NO_HELO,     [SMTP_STATE_READY] = SMTP_REPLY_NO_MAIL,
        [SMTP_STATE_MAIL] = SMTP_REPLY_NO_RECIPIENT, [SMTP_STATE_RCPT] = SMTP_REPLY_CHUNK_OK,
        [SMTP_STATE_BDAT] = SMTP_REPLY_CHUNK_OK,
    };
    /* A message that misses a chunk is none (RFC 3030 section 2). */
    enum smtp_state after_bad = self->state == SMTP_STATE_BDAT ? SMTP_STATE_READY : self->state;
    struct smtp_chunk chunk;
    enum dsnd_err err = smtp_command_chunk(argument, &chunk);

    if (err == DSND_ERR_LIMIT || (!err && chunk.octets > skip_max(self))) {
        smtp_session_close(self, SMTP_REPLY_TOO_LARGE, out);
        return;
    }
    if (err) {
        smtp_session_set_state(self, after_bad);
        smtp_session_say(self, SMTP_REPLY_CHUNK_SYNTAX, out);
        return;
    }
    self->chunk_reply = chunk.bad ? SMTP_REPLY_CHUNK_SYNTAX : refusals[self->state];
    self->chunk_left = chunk.octets;
    self->chunk_last = chunk.last;
    self->after_chunk = self->chunk_reply == SMTP_REPLY_CHUNK_OK ? SMTP_STATE_BDAT : after_bad;
    if (self->state == SMTP_STATE_RCPT)
        smtp_dot_clear(&self->dot);
    smtp_session_set_state(self, SMTP_STATE_CHUNK);
    if (!chunk.octets)
        end_chunk(self, out);
}

/* ---- a message that is whole ---- */

static enum journal_source source_of(const struct smtp_session *self)
{
    if (self->options.submit)
        return JOURNAL_SOURCE_SUBMISSION;
    return self->options.lmtp ? JOURNAL_SOURCE_LMTP : JOURNAL_SOURCE_SMTP;
}

void smtp_session_message(const struct smtp_session *self, struct journal_message *ret_message)
{
    const struct smtp_transaction *transaction = &self->transaction;

    assert(self->state == SMTP_STATE_COMMIT);
    *ret_message = (struct journal_message){
        .source = source_of(self),
        .tls = self->options.tls,
        .smtputf8 = transaction->params.smtputf8,
        .body_8bit = transaction->params.body != SMTP_BODY_7BIT,
        .ret = transaction->params.ret,
        .helo = dsnd_str_of(self->helo),
        .mail_from = transaction->mail_from,
        .envelope_id = transaction->params.envelope_id,
        .recipients = transaction->recipients,
        .recipient_count = transaction->recipient_count,
        .octets = dsnd_buf_str(&transaction->content),
    };
    if (!ret_message->octets.ptr)
        ret_message->octets = DSND_STR("");
}

void smtp_session_handed_over(struct smtp_session *self)
{
    assert(self->state == SMTP_STATE_COMMIT);
    smtp_transaction_drop_content(&self->transaction);
}

static enum smtp_reply result_refusal(enum dsnd_err err)
{
    if (err == DSND_ERR_LIMIT)
        return SMTP_REPLY_NO_SPACE;
    return err == DSND_ERR_NOMEM ? SMTP_REPLY_NO_MEMORY : SMTP_REPLY_JOURNAL_FAILED;
}

void smtp_session_result(struct smtp_session *self, enum dsnd_err err, uint64_t sequence,
                         struct dsnd_buf *out)
{
    size_t count = answers(self);

    assert(self->state == SMTP_STATE_COMMIT);
    if (err) {
        refuse_content(self, result_refusal(err), out);
        return;
    }
    smtp_session_set_state(self, SMTP_STATE_READY);
    self->errors = 0;
    for (size_t i = 0; i < count && self->state != SMTP_STATE_CLOSED; i++)
        if (smtp_reply_addf(out, 250, ' ', "2.0.0 Ok: queued as %016" PRIx64, sequence))
            smtp_session_set_state(self, SMTP_STATE_CLOSED);
}
