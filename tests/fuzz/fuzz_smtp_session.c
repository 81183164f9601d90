/*
 * Drives one session with arbitrary octets in arbitrary pieces, with and without LMTP and TLS, and
 * a journal that sometimes fails. Properties: replies are lines of CR LF, at most 512 octets,
 * without control octets; a message is acknowledged only after it was handed out, and handed out on
 * the submission listener only after AUTH; an action never
 * repeats without progress; all memory goes back to the budget.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ingest/smtp_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct smtp_session session;
    struct dsnd_buf out;
    uint64_t handed_out; /* messages */
    unsigned pieces;     /* drives how the input is cut and what the journal says */
};

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static enum smtp_verdict verify(void *context, struct dsnd_str address)
{
    (void)context;
    return (enum smtp_verdict)(address.len % 4);
}

static void check_line(struct dsnd_str line)
{
    require(line.len >= 6 && line.len <= SMTP_REPLY_LINE_MAX);
    require(line.ptr[line.len - 2] == '\r');
    for (size_t i = 0; i + 2 < line.len; i++)
        require(line.ptr[i] >= ' ' && line.ptr[i] <= '~');
    require(line.ptr[0] >= '2' && line.ptr[0] <= '5');
    require(line.ptr[3] == ' ' || line.ptr[3] == '-');
}

/* Replies so far are well formed; none of them acknowledges mail unless `acknowledging`. */
static void check_output(struct fuzz *self, bool acknowledging)
{
    struct dsnd_str out = dsnd_buf_str(&self->out);

    while (out.len) {
        size_t lf = dsnd_str_chr(out, '\n');
        struct dsnd_str line = dsnd_str_slice(out, 0, lf + 1);

        require(lf != SIZE_MAX);
        check_line(line);
        require(acknowledging || dsnd_str_find(line, DSND_STR("queued as")) == SIZE_MAX);
        out = dsnd_str_slice(out, lf + 1, out.len);
    }
    dsnd_buf_clear(&self->out);
}

/* A CR or LF that is not half of a CR LF. */
static bool has_bare(struct dsnd_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
            return true;
        if (text.ptr[i] == '\r' && (i + 1 == text.len || text.ptr[i + 1] != '\n'))
            return true;
    }
    return false;
}

static void commit(struct fuzz *self)
{
    static const enum dsnd_err results[] = {DSND_OK, DSND_OK, DSND_ERR_IO, DSND_ERR_LIMIT};
    struct journal_message message;

    smtp_session_message(&self->session, &message);
    require(!self->session.options.submit || self->session.authenticated);
    require(message.recipient_count >= 1 && message.recipient_count <= 100);
    require(message.octets.ptr != NULL && message.octets.len <= 1000);
    /* Chunks are binary. */
    require(!self->session.settings->normalizes || self->session.after_chunk != SMTP_STATE_START ||
            !has_bare(message.octets));
    check_output(self, false);
    if (self->pieces & 1)
        smtp_session_handed_over(&self->session);
    smtp_session_result(&self->session, results[self->pieces++ % 4], self->handed_out++,
                        &self->out);
    check_output(self, true);
}

/* False when the session has ended. */
static bool feed(struct fuzz *self, struct dsnd_str in)
{
    for (;;) {
        enum smtp_action action = smtp_session_feed(&self->session, &in, &self->out);

        check_output(self, false);
        switch (action) {
        case SMTP_ACTION_READ:
            require(!in.len);
            return true;
        case SMTP_ACTION_FLUSH:
        case SMTP_ACTION_PAUSE:
            break;
        case SMTP_ACTION_VERIFY:
            smtp_session_verify(&self->session);
            smtp_session_verified(&self->session, &self->out);
            break;
        case SMTP_ACTION_COMMIT:
            commit(self);
            break;
        case SMTP_ACTION_TLS:
            smtp_session_secured(&self->session);
            return true; /* what was left of `in` is dropped */
        case SMTP_ACTION_CLOSE:
            return false;
        }
    }
}

/* The users of AUTH, read once. */
static struct smtp_users *load_users(void)
{
    static const char text[] = "u {PLAIN}p\nv {SCRAM-SHA-256}1,YWJj,AAAA,AAAA\n";
    char name[] = "/tmp/fuzz_smtp_session.XXXXXX";
    char error[200];
    struct smtp_users *users;
    int fd = mkstemp(name);

    require(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1);
    require(smtp_users_load(name, error, sizeof(error), &users) == DSND_OK);
    require(close(fd) == 0 && unlink(name) == 0);
    return users;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct smtp_users *users;
    static const struct dsnd_str domains[] = {DSND_STR_INIT("b.test")};
    static struct smtp_budget budget;
    static struct fuzz fuzz;
    struct smtp_session_options options = {0};
    struct smtp_session_settings settings = {
        .hostname = "mx.test",
        .domains = domains,
        .domain_count = 1,
        .max_size = 1000,
        .max_recipients = 100,
        .budget = &budget,
        .verify = verify,
    };
    struct dsnd_str in;

    if (size < 2)
        return 0;
    if (!users)
        users = load_users();
    settings.users = users;
    atomic_store(&budget.max, data[0] & 8 ? 17 * 1024 : 1024 * 1024);
    options.lmtp = data[0] & 1;
    options.starttls = data[0] & 2;
    options.submit = (data[0] & 17) == 16;
    settings.normalizes = data[0] & 32;
    settings.require_signed = data[0] & 4;
    fuzz = (struct fuzz){.out = DSND_BUF_INIT(SMTP_OUTPUT_MAX), .pieces = data[1]};
    smtp_session_init(&fuzz.session, &settings, &options);
    smtp_session_greet(&fuzz.session, &fuzz.out);
    in = dsnd_str_make((const char *)data + 2, size - 2);
    while (in.len) {
        /* data[1] chooses: whole, octet by octet, or pieces of changing length. */
        size_t len = data[1] & 64 ? in.len : data[1] & 32 ? 1 : 1 + fuzz.pieces++ % 37;

        if (!feed(&fuzz, dsnd_str_slice(in, 0, len)))
            break;
        in = dsnd_str_slice(in, len, in.len);
    }
    smtp_session_close(&fuzz.session, SMTP_REPLY_SHUTDOWN, &fuzz.out);
    check_output(&fuzz, false);
    smtp_session_done(&fuzz.session);
    dsnd_buf_done(&fuzz.out);
    require(atomic_load(&budget.used) == 0);
    return 0;
}
