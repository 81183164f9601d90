#include "ingest/smtp_conn.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

enum {
    HANDSHAKE_MS = 30 * 1000, /* at most; less where idle_timeout is */
    GRACE_MS = 30 * 1000,     /* the same, before content must flow at min_rate */
    PAUSE_MS = 1000,
    LINGER_MS = 2000,
    DRAIN_LINGER_MS = 500,
    KEEP_OCTETS = 1024, /* buffers up to this size are kept by an idle connection */
};

enum io {
    IO_OK,
    IO_AGAIN, /* the socket takes or has no more now */
    IO_EOF,
    IO_FAILED,
};

/* ---- octets ---- */

static enum io io_of_tls(struct smtp_conn *self, enum tls_status status)
{
    switch (status) {
    case TLS_OK:
        return IO_OK;
    case TLS_WANT_READ:
        return IO_AGAIN;
    case TLS_WANT_WRITE:
        self->tls_write = true;
        return IO_AGAIN;
    case TLS_CLOSED:
        return IO_EOF;
    case TLS_FAILED:
        break;
    }
    return IO_FAILED;
}

static enum io io_of_errno(ssize_t n)
{
    if (n == 0)
        return IO_EOF;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? IO_AGAIN : IO_FAILED;
}

static enum io receive(struct smtp_conn *self, size_t size, size_t *ret_len)
{
    char *dst = self->loop->buffer;
    ssize_t n;

    if (self->tls)
        return io_of_tls(self, tls_stream_read(self->tls, dst, size, ret_len));
    n = recv(self->fd, dst, size, 0);
    if (n <= 0)
        return io_of_errno(n);
    *ret_len = (size_t)n;
    return IO_OK;
}

static enum io transmit(struct smtp_conn *self, struct dsnd_str octets, size_t *ret_len)
{
    ssize_t n;

    if (self->tls)
        return io_of_tls(self, tls_stream_write(self->tls, octets, ret_len));
    n = send(self->fd, octets.ptr, octets.len, MSG_NOSIGNAL);
    if (n <= 0)
        return io_of_errno(n);
    *ret_len = (size_t)n;
    return IO_OK;
}

/* Give memory back that an idle connection does not need. */
static void trim(struct dsnd_buf *buf)
{
    dsnd_buf_clear(buf);
    if (buf->size > KEEP_OCTETS)
        dsnd_buf_done(buf);
}

/* Send what waits: IO_OK when all of it is gone. */
static enum io flush(struct smtp_conn *self)
{
    while (self->sent < self->out.len) {
        struct dsnd_str rest = dsnd_str_slice(dsnd_buf_str(&self->out), self->sent, self->out.len);
        size_t len = 0;
        enum io io = transmit(self, rest, &len);

        if (io != IO_OK)
            return io == IO_EOF ? IO_FAILED : io;
        self->sent += len;
    }
    self->sent = 0;
    trim(&self->out);
    return IO_OK;
}

/* ---- life ---- */

static void set_phase(struct smtp_conn *self, enum smtp_phase phase)
{
    assert(self->phase != SMTP_PHASE_DEAD || phase == SMTP_PHASE_DEAD);
    self->phase = phase;
}

static void on_refused(void *context, enum smtp_reply reply)
{
    const struct smtp_conn *self = context;
    const struct smtp_reply_text *row = smtp_reply_text(reply);

    if (row->metric != SMTP_REPLY_UNCOUNTED)
        metrics_add(row->metric, 1);
    log_event(LOG_LEVEL_INFO, "smtp.reject", "session=%06" PRIx64 " peer=%s reply=%u reason=%s",
              self->id, self->peer, row->code, row->reason);
}

static void release(struct smtp_conn *self)
{
    struct smtp_loop *loop = self->loop;

    TAILQ_REMOVE(&loop->conns, self, link);
    loop->conn_count--;
    if (self->counted)
        smtp_peers_leave(loop->shared->peers, &self->peer_key);
    smtp_shared_release(loop->shared, self->generation);
    metrics_set(METRIC_SMTP_SESSIONS, atomic_fetch_sub(&loop->shared->sessions, 1) - 1);
    smtp_session_done(&self->session);
    dsnd_buf_done(&self->out);
    dsnd_buf_done(&self->pending);
    free(self);
}

