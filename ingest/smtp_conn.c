#include "ingest/smtp_conn.h"

#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ingest/smtp_drive.h"

enum {
    PROXY_MS = 5 * 1000, /* for a balancer's header */
    DRAIN_END_MS = 500,  /* for the last words of a session at the end of the receiver */
};

/* ---- life ---- */

static void on_refused(void *context, enum smtp_reply reply, bool error)
{
    const struct smtp_conn *self = context;
    const struct smtp_reply_text *row = smtp_reply_text(reply);

    if (row->metric != SMTP_REPLY_UNCOUNTED)
        metrics_add(row->metric, 1);
    smtp_talkers_count(&self->loop->shared->talkers, &self->peer_key);
    if (error)
        (void)smtp_peers_count(self->loop->shared->peers, &self->peer_key, SMTP_PEERS_ERROR,
                               &self->generation->peer_limits, dsnd_clock_monotonic_ms());
    log_event(LOG_LEVEL_INFO, "smtp.reject", "session=%06" PRIx64 " peer=%s reply=%u reason=%s",
              self->id, self->peer, row->code, row->reason);
}

static bool may_begin(void *context)
{
    const struct smtp_conn *self = context;

    return smtp_peers_count(self->loop->shared->peers, &self->peer_key, SMTP_PEERS_MESSAGE,
                            &self->generation->peer_limits, dsnd_clock_monotonic_ms());
}

static void release(struct smtp_conn *self)
{
    struct smtp_loop *loop = self->loop;

    TAILQ_REMOVE(&loop->conns, self, link);
    TAILQ_REMOVE(&loop->evictable[self->evictable], self, evictable_link);
    loop->conn_count--;
    smtp_session_done(&self->session);
    if (self->counted)
        smtp_peers_leave(loop->shared->peers, &self->peer_key, dsnd_clock_monotonic_ms());
    smtp_shared_release(loop->shared, self->generation);
    metrics_set(METRIC_SMTP_SESSIONS, atomic_fetch_sub(&loop->shared->sessions, 1) - 1);
    dsnd_buf_done(&self->out);
    dsnd_buf_done(&self->pending);
    free(self);
}

/* The socket goes at once; the rest stays while the journal points at it. */
static void bury(struct smtp_conn *self)
{
    if (self->stream.fd >= 0) {
        (void)event_del(&self->read_event);
        (void)event_del(&self->write_event);
        smtp_stream_done(&self->stream);
        log_event(LOG_LEVEL_DEBUG, "smtp.disconnect", "session=%06" PRIx64 " peer=%s", self->id,
                  self->peer);
    }
    if (!self->lent)
        release(self);
}

static void want(struct event *event, bool *is_set, bool wanted)
{
    if (wanted == *is_set)
        return;
    *is_set = wanted;
    if (wanted ? event_add(event, NULL) : event_del(event))
        *is_set = !wanted;
}

static enum smtp_evictable evictable(const struct smtp_conn *self)
{
    enum smtp_evictable how = SMTP_EVICTABLE_NEVER;

    switch (self->phase) {
    case SMTP_PHASE_PROXY:
    case SMTP_PHASE_HANDSHAKE:
    case SMTP_PHASE_LINGER:
        how = SMTP_EVICTABLE_IDLE;
        break;
    case SMTP_PHASE_TALK:
        how = smtp_session_idle(&self->session) ? SMTP_EVICTABLE_IDLE : SMTP_EVICTABLE_STALLED;
        break;
    case SMTP_PHASE_FLUSH:
    case SMTP_PHASE_CLOSE:
        how = SMTP_EVICTABLE_STALLED;
        break;
    case SMTP_PHASE_PAUSE:
    case SMTP_PHASE_VERIFY:
    case SMTP_PHASE_COMMIT:
    case SMTP_PHASE_DEAD:
        break;
    }
    return how;
}

/* Behind all who were silent for longer. */
static void line_up(struct smtp_conn *self)
{
    struct smtp_conn_list *lists = self->loop->evictable;

    TAILQ_REMOVE(&lists[self->evictable], self, evictable_link);
    self->evictable = evictable(self);
    self->active_ms = dsnd_clock_monotonic_ms();
    TAILQ_INSERT_TAIL(&lists[self->evictable], self, evictable_link);
}

