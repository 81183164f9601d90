#include "tests/load/sender.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/load/dial.h"

enum {
    EXPECTED_MAX = 8,    /* replies outstanding on a connection */
    INPUT_SIZE = 4096,   /* longest line of a reply is 512 (RFC 5321 section 4.5.3.1.5) */
    OUTPUT_MAX = 1 << 26 /* one message and the next envelope */
};

/* What the next reply answers. */
enum expected { EXPECT_BANNER, EXPECT_EHLO, EXPECT_ENVELOPE, EXPECT_DATA, EXPECT_END, EXPECT_QUIT };

static const struct {
    const char *name;
    char code[4];
} expectations[] = {
    [EXPECT_BANNER] = {"the connection", "220"}, [EXPECT_EHLO] = {"EHLO", "250"},
    [EXPECT_ENVELOPE] = {"MAIL or RCPT", "250"}, [EXPECT_DATA] = {"DATA", "354"},
    [EXPECT_END] = {"a message", "250"},         [EXPECT_QUIT] = {"QUIT", "221"},
};

struct connection {
    int fd; /* -1: ended */
    struct dsnd_buf output;
    struct dsnd_buf body; /* dot-stuffed, with its end; sent when DATA is answered */
    char input[INPUT_SIZE];
    size_t input_len;
    enum expected expected[EXPECTED_MAX];
    unsigned first, count; /* ring */
    uint64_t ended_us;     /* when the end of the message was handed over */
};

struct sender {
    const struct sender_options *options;
    const struct sender_source *source;
    struct sender_result *result;
    struct connection *connections;
    bool dry; /* the source has no more */
};

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static enum dsnd_err fail(struct sender *self, enum dsnd_err err, const char *what,
                          const char *detail)
{
    if (!self->result->error[0])
        (void)snprintf(self->result->error, sizeof(self->result->error), "%s: %.200s", what,
                       detail);
    return err;
}

static void expect(struct connection *c, enum expected what)
{
    c->expected[(c->first + c->count++) % EXPECTED_MAX] = what;
}

static enum dsnd_err say(struct connection *c, struct dsnd_str line, enum expected what)
{
    expect(c, what);
    return dsnd_buf_add(&c->output, line);
}

/* RFC 5321 section 4.5.2; the message ends in CR LF. */
static enum dsnd_err stuff(struct dsnd_str octets, struct dsnd_buf *out)
{
    enum dsnd_err err = DSND_OK;
    size_t dot;

    if (dsnd_str_starts(octets, DSND_STR(".")))
        err = dsnd_buf_add_char(out, '.');
    while (!err && (dot = dsnd_str_find(octets, DSND_STR("\n."))) != SIZE_MAX) {
        err = dsnd_buf_add(out, dsnd_str_slice(octets, 0, dot + 2));
        if (!err)
            err = dsnd_buf_add_char(out, '.');
        octets = dsnd_str_slice(octets, dot + 2, octets.len);
    }
    if (!err)
        err = dsnd_buf_add(out, octets);
    return err ? err : dsnd_buf_add(out, DSND_STR(".\r\n"));
}

/* The next message's envelope, or QUIT. */
static enum dsnd_err next_envelope(struct sender *self, struct connection *c)
{
    struct sender_message message;
    bool any = false;
    enum dsnd_err err = DSND_OK;

    if (!self->dry)
        err = self->source->next(self->source->context, &message, &any);
    if (err)
        return fail(self, err, "making a message", dsnd_err_text(err));
    if (!any) {
        self->dry = true;
        return say(c, DSND_STR("QUIT\r\n"), EXPECT_QUIT);
    }
    dsnd_buf_clear(&c->body);
    self->result->octets += message.octets.len;
    err = stuff(message.octets, &c->body);
    if (!err)
        err = dsnd_buf_addf(&c->output, "MAIL FROM:<>\r\nRCPT TO:<%.*s>\r\n",
                            DSND_STR_ARG(message.to));
    expect(c, EXPECT_ENVELOPE);
    expect(c, EXPECT_ENVELOPE);
    return err ? err : say(c, DSND_STR("DATA\r\n"), EXPECT_DATA);
}

static void accepted(struct sender *self, const struct connection *c)
{
    const struct sender_options *options = self->options;
    uint64_t took = now_us() - c->ended_us;

    if (options->latency_us && self->result->accepted < options->latency_size)
        options->latency_us[self->result->accepted] =
            took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    self->result->accepted++;
}

static enum dsnd_err on_reply(struct sender *self, struct connection *c, const char *line)
{
    enum expected what = c->expected[c->first];
    enum dsnd_err err;

    if (!c->count || strncmp(line, expectations[what].code, 3) != 0)
        return fail(self, DSND_ERR_REFUSED, c->count ? expectations[what].name : "nothing asked",
                    line);
    if (line[3] == '-')
        return DSND_OK;
    c->first = (c->first + 1) % EXPECTED_MAX;
    c->count--;
    switch (what) {
    case EXPECT_BANNER:
        return say(c, DSND_STR("EHLO load.sender.example\r\n"), EXPECT_EHLO);
    case EXPECT_EHLO:
        return next_envelope(self, c);
    case EXPECT_ENVELOPE:
        return DSND_OK;
    case EXPECT_DATA:
        err = say(c, dsnd_buf_str(&c->body), EXPECT_END);
        c->ended_us = now_us();
        return err ? err : next_envelope(self, c);
    case EXPECT_END:
        accepted(self, c);
        return DSND_OK;
    case EXPECT_QUIT:
        (void)close(c->fd);
        c->fd = -1;
        return DSND_OK;
    }
    return DSND_OK;
}