/* The socket goes at once; the rest stays while the journal points at it. */
static void bury(struct smtp_conn *self)
{
    if (self->fd >= 0) {
        (void)event_del(&self->read_event);
        (void)event_del(&self->write_event);
        if (self->tls)
            tls_stream_free(self->tls);
        self->tls = NULL;
        (void)close(self->fd);
        self->fd = -1;
        log_event(LOG_LEVEL_DEBUG, "smtp.disconnect", "session=%06" PRIx64 " peer=%s", self->id,
                  self->peer);
    }
    if (!self->committing)
        release(self);
}

static void lose(struct smtp_conn *self)
{
    if (self->phase == SMTP_PHASE_DEAD)
        return;
    if (self->phase != SMTP_PHASE_LINGER && self->phase != SMTP_PHASE_HANDSHAKE &&
        !smtp_session_idle(&self->session) && self->session.state != SMTP_STATE_CLOSED)
        metrics_add(METRIC_SMTP_ABORTED, 1);
    set_phase(self, SMTP_PHASE_DEAD);
}

static void want(struct event *event, bool *is_set, bool wanted)
{
    if (wanted == *is_set)
        return;
    *is_set = wanted;
    if (wanted ? event_add(event, NULL) : event_del(event))
        *is_set = !wanted;
}

/* The last step of whatever happened to the connection: events as its phase needs them. */
static void settle(struct smtp_conn *self)
{
    bool unsent = self->sent < self->out.len;
    bool read;

    if (self->phase == SMTP_PHASE_DEAD) {
        bury(self);
        return;
    }
    read = self->phase == SMTP_PHASE_HANDSHAKE || self->phase == SMTP_PHASE_TALK ||
           self->phase == SMTP_PHASE_LINGER;
    /* Taking interest away costs a system call: in the other phases it is done when input comes. */
    if (read)
        want(&self->read_event, &self->readable, true);
    want(&self->write_event, &self->writable, unsent || self->tls_write);
}

/* Nothing more will be said: close our side and let the client read what we said. */
static void linger(struct smtp_conn *self, int64_t now_ms)
{
    if (self->tls)
        tls_stream_shutdown(self->tls);
    (void)shutdown(self->fd, SHUT_WR);
    set_phase(self, SMTP_PHASE_LINGER);
    self->tls_write = false;
    self->deadline_ms = now_ms + (self->loop->draining ? DRAIN_LINGER_MS : LINGER_MS);
}

/* ---- deadlines ---- */

static int64_t at_most(int64_t ms, int64_t limit_ms)
{
    return ms < limit_ms ? ms : limit_ms;
}

/*
 * Between messages the deadline runs from the end of the last command, whatever arrives of the
 * next. Within content each octet buys time at min_rate, up to idle_timeout in advance.
 */
static void set_deadline(struct smtp_conn *self, int64_t now_ms)
{
    int64_t idle = self->generation->idle_timeout_ms;
    bool content = smtp_session_in_content(&self->session);

    if (content && !self->content)
        self->deadline_ms = now_ms + at_most(idle, GRACE_MS);
    else if (!content && (self->content || smtp_line_empty(&self->session.line)))
        self->deadline_ms = now_ms + idle;
    self->content = content;
}

static void earn(struct smtp_conn *self, size_t octets, int64_t now_ms)
{
    int64_t bought = (int64_t)(octets * 1000 / self->generation->min_rate);

    if (self->content)
        self->deadline_ms =
            at_most(self->deadline_ms + bought, now_ms + self->generation->idle_timeout_ms);
}

/* ---- driving the session ---- */

static void on_result(void *context, enum dsnd_err err, uint64_t sequence)
{
    struct smtp_conn *self = context;
    struct smtp_loop *loop = self->loop;
    bool first;

    self->result = err;
    self->sequence = sequence;
    (void)pthread_mutex_lock(&loop->done_lock);
    first = !loop->done;
    self->next_done = loop->done;
    loop->done = self;
    /* Under the lock, so that the loop cannot end between the two. */
    if (first)
        smtp_loop_wake(loop);
    (void)pthread_mutex_unlock(&loop->done_lock);
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
    self->committing = true;
    self->content = false;
    set_phase(self, SMTP_PHASE_COMMIT);
    err = journal_append(self->loop->shared->journal, &message, on_result, self);
    if (!err) {
        smtp_session_handed_over(&self->session);
        return;
    }
    self->committing = false;
    set_phase(self, SMTP_PHASE_TALK);
    smtp_session_result(&self->session, err, 0, &self->out);
}