/* The last step of whatever happened to the connection: events as its phase needs them. */
static void settle(struct smtp_conn *self)
{
    bool unsent = self->sent < self->out.len;
    bool read;

    line_up(self);
    if (self->phase == SMTP_PHASE_DEAD) {
        bury(self);
        return;
    }
    read = self->phase == SMTP_PHASE_PROXY || self->phase == SMTP_PHASE_HANDSHAKE ||
           self->phase == SMTP_PHASE_TALK || self->phase == SMTP_PHASE_LINGER;
    /* Taking interest away costs a system call: in the other phases it is done when input comes. */
    if (read)
        want(&self->read_event, &self->readable, true);
    want(&self->write_event, &self->writable, unsent || self->stream.wants_write);
}

/* ---- beginnings ---- */

static void shake_hands(struct smtp_conn *self, int64_t now_ms)
{
    enum smtp_io io;

    io = smtp_stream_handshake(&self->stream);
    if (io == SMTP_IO_AGAIN)
        return;
    metrics_add(io == SMTP_IO_OK ? METRIC_SMTP_TLS : METRIC_SMTP_TLS_FAILED, 1);
    if (io != SMTP_IO_OK) {
        log_event(LOG_LEVEL_INFO, "smtp.tls_failed", "session=%06" PRIx64 " peer=%s", self->id,
                  self->peer);
        smtp_drive_lose(self);
        return;
    }
    if (self->session.state == SMTP_STATE_TLS) {
        smtp_session_secured(&self->session);
        smtp_drive_phase(self, SMTP_PHASE_TALK);
        smtp_drive_deadline(self, now_ms);
    } else {
        smtp_drive_greet(self, now_ms);
    }
    if (self->phase == SMTP_PHASE_TALK)
        smtp_drive_talk(self, now_ms);
}

/* Read and drop what a client still sends after we closed. */
static void discard(struct smtp_conn *self)
{
    enum smtp_io io =
        smtp_stream_discard(&self->stream, self->loop->buffer, sizeof(self->loop->buffer));

    if (io == SMTP_IO_EOF || io == SMTP_IO_FAILED)
        smtp_drive_lose(self);
}

/* Someone who speaks before the greeting speaks another protocol, or replays a script. */
static bool talks_early(struct smtp_conn *self)
{
    char octet;
    size_t len;

    return smtp_stream_peek(&self->stream, &octet, 1, &len) == SMTP_IO_OK;
}

static void welcome(struct smtp_conn *self, int64_t now_ms)
{
    if (self->kind == SMTP_KIND_TLS) {
        smtp_drive_secure(self, now_ms);
    } else if (self->kind == SMTP_KIND_PLAIN && talks_early(self)) {
        smtp_drive_end(self, SMTP_REPLY_EARLY_TALKER, now_ms);
    } else {
        smtp_drive_greet(self, now_ms);
    }
}

/* ---- behind a load balancer ---- */

static void await_proxy(struct smtp_conn *self, int64_t now_ms)
{
    smtp_drive_phase(self, SMTP_PHASE_PROXY);
    self->deadline_ms = now_ms + smtp_drive_sooner(self->generation->idle_timeout_ms, PROXY_MS);
}

/* Mail counts as that of the client, once it is known. */
static void claim_share(struct smtp_conn *self)
{
    smtp_session_share(&self->session,
                       smtp_peers_share(self->loop->shared->peers, &self->peer_key));
}

static void introduce(struct smtp_conn *self, const struct sockaddr *client, int64_t now_ms)
{
    enum smtp_reply refusal;

    /* AF_UNSPEC: the balancer speaks for itself, to see whether we live. */
    if (client->sa_family == AF_UNSPEC) {
        welcome(self, now_ms);
        return;
    }
    /* Limits are those of the client, not of the balancer. */
    smtp_listen_text(client, self->peer);
    self->peer_key = smtp_peer_key_of(client);
    self->counted = smtp_loop_admits(self->loop, client, &self->generation->peer_limits, &refusal);
    if (self->counted) {
        claim_share(self);
        welcome(self, now_ms);
    } else if (self->kind == SMTP_KIND_TLS) {
        smtp_drive_lose(self);
    } else {
        smtp_drive_end(self, refusal, now_ms);
    }
}

