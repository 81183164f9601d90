#include "ingest/smtp_drive.h"

#include <assert.h>

#include "base/clock.h"
#include "base/metrics.h"

enum {
    HANDSHAKE_MS = 30 * 1000, /* at most; less where idle_timeout is */
    GRACE_MS = 30 * 1000,     /* the same, before content must flow at min_rate */
    PAUSE_MS = 1000,
    STEADY_RATE = 8 * 1024, /* octets a second within a transaction that count as progress */
    LINGER_MS = 2000,
    DRAIN_LINGER_MS = 500,
    KEEP_OCTETS = 1024, /* buffers up to this size are kept by an idle connection */
};

/* ---- output ---- */

/* Give memory back that an idle connection does not need. */
static void trim(struct dsnd_buf *buf)
{
    dsnd_buf_clear(buf);
    if (buf->size > KEEP_OCTETS)
        dsnd_buf_done(buf);
}

/* Send what waits: SMTP_IO_OK when all of it is gone. */
static enum smtp_io flush(struct smtp_conn *self)
{
    while (self->sent < self->out.len) {
        struct dsnd_str rest = dsnd_str_slice(dsnd_buf_str(&self->out), self->sent, self->out.len);
        size_t len = 0;
        enum smtp_io io = smtp_stream_write(&self->stream, rest, &len);

        if (io != SMTP_IO_OK)
            return io == SMTP_IO_EOF ? SMTP_IO_FAILED : io;
        self->sent += len;
    }
    self->sent = 0;
    trim(&self->out);
    return SMTP_IO_OK;
}

/* ---- phases ---- */

void smtp_drive_phase(struct smtp_conn *self, enum smtp_phase phase)
{
    assert(self->phase != SMTP_PHASE_DEAD || phase == SMTP_PHASE_DEAD);
    self->phase = phase;
}

void smtp_drive_lose(struct smtp_conn *self)
{
    if (self->phase == SMTP_PHASE_DEAD)
        return;
    if (self->phase != SMTP_PHASE_LINGER && self->phase != SMTP_PHASE_HANDSHAKE &&
        !smtp_session_idle(&self->session) && self->session.state != SMTP_STATE_CLOSED)
        metrics_add(METRIC_SMTP_ABORTED, 1);
    smtp_drive_phase(self, SMTP_PHASE_DEAD);
}

/* Nothing more will be said: close our side and let the client read what we said. */
static void linger(struct smtp_conn *self, int64_t now_ms)
{
    smtp_stream_shutdown(&self->stream);
    smtp_drive_phase(self, SMTP_PHASE_LINGER);
    self->stream.wants_write = false;
    self->deadline_ms = now_ms + (self->loop->draining ? DRAIN_LINGER_MS : LINGER_MS);
}

/* ---- deadlines ---- */

void smtp_drive_deadline(struct smtp_conn *self, int64_t now_ms)
{
    int64_t idle = self->generation->idle_timeout_ms;
    bool content = smtp_session_in_content(&self->session);

    if (content && !self->content)
        self->deadline_ms = now_ms + smtp_drive_sooner(idle, GRACE_MS);
    else if (!content && (self->content || smtp_line_empty(&self->session.line)))
        self->deadline_ms = now_ms + idle;
    self->content = content;
}

static void earn(struct smtp_conn *self, size_t octets, int64_t now_ms)
{
    int64_t bought = (int64_t)(octets * 1000 / self->generation->min_rate);
    int64_t steady_ms = self->steady_ms + (int64_t)(octets * 1000 / STEADY_RATE);

    self->steady_ms =
        smtp_session_idle(&self->session) ? now_ms : smtp_drive_sooner(steady_ms, now_ms);
    if (self->content)
        self->deadline_ms = smtp_drive_sooner(self->deadline_ms + bought,
                                              now_ms + self->generation->idle_timeout_ms);
}

/* ---- actions of the session ---- */