static void begin_tls(struct smtp_conn *self, int64_t now_ms)
{
    if (tls_stream_new(self->generation->tls, self->fd, &self->tls)) {
        lose(self);
        return;
    }
    set_phase(self, SMTP_PHASE_HANDSHAKE);
    self->deadline_ms = now_ms + at_most(self->generation->idle_timeout_ms, HANDSHAKE_MS);
}

/* Send what the session said; where it does not go now, `phase` waits for it. */
static bool flush_or(struct smtp_conn *self, enum smtp_phase phase, int64_t now_ms)
{
    enum io io = flush(self);

    if (io == IO_FAILED)
        lose(self);
    if (io == IO_AGAIN) {
        set_phase(self, phase);
        self->deadline_ms = now_ms + self->generation->idle_timeout_ms;
    }
    return io == IO_OK;
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
        set_phase(self, SMTP_PHASE_PAUSE);
        self->deadline_ms = now_ms + PAUSE_MS;
        break;
    case SMTP_ACTION_COMMIT:
        begin_commit(self);
        break;
    case SMTP_ACTION_TLS:
        if (flush_or(self, SMTP_PHASE_FLUSH, now_ms))
            begin_tls(self, now_ms);
        break;
    case SMTP_ACTION_CLOSE:
        set_phase(self, SMTP_PHASE_CLOSE);
        self->deadline_ms = now_ms + self->generation->idle_timeout_ms;
        break;
    }
}

/* Feed the session as far as it goes. */
static void advance(struct smtp_conn *self, struct dsnd_str *in, int64_t now_ms)
{
    enum smtp_action action;

    do {
        if (self->loop->draining && smtp_session_idle(&self->session))
            smtp_session_close(&self->session, SMTP_REPLY_SHUTDOWN, &self->out);
        action = smtp_session_feed(&self->session, in, &self->out);
        if (action == SMTP_ACTION_READ || action == SMTP_ACTION_COMMIT)
            set_deadline(self, now_ms);
        act(self, action, now_ms);
    } while (self->phase == SMTP_PHASE_TALK && action != SMTP_ACTION_READ);
}

/* What follows feeding in each phase: output, farewell. */
static void follow_up(struct smtp_conn *self, int64_t now_ms)
{
    enum io io;

    if (self->phase == SMTP_PHASE_DEAD || self->phase == SMTP_PHASE_HANDSHAKE)
        return;
    io = flush(self);
    if (io == IO_FAILED)
        lose(self);
    else if (io == IO_OK && self->phase == SMTP_PHASE_CLOSE)
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
    follow_up(self, now_ms);
}

static void take_input(struct smtp_conn *self, size_t len, int64_t now_ms)
{
    struct dsnd_str in = dsnd_str_make(self->loop->buffer, len);

    assert(!self->pending.len);
    earn(self, len, now_ms);
    advance(self, &in, now_ms);
    if (in.len && self->phase != SMTP_PHASE_HANDSHAKE && self->phase != SMTP_PHASE_CLOSE &&
        dsnd_buf_add(&self->pending, in))
        lose(self);
    follow_up(self, now_ms);
}

static void talk(struct smtp_conn *self, int64_t now_ms)
{
    enum io io = IO_OK;

    TAILQ_REMOVE(&self->loop->conns, self, link);
    TAILQ_INSERT_TAIL(&self->loop->conns, self, link);
    /* TLS may hold octets that the socket does not announce again: read until it has none. */
    while (io == IO_OK && self->phase == SMTP_PHASE_TALK) {
        size_t len = 0;

        io = receive(self, self->content ? SMTP_READ_CONTENT : SMTP_READ_COMMANDS, &len);
        if (io == IO_OK)
            take_input(self, len, now_ms);
        else if (io != IO_AGAIN)
            lose(self);
        if (!self->tls)
            break;
    }
}

static void greet(struct smtp_conn *self, int64_t now_ms)
{
    set_phase(self, SMTP_PHASE_TALK);
    smtp_session_greet(&self->session, &self->out);
    set_deadline(self, now_ms);
    follow_up(self, now_ms);
}