static enum dsnd_err take_lines(struct sender *self, struct connection *c)
{
    struct dsnd_str rest = dsnd_str_make(c->input, c->input_len);
    enum dsnd_err err = DSND_OK;
    size_t end;

    while (!err && c->fd >= 0 && (end = dsnd_str_chr(rest, '\n')) != SIZE_MAX) {
        char line[INPUT_SIZE];

        err = dsnd_str_copy(dsnd_str_trim(dsnd_str_slice(rest, 0, end)), line, sizeof(line));
        if (!err)
            err = on_reply(self, c, line);
        rest = dsnd_str_slice(rest, end + 1, rest.len);
    }
    memmove(c->input, rest.ptr, rest.len);
    c->input_len = rest.len;
    return err;
}

static enum dsnd_err on_readable(struct sender *self, struct connection *c)
{
    ssize_t n = recv(c->fd, c->input + c->input_len, sizeof(c->input) - c->input_len, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return DSND_OK;
    if (n <= 0)
        return fail(self, DSND_ERR_IO, "connection lost", n ? strerror(errno) : "closed by server");
    c->input_len += (size_t)n;
    return take_lines(self, c);
}

static enum dsnd_err flush(struct sender *self, struct connection *c)
{
    ssize_t n;

    if (c->fd < 0 || !c->output.len)
        return DSND_OK;
    n = send(c->fd, c->output.ptr, c->output.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return fail(self, DSND_ERR_IO, "connection lost", strerror(errno));
    if (n > 0)
        dsnd_buf_consume(&c->output, (size_t)n);
    return DSND_OK;
}

/* Wait for any connection; DSND_ERR_UNAVAILABLE when none says anything for too long. */
static enum dsnd_err wait_any(struct sender *self, struct pollfd *polled, unsigned *ret_open)
{
    unsigned open = 0;
    int ready;

    for (unsigned i = 0; i < self->options->connections; i++) {
        const struct connection *c = &self->connections[i];
        short events = (short)(POLLIN | (c->output.len ? POLLOUT : 0));

        polled[i] = (struct pollfd){.fd = c->fd, .events = events};
        open += c->fd >= 0;
    }
    *ret_open = open;
    if (!open)
        return DSND_OK;
    do
        ready = poll(polled, self->options->connections, (int)self->options->timeout_s * 1000);
    while (ready < 0 && errno == EINTR);
    return ready > 0 ? DSND_OK
                     : fail(self, DSND_ERR_UNAVAILABLE, "no reply", "the server says nothing");
}

static enum dsnd_err run(struct sender *self, struct pollfd *polled)
{
    unsigned open = self->options->connections;
    enum dsnd_err err = DSND_OK;

    while (!err && open) {
        err = wait_any(self, polled, &open);
        for (unsigned i = 0; i < self->options->connections && !err && open; i++) {
            struct connection *c = &self->connections[i];

            if (c->fd < 0)
                continue;
            if (polled[i].revents & (POLLIN | POLLHUP | POLLERR))
                err = on_readable(self, c);
            if (!err)
                err = flush(self, c);
        }
    }
    return err;
}

static enum dsnd_err connect_all(struct sender *self)
{
    enum dsnd_err err = DSND_OK;

    for (unsigned i = 0; i < self->options->connections; i++) {
        self->connections[i].fd = -1;
        self->connections[i].output = DSND_BUF_INIT(OUTPUT_MAX);
        self->connections[i].body = DSND_BUF_INIT(OUTPUT_MAX);
    }
    for (unsigned i = 0; i < self->options->connections && !err; i++) {
        err = dial(self->options->address, &self->connections[i].fd);
        expect(&self->connections[i], EXPECT_BANNER);
        if (err)
            err = fail(self, err, self->options->address,
                       err == DSND_ERR_IO ? strerror(errno) : dsnd_err_text(err));
    }
    return err;
}

enum dsnd_err sender_run(const struct sender_options *options, const struct sender_source *source,
                         struct sender_result *ret_result)
{
    struct sender self = {.options = options, .source = source, .result = ret_result};
    struct pollfd *polled = calloc(options->connections, sizeof(*polled));
    enum dsnd_err err = DSND_ERR_NOMEM;

    *ret_result = (struct sender_result){0};
    self.connections = calloc(options->connections, sizeof(*self.connections));
    if (!self.connections || !polled)
        goto out;
    err = connect_all(&self);
    if (!err)
        err = run(&self, polled);
    for (unsigned i = 0; i < options->connections; i++) {
        if (self.connections[i].fd >= 0)
            (void)close(self.connections[i].fd);
        dsnd_buf_done(&self.connections[i].output);
        dsnd_buf_done(&self.connections[i].body);
    }
out:
    free(self.connections);
    free(polled);
    return err;
}
