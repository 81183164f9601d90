#include "lookup/conn.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"

enum {
    INPUT_MAX = 4096,   /* octets read ahead; holds the longest question */
    OUTPUT_MAX = 65536, /* above it nothing more is read */
    PENDING_MAX = 64,   /* questions of one connection that wait */
    ANSWER_MAX = 1024,
    LINGER_MS = 1000, /* for the client to read the last answer */
};

STAILQ_HEAD(pending_list, lookup_request);

struct lookup_conn {
    TAILQ_ENTRY(lookup_conn) link;
    struct lookup_shared *shared;
    struct bufferevent *events;
    enum lookup_protocol protocol;
    struct pending_list pending;
    unsigned pending_count;
    int64_t active_ms; /* of the last whole question */
    bool ended;        /* the client sends no more */
    bool last;         /* no question is read any more */
    bool shut;         /* all is said; waits for the client to close */
};

/* ---- life ---- */

void lookup_conn_free(struct lookup_conn *self)
{
    struct lookup_request *request;

    while ((request = STAILQ_FIRST(&self->pending)) != NULL) {
        STAILQ_REMOVE_HEAD(&self->pending, in_conn);
        request->conn = NULL;
        if (request->answered)
            free(request);
    }
    TAILQ_REMOVE(&self->shared->conns, self, link);
    self->shared->conn_count--;
    metrics_set(METRIC_LOOKUP_CONNECTIONS, self->shared->conn_count);
    bufferevent_free(self->events); /* and the socket */
    free(self);
}

static void touch(struct lookup_conn *self)
{
    self->active_ms = dsnd_clock_monotonic_ms();
    TAILQ_REMOVE(&self->shared->conns, self, link);
    TAILQ_INSERT_TAIL(&self->shared->conns, self, link);
}

/* ---- answers ---- */

static void count(enum lookup_verdict verdict)
{
    static const enum metric metrics[] = {
        [LOOKUP_CLEAR] = METRIC_LOOKUP_CLEAR,
        [LOOKUP_SUPPRESSED] = METRIC_LOOKUP_SUPPRESSED,
        [LOOKUP_AWAY] = METRIC_LOOKUP_AWAY,
        [LOOKUP_REFUSED] = METRIC_LOOKUP_REFUSED,
    };

    metrics_add(metrics[verdict], 1);
}

static enum dsnd_err write_answer(struct lookup_conn *self, const struct lookup_request *request,
                                  struct lookup_answer answer)
{
    struct dsnd_buf text = DSND_BUF_INIT(ANSWER_MAX);
    enum dsnd_err err;

    count(answer.verdict);
    if (answer.verdict == LOOKUP_AWAY && self->shared->settings.accept_when_away)
        answer.verdict = LOOKUP_CLEAR;
    err = lookup_answer_write(self->protocol, request->map, &answer, &text);
    if (!err && bufferevent_write(self->events, text.ptr, text.len) != 0)
        err = DSND_ERR_NOMEM;
    dsnd_buf_done(&text);
    return err;
}

/* Answer the first of those that wait as long as that is known, or takes too long. */
static enum dsnd_err write_answers(struct lookup_conn *self, int64_t now_ms)
{
    static const struct lookup_answer away = {.verdict = LOOKUP_AWAY};
    int64_t oldest_ms = now_ms - (int64_t)self->shared->settings.timeout_ms;
    struct lookup_request *request;
    enum dsnd_err err = DSND_OK;

    while (!err && (request = STAILQ_FIRST(&self->pending)) != NULL &&
           (request->answered || request->asked_ms <= oldest_ms)) {
        err = write_answer(self, request, request->answered ? request->answer : away);
        STAILQ_REMOVE_HEAD(&self->pending, in_conn);
        self->pending_count--;
        request->conn = NULL;
        if (request->answered) /* else the queue has it still */
            free(request);
    }
    return err;
}

/* ---- questions ---- */

static enum dsnd_err ask(struct lookup_conn *self, const struct lookup_question *question,
                         const char *why)
{
    struct lookup_request *request = malloc(sizeof(*request) + question->key_len);

    if (!request)
        return DSND_ERR_NOMEM;
    *request = (struct lookup_request){.conn = self,
                                       .asked_ms = self->active_ms,
                                       .map = question->map,
                                       .key_len = question->key_len};
    memcpy(request->key, question->key, question->key_len);
    request->answer = (struct lookup_answer){.why = why};
    if (why)
        request->answer.verdict = LOOKUP_REFUSED;
    else if (!lookup_question_is_address(question))
        request->answer.verdict = LOOKUP_CLEAR;
    else
        request->answer.verdict = LOOKUP_AWAY;
    request->answered =
        request->answer.verdict != LOOKUP_AWAY || !lookup_queue_put(self->shared->queue, request);
    STAILQ_INSERT_TAIL(&self->pending, request, in_conn);
    self->pending_count++;
    return DSND_OK;
}