/* Back to its loop, from another thread. */
static void hand_back(struct smtp_conn *self)
{
    struct smtp_loop *loop = self->loop;
    bool first;

    (void)pthread_mutex_lock(&loop->done_lock);
    first = !loop->done;
    self->next_done = loop->done;
    loop->done = self;
    /* Under the lock, so that the loop cannot end between the two. */
    if (first)
        smtp_loop_wake(loop);
    (void)pthread_mutex_unlock(&loop->done_lock);
}

static void on_result(void *context, enum dsnd_err err, uint64_t sequence)
{
    struct smtp_conn *self = context;

    self->result = err;
    self->sequence = sequence;
    hand_back(self);
}

static void verify(void *context)
{
    struct smtp_conn *self = context;

    smtp_session_verify(&self->session);
    hand_back(self);
}

static void begin_verify(struct smtp_conn *self)
{
    self->lent = true;
    self->work = (struct smtp_work){.run = verify, .context = self};
    smtp_drive_phase(self, SMTP_PHASE_VERIFY);
    smtp_worker_put(self->loop->shared->worker, &self->work);
}

static void begin_commit(struct smtp_conn *self)
{
    struct journal_message message;
    enum dsnd_err err;

    smtp_session_message(&self->session, &message);
    message.received_us = dsnd_clock_now_us();
    message.peer = dsnd_str_of(self->peer);
    self->octets = message.octets.len;
    self->recipients = message.recipient_count;
    self->lent = true;
    self->content = false;
    smtp_drive_phase(self, SMTP_PHASE_COMMIT);
    err = journal_append(self->loop->shared->journal, &message, on_result, self);
    if (!err) {
        smtp_session_handed_over(&self->session);
        return;
    }
    self->lent = false;
    smtp_drive_phase(self, SMTP_PHASE_TALK);
    smtp_session_result(&self->session, err, 0, &self->out);
}

void smtp_drive_secure(struct smtp_conn *self, int64_t now_ms)
{
    if (smtp_stream_secure(&self->stream, self->generation->tls)) {
        smtp_drive_lose(self);
        return;
    }
    smtp_drive_phase(self, SMTP_PHASE_HANDSHAKE);
    self->deadline_ms = now_ms + smtp_drive_sooner(self->generation->idle_timeout_ms, HANDSHAKE_MS);
}

/* Send what the session said; where it does not go now, `phase` waits for it. */
static bool flush_or(struct smtp_conn *self, enum smtp_phase phase, int64_t now_ms)
{
    enum smtp_io io = flush(self);

    if (io == SMTP_IO_FAILED)
        smtp_drive_lose(self);
    if (io == SMTP_IO_AGAIN) {
        smtp_drive_phase(self, phase);
        self->deadline_ms = now_ms + self->generation->idle_timeout_ms;
    }
    return io == SMTP_IO_OK;
}

static void act(struct smtp_conn *self, enum smtp_action action, int64_t now_ms)
{
    switch (action) {
    case SMTP_ACTION_READ:
        break;
    case SMTP_ACTION_FLUSH:
        (void)flush_or(self, SMTP_PHASE_FLUSH, now_ms);
        break;
    case SMTP_ACTION_PAUSE:
        smtp_drive_phase(self, SMTP_PHASE_PAUSE);
        self->deadline_ms = now_ms + PAUSE_MS;
        break;
    case SMTP_ACTION_VERIFY:
        begin_verify(self);
        break;
    case SMTP_ACTION_COMMIT:
        begin_commit(self);
        break;
    case SMTP_ACTION_TLS:
        if (flush_or(self, SMTP_PHASE_FLUSH, now_ms))
            smtp_drive_secure(self, now_ms);
        break;
    case SMTP_ACTION_CLOSE:
        smtp_drive_phase(self, SMTP_PHASE_CLOSE);
        self->deadline_ms = now_ms + self->generation->idle_timeout_ms;
        break;
    }
}

/* ---- feeding ---- */