/* Octets behind the header may be TLS: they must stay in the socket. */
static void read_proxy(struct smtp_conn *self, int64_t now_ms)
{
    char *buffer = self->loop->buffer;
    struct sockaddr_storage client;
    size_t len = 0;
    size_t header = 0;
    enum smtp_io io = smtp_stream_peek(&self->stream, buffer, SMTP_PROXY_HEADER_MAX, &len);
    enum dsnd_err err;

    if (io != SMTP_IO_OK) {
        if (io != SMTP_IO_AGAIN)
            smtp_drive_lose(self);
        return;
    }
    err = smtp_proxy_parse(dsnd_str_make(buffer, len), &header, &client);
    if (err == DSND_ERR_UNAVAILABLE && !smtp_stream_ended(&self->stream)) {
        smtp_stream_await(&self->stream, len + 1);
        return;
    }
    if (!err && smtp_stream_read(&self->stream, buffer, header, &len) != SMTP_IO_OK)
        err = DSND_ERR_IO;
    if (err) {
        log_event(LOG_LEVEL_WARN, "smtp.bad_proxy_header", "session=%06" PRIx64 " peer=%s",
                  self->id, self->peer);
        smtp_drive_lose(self);
        return;
    }
    smtp_stream_await(&self->stream, 1);
    introduce(self, (const struct sockaddr *)&client, now_ms);
}

/* ---- events ---- */

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct smtp_conn *self = context;
    int64_t now_ms = dsnd_clock_monotonic_ms();

    (void)fd;
    (void)what;
    switch (self->phase) {
    case SMTP_PHASE_PROXY:
        read_proxy(self, now_ms);
        break;
    case SMTP_PHASE_HANDSHAKE:
        shake_hands(self, now_ms);
        break;
    case SMTP_PHASE_TALK:
        smtp_drive_talk(self, now_ms);
        break;
    case SMTP_PHASE_LINGER:
        discard(self);
        break;
    case SMTP_PHASE_FLUSH:
    case SMTP_PHASE_PAUSE:
    case SMTP_PHASE_VERIFY:
    case SMTP_PHASE_COMMIT:
    case SMTP_PHASE_CLOSE:
    case SMTP_PHASE_DEAD:
        want(&self->read_event, &self->readable, false);
        break;
    }
    settle(self);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct smtp_conn *self = context;
    int64_t now_ms = dsnd_clock_monotonic_ms();
    bool tls_write = self->stream.wants_write;

    (void)fd;
    (void)what;
    self->stream.wants_write = false;
    if (self->phase == SMTP_PHASE_HANDSHAKE) {
        shake_hands(self, now_ms);
    } else {
        smtp_drive_flush(self, now_ms);
        if (self->phase == SMTP_PHASE_FLUSH && self->sent == self->out.len)
            smtp_drive_go_on(self, now_ms);
        else if (tls_write && self->phase == SMTP_PHASE_TALK)
            smtp_drive_talk(self, now_ms);
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
        .submit = arrival->kind == SMTP_KIND_SUBMIT,
        .refused = on_refused,
        .may_begin = may_begin,
        .context = self,
    };

    if (!self)
        return NULL;
    self->loop = loop;
    self->kind = arrival->kind;
    smtp_stream_init(&self->stream, arrival->fd);
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
    if (self->counted)
        claim_share(self);
    TAILQ_INSERT_TAIL(&loop->conns, self, link);
    TAILQ_INSERT_TAIL(&loop->evictable[self->evictable], self, evictable_link);
    loop->conn_count++;
    metrics_set(METRIC_SMTP_SESSIONS, atomic_fetch_add(&loop->shared->sessions, 1) + 1);
    return self;
}