/* One question of what has been read; false where there is none whole. */
static bool take_question(struct lookup_conn *self, enum dsnd_err *err)
{
    struct evbuffer *in = bufferevent_get_input(self->events);
    size_t len = evbuffer_get_length(in);
    struct dsnd_str octets = dsnd_str_make((const char *)evbuffer_pullup(in, (ev_ssize_t)len), len);
    struct lookup_question question = {.map = self->shared->settings.tcp_table_map};
    struct dsnd_str rest = octets;
    const char *why = NULL;
    enum lookup_read got =
        lookup_question_read(self->protocol, self->ended, &rest, &question, &why);

    if (got == LOOKUP_READ_MORE) {
        self->last = self->ended;
        return false;
    }
    touch(self);
    /* Exim waits for the end of the connection, not of a line. */
    self->last = got == LOOKUP_READ_BAD || self->protocol == LOOKUP_READSOCKET;
    if (evbuffer_drain(in, self->last ? len : len - rest.len) != 0)
        *err = DSND_ERR_NOMEM;
    else
        *err = ask(self, &question, why);
    return !*err;
}

static bool is_full(const struct lookup_conn *self)
{
    return self->pending_count >= PENDING_MAX ||
           evbuffer_get_length(bufferevent_get_output(self->events)) > OUTPUT_MAX;
}

/* Say that nothing more comes; true where the connection is over. */
static bool finish(struct lookup_conn *self)
{
    if (!self->last || self->pending_count ||
        evbuffer_get_length(bufferevent_get_output(self->events)) > 0)
        return false;
    if (self->ended)
        return true;
    if (!self->shut)
        (void)shutdown(bufferevent_getfd(self->events), SHUT_WR);
    self->shut = true;
    return false;
}

/* All that can be done now. The last thing a callback does: `self` may be gone after it. */
static void settle(struct lookup_conn *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();
    enum dsnd_err err = write_answers(self, now_ms);

    while (!err && !self->last && !is_full(self) && take_question(self, &err))
        err = write_answers(self, now_ms);
    if (err || finish(self)) {
        lookup_conn_free(self);
        return;
    }
    if (self->last) /* whatever comes is thrown away, lest closing resets what was sent */
        (void)evbuffer_drain(bufferevent_get_input(self->events), INPUT_MAX);
    if (is_full(self) || self->ended) /* an end would be told again and again */
        (void)bufferevent_disable(self->events, EV_READ);
    else
        (void)bufferevent_enable(self->events, EV_READ);
}

/* ---- events ---- */

static void on_ready(struct bufferevent *events, void *context)
{
    (void)events;
    settle(context);
}

static void on_event(struct bufferevent *events, short what, void *context)
{
    struct lookup_conn *self = context;

    (void)events;
    if (what & BEV_EVENT_ERROR) {
        lookup_conn_free(self);
        return;
    }
    self->ended = true;
    settle(self);
}

enum dsnd_err lookup_conn_start(struct lookup_shared *shared, int fd, enum lookup_protocol protocol)
{
    struct lookup_conn *self = calloc(1, sizeof(*self));
    struct bufferevent *events =
        self ? bufferevent_socket_new(shared->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;

    if (!events) {
        free(self);
        (void)close(fd);
        return DSND_ERR_NOMEM;
    }
    self->shared = shared;
    self->events = events;
    self->protocol = protocol;
    self->active_ms = dsnd_clock_monotonic_ms();
    STAILQ_INIT(&self->pending);
    TAILQ_INSERT_TAIL(&shared->conns, self, link);
    metrics_set(METRIC_LOOKUP_CONNECTIONS, ++shared->conn_count);
    bufferevent_setcb(events, on_ready, on_ready, on_event, self);
    bufferevent_setwatermark(events, EV_READ, 0, INPUT_MAX);
    if (bufferevent_enable(events, EV_READ | EV_WRITE) != 0) {
        lookup_conn_free(self);
        return DSND_ERR_NOMEM;
    }
    return DSND_OK;
}

void lookup_conn_answered(struct lookup_request *request)
{
    struct lookup_conn *conn = request->conn;

    if (!conn) {
        free(request);
        return;
    }
    request->answered = true;
    settle(conn);
}

void lookup_conns_check(struct lookup_shared *shared, int64_t now_ms)
{
    struct lookup_conn *next;

    for (struct lookup_conn *conn = TAILQ_FIRST(&shared->conns); conn; conn = next) {
        int64_t quiet_ms = now_ms - conn->active_ms;

        next = TAILQ_NEXT(conn, link);
        if (conn->pending_count)
            settle(conn);
        else if (quiet_ms >= (int64_t)shared->settings.idle_ms ||
                 (conn->shut && quiet_ms >= LINGER_MS))
            lookup_conn_free(conn);
    }
}

bool lookup_conns_evict(struct lookup_shared *shared)
{
    struct lookup_conn *conn = TAILQ_FIRST(&shared->conns);

    while (conn && conn->pending_count)
        conn = TAILQ_NEXT(conn, link);
    if (conn)
        lookup_conn_free(conn);
    return conn != NULL;
}