/* Feed the session as far as it goes. */
static void advance(struct smtp_conn *self, struct dsnd_str *in, int64_t now_ms)
{
    enum smtp_action action;

    do {
        if (self->loop->draining && smtp_session_idle(&self->session))
            smtp_session_close(&self->session, SMTP_REPLY_SHUTDOWN, &self->out);
        action = smtp_session_feed(&self->session, in, &self->out);
        if (action == SMTP_ACTION_READ || action == SMTP_ACTION_COMMIT)
            smtp_drive_deadline(self, now_ms);
        act(self, action, now_ms);
    } while (self->phase == SMTP_PHASE_TALK && action != SMTP_ACTION_READ);
}

/* What follows feeding in each phase: output, farewell. */
void smtp_drive_flush(struct smtp_conn *self, int64_t now_ms)
{
    enum smtp_io io;

    if (self->phase == SMTP_PHASE_DEAD || self->phase == SMTP_PHASE_HANDSHAKE)
        return;
    io = flush(self);
    if (io == SMTP_IO_FAILED)
        smtp_drive_lose(self);
    else if (io == SMTP_IO_OK && self->phase == SMTP_PHASE_CLOSE)
        linger(self, now_ms);
}

/* Feed what was left of earlier input. */
static void resume(struct smtp_conn *self, int64_t now_ms)
{
    struct dsnd_str in = dsnd_buf_str(&self->pending);
    size_t before = in.len;

    advance(self, &in, now_ms);
    if (self->phase == SMTP_PHASE_HANDSHAKE || self->phase == SMTP_PHASE_CLOSE)
        in.len = 0; /* RFC 3207: nothing said in the clear counts behind the handshake */
    if (in.len)
        dsnd_buf_consume(&self->pending, before - in.len);
    else
        trim(&self->pending);
    smtp_drive_flush(self, now_ms);
}

static void take_input(struct smtp_conn *self, size_t len, int64_t now_ms)
{
    struct dsnd_str in = dsnd_str_make(self->loop->buffer, len);

    assert(!self->pending.len);
    earn(self, len, now_ms);
    advance(self, &in, now_ms);
    if (in.len && self->phase != SMTP_PHASE_HANDSHAKE && self->phase != SMTP_PHASE_CLOSE &&
        dsnd_buf_add(&self->pending, in))
        smtp_drive_lose(self);
    smtp_drive_flush(self, now_ms);
}

void smtp_drive_talk(struct smtp_conn *self, int64_t now_ms)
{
    enum smtp_io io;

    /* One read, then others have their turn; but the socket does not announce the rest of a record
     * of TLS, 16 KiB at most, again. */
    do {
        size_t len = 0;

        io = smtp_stream_read(&self->stream, self->loop->buffer,
                              self->content ? SMTP_READ_CONTENT : SMTP_READ_COMMANDS, &len);
        if (io == SMTP_IO_OK)
            take_input(self, len, now_ms);
        else if (io != SMTP_IO_AGAIN)
            smtp_drive_lose(self);
    } while (io == SMTP_IO_OK && self->phase == SMTP_PHASE_TALK &&
             smtp_stream_holds(&self->stream));
}

void smtp_drive_greet(struct smtp_conn *self, int64_t now_ms)
{
    smtp_drive_phase(self, SMTP_PHASE_TALK);
    smtp_session_greet(&self->session, &self->out);
    smtp_drive_deadline(self, now_ms);
    smtp_drive_flush(self, now_ms);
}

void smtp_drive_go_on(struct smtp_conn *self, int64_t now_ms)
{
    smtp_drive_phase(self, SMTP_PHASE_TALK);
    resume(self, now_ms);
    if (self->stream.tls && self->phase == SMTP_PHASE_TALK)
        smtp_drive_talk(self, now_ms);
}

void smtp_drive_end(struct smtp_conn *self, enum smtp_reply reply, int64_t now_ms)
{
    smtp_drive_phase(self, SMTP_PHASE_TALK);
    smtp_session_close(&self->session, reply, &self->out);
    act(self, SMTP_ACTION_CLOSE, now_ms);
    smtp_drive_flush(self, now_ms);
}