void smtp_conn_start(struct smtp_loop *loop, const struct smtp_arrival *arrival)
{
    struct smtp_conn *self = make(loop, arrival);
    int on = 1;

    if (!self) {
        if (arrival->counted)
            smtp_peers_leave(loop->shared->peers, &arrival->key, dsnd_clock_monotonic_ms());
        (void)close(arrival->fd);
        return;
    }
    (void)setsockopt(self->stream.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (event_assign(&self->read_event, loop->base, self->stream.fd, EV_READ | EV_PERSIST,
                     on_readable, self) != 0 ||
        event_assign(&self->write_event, loop->base, self->stream.fd, EV_WRITE | EV_PERSIST,
                     on_writable, self) != 0)
        smtp_drive_lose(self);
    metrics_add(METRIC_SMTP_CONNECTIONS, 1);
    log_event(LOG_LEVEL_DEBUG, "smtp.connect", "session=%06" PRIx64 " peer=%s", self->id,
              self->peer);
    if (self->phase != SMTP_PHASE_DEAD && arrival->proxied)
        await_proxy(self, dsnd_clock_monotonic_ms());
    else if (self->phase != SMTP_PHASE_DEAD)
        welcome(self, dsnd_clock_monotonic_ms());
    settle(self);
}

static void note_message(const struct smtp_conn *self)
{
    metrics_add(METRIC_SMTP_MESSAGES, 1);
    metrics_add(METRIC_SMTP_OCTETS, self->octets);
    log_event(LOG_LEVEL_INFO, "smtp.message",
              "session=%06" PRIx64 " peer=%s sequence=%016" PRIx64 " octets=%zu recipients=%zu",
              self->id, self->peer, self->sequence, self->octets, self->recipients);
}

void smtp_conn_returned(struct smtp_conn *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();
    bool committed = self->session.state == SMTP_STATE_COMMIT;

    assert(self->lent);
    self->lent = false;
    if (committed && !self->result)
        note_message(self);
    if (self->phase != SMTP_PHASE_DEAD) {
        if (committed)
            smtp_session_result(&self->session, self->result, self->sequence, &self->out);
        else
            smtp_session_verified(&self->session, &self->out);
        smtp_drive_go_on(self, now_ms);
    }
    settle(self);
}

void smtp_conn_check(struct smtp_conn *self, int64_t now_ms)
{
    if (self->lent || now_ms < self->deadline_ms)
        return;
    if (self->phase == SMTP_PHASE_PAUSE) {
        smtp_drive_go_on(self, now_ms);
    } else if (self->phase == SMTP_PHASE_TALK) {
        metrics_add(METRIC_SMTP_ABORTED, self->content);
        smtp_drive_end(self, self->content ? SMTP_REPLY_TOO_SLOW : SMTP_REPLY_TIMEOUT, now_ms);
    } else {
        metrics_add(METRIC_SMTP_TIMEOUTS, self->phase != SMTP_PHASE_LINGER);
        smtp_drive_lose(self);
    }
    settle(self);
}

/* The session takes input, now or soon. */
static bool talks(const struct smtp_conn *self)
{
    return self->phase == SMTP_PHASE_TALK || self->phase == SMTP_PHASE_PAUSE ||
           self->phase == SMTP_PHASE_FLUSH;
}

void smtp_conn_drain(struct smtp_conn *self, bool now)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();

    if (self->phase == SMTP_PHASE_HANDSHAKE || self->phase == SMTP_PHASE_PROXY)
        smtp_drive_lose(self);
    else if (talks(self) && (now || smtp_session_idle(&self->session)))
        smtp_drive_end(self, SMTP_REPLY_SHUTDOWN, now_ms);
    /* Who does not read its last words, whenever they were said, is not waited for. */
    if (self->phase == SMTP_PHASE_CLOSE || self->phase == SMTP_PHASE_LINGER)
        self->deadline_ms = smtp_drive_sooner(self->deadline_ms, now_ms + DRAIN_END_MS);
    settle(self);
}

uint64_t smtp_conn_burden(const struct smtp_conn *self, int64_t now_ms)
{
    int64_t stalled_ms = now_ms - self->steady_ms;

    if (!talks(self) || smtp_session_idle(&self->session) || stalled_ms < SMTP_STALL_MS)
        return 0;
    return self->session.transaction.charged * (uint64_t)stalled_ms;
}

void smtp_conn_relieve(struct smtp_conn *self)
{
    metrics_add(METRIC_SMTP_ABORTED, self->content);
    smtp_drive_end(self, SMTP_REPLY_HOLDS_MEMORY, dsnd_clock_monotonic_ms());
    settle(self);
}

void smtp_conn_evict(struct smtp_conn *self)
{
    metrics_add(METRIC_SMTP_EVICTED, 1);
    if (self->phase == SMTP_PHASE_TALK) {
        metrics_add(METRIC_SMTP_ABORTED, !smtp_session_idle(&self->session));
        smtp_drive_end(self, SMTP_REPLY_EVICTED, dsnd_clock_monotonic_ms());
    }
    smtp_drive_lose(self);
    settle(self);
}