static void shake_hands(struct smtp_conn *self, int64_t now_ms)
{
    enum io io;

    self->tls_write = false;
    io = io_of_tls(self, tls_stream_handshake(self->tls));
    if (io == IO_AGAIN)
        return;
    metrics_add(io == IO_OK ? METRIC_SMTP_TLS : METRIC_SMTP_TLS_FAILED, 1);
    if (io != IO_OK) {
        log_event(LOG_LEVEL_INFO, "smtp.tls_failed", "session=%06" PRIx64 " peer=%s", self->id,
                  self->peer);
        lose(self);
        return;
    }
    if (self->session.state == SMTP_STATE_TLS) {
        smtp_session_secured(&self->session);
        set_phase(self, SMTP_PHASE_TALK);
        set_deadline(self, now_ms);
    } else {
        greet(self, now_ms);
    }
    if (self->phase == SMTP_PHASE_TALK)
        talk(self, now_ms);
}

/* Read and drop what a client still sends after we closed. */
static void discard(struct smtp_conn *self)
{
    ssize_t n = recv(self->fd, self->loop->buffer, sizeof(self->loop->buffer), 0);

    if (n <= 0 && io_of_errno(n) != IO_AGAIN)
        lose(self);
}

/* ---- events ---- */

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct smtp_conn *self = context;
    int64_t now_ms = dsnd_clock_monotonic_ms();

    (void)fd;
    (void)what;
    switch (self->phase) {
    case SMTP_PHASE_HANDSHAKE:
        shake_hands(self, now_ms);
        break;
    case SMTP_PHASE_TALK:
        talk(self, now_ms);
        break;
    case SMTP_PHASE_LINGER:
        discard(self);
        break;
    case SMTP_PHASE_FLUSH:
    case SMTP_PHASE_PAUSE:
    case SMTP_PHASE_COMMIT:
    case SMTP_PHASE_CLOSE:
    case SMTP_PHASE_DEAD:
        want(&self->read_event, &self->readable, false);
        break;
    }
    settle(self);
}

static void go_on(struct smtp_conn *self, int64_t now_ms)
{
    set_phase(self, SMTP_PHASE_TALK);
    resume(self, now_ms);
    if (self->tls && self->phase == SMTP_PHASE_TALK)
        talk(self, now_ms);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct smtp_conn *self = context;
    int64_t now_ms = dsnd_clock_monotonic_ms();
    bool tls_write = self->tls_write;

    (void)fd;
    (void)what;
    self->tls_write = false;
    if (self->phase == SMTP_PHASE_HANDSHAKE) {
        shake_hands(self, now_ms);
    } else {
        enum io io = flush(self);

        if (io == IO_FAILED)
            lose(self);
        else if (io == IO_OK && self->phase == SMTP_PHASE_CLOSE)
            linger(self, now_ms);
        else if (io == IO_OK && self->phase == SMTP_PHASE_FLUSH)
            go_on(self, now_ms);
        else if (tls_write && self->phase == SMTP_PHASE_TALK)
            talk(self, now_ms);
    }
    settle(self);
}

/* ---- interface ---- */

static struct smtp_conn *make(struct smtp_loop *loop, const struct smtp_arrival *arrival)
{
    struct smtp_conn *self = calloc(1, sizeof(*self));
    struct smtp_session_options options = {
        .lmtp = arrival->kind == SMTP_KIND_LMTP,
        .tls = arrival->kind == SMTP_KIND_TLS,
        .refused = on_refused,
        .context = self,
    };

    if (!self)
        return NULL;
    self->loop = loop;
    self->fd = arrival->fd;
    self->counted = arrival->counted;
    self->peer_key = arrival->key;
    self->id = atomic_fetch_add(&loop->shared->next_id, 1);
    self->phase = SMTP_PHASE_TALK;
    self->out = DSND_BUF_INIT(SMTP_OUTPUT_MAX);
    self->pending = DSND_BUF_INIT(SMTP_READ_CONTENT);
    self->generation = smtp_shared_acquire(loop->shared);
    options.starttls = self->generation->tls != NULL;
    smtp_listen_text(arrival->address, self->peer);
    smtp_session_init(&self->session, &self->generation->session, &options);
    TAILQ_INSERT_TAIL(&loop->conns, self, link);
    loop->conn_count++;
    metrics_set(METRIC_SMTP_SESSIONS, atomic_fetch_add(&loop->shared->sessions, 1) + 1);
    return self;
}

/* Someone who speaks before the greeting speaks another protocol, or replays a script. */
static bool talks_early(int fd)
{
    char octet;

    return recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void welcome(struct smtp_conn *self, enum smtp_kind kind, int64_t now_ms)
{
    if (kind == SMTP_KIND_TLS) {
        begin_tls(self, now_ms);
    } else if (kind == SMTP_KIND_PLAIN && talks_early(self->fd)) {
        smtp_session_close(&self->session, SMTP_REPLY_EARLY_TALKER, &self->out);
        act(self, SMTP_ACTION_CLOSE, now_ms);
        follow_up(self, now_ms);
    } else {
        greet(self, now_ms);
    }
}

void smtp_conn_start(struct smtp_loop *loop, const struct smtp_arrival *arrival)
{
    struct smtp_conn *self = make(loop, arrival);
    int on = 1;

    if (!self) {
        if (arrival->counted)
            smtp_peers_leave(loop->shared->peers, &arrival->key);
        (void)close(arrival->fd);
        return;
    }
    (void)setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (event_assign(&self->read_event, loop->base, self->fd, EV_READ | EV_PERSIST, on_readable,
                     self) != 0 ||
        event_assign(&self->write_event, loop->base, self->fd, EV_WRITE | EV_PERSIST, on_writable,
                     self) != 0)
        lose(self);
    metrics_add(METRIC_SMTP_CONNECTIONS, 1);
    log_event(LOG_LEVEL_DEBUG, "smtp.connect", "session=%06" PRIx64 " peer=%s", self->id,
              self->peer);
    if (self->phase != SMTP_PHASE_DEAD)
        welcome(self, arrival->kind, dsnd_clock_monotonic_ms());
    settle(self);
}

void smtp_conn_committed(struct smtp_conn *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();

    assert(self->committing);
    self->committing = false;
    if (!self->result) {
        metrics_add(METRIC_SMTP_MESSAGES, 1);
        metrics_add(METRIC_SMTP_OCTETS, self->octets);
        log_event(LOG_LEVEL_INFO, "smtp.message",
                  "session=%06" PRIx64 " peer=%s sequence=%016" PRIx64 " octets=%zu recipients=%zu",
                  self->id, self->peer, self->sequence, self->octets, self->recipients);
    }
    if (self->phase != SMTP_PHASE_DEAD) {
        smtp_session_result(&self->session, self->result, self->sequence, &self->out);
        go_on(self, now_ms);
    }
    settle(self);
}

void smtp_conn_check(struct smtp_conn *self, int64_t now_ms)
{
    if (self->phase == SMTP_PHASE_COMMIT || now_ms < self->deadline_ms)
        return;
    if (self->phase == SMTP_PHASE_PAUSE) {
        go_on(self, now_ms);
    } else if (self->phase == SMTP_PHASE_TALK) {
        smtp_session_close(&self->session, self->content ? SMTP_REPLY_TOO_SLOW : SMTP_REPLY_TIMEOUT,
                           &self->out);
        metrics_add(METRIC_SMTP_ABORTED, self->content);
        act(self, SMTP_ACTION_CLOSE, now_ms);
        follow_up(self, now_ms);
    } else {
        metrics_add(METRIC_SMTP_TIMEOUTS, self->phase != SMTP_PHASE_LINGER);
        lose(self);
    }
    settle(self);
}

void smtp_conn_drain(struct smtp_conn *self, bool now)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();

    if (self->phase == SMTP_PHASE_HANDSHAKE) {
        lose(self);
    } else if ((self->phase == SMTP_PHASE_TALK || self->phase == SMTP_PHASE_PAUSE ||
                self->phase == SMTP_PHASE_FLUSH) &&
               (now || smtp_session_idle(&self->session))) {
        smtp_session_close(&self->session, SMTP_REPLY_SHUTDOWN, &self->out);
        act(self, SMTP_ACTION_CLOSE, now_ms);
        self->deadline_ms = now_ms + DRAIN_LINGER_MS;
        follow_up(self, now_ms);
    }
    settle(self);
}

bool smtp_conn_evictable(const struct smtp_conn *self)
{
    return self->phase == SMTP_PHASE_HANDSHAKE || self->phase == SMTP_PHASE_LINGER ||
           (self->phase == SMTP_PHASE_TALK && smtp_session_idle(&self->session));
}

void smtp_conn_evict(struct smtp_conn *self)
{
    metrics_add(METRIC_SMTP_EVICTED, 1);
    if (self->phase == SMTP_PHASE_TALK) {
        smtp_session_close(&self->session, SMTP_REPLY_EVICTED, &self->out);
        (void)flush(self);
    }
    lose(self);
    settle(self);
}
