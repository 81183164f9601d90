/*
 * Runs the scripts tests/wire/<name>.smtp against the session object, each whole (all lines of the
 * client between two replies arrive together) and octet by octet. Lines of a script:
 *
 *     # text          a comment
 *     set WORD ...    lmtp, starttls, signed, submit, confirms, normalize, full (the disk),
 *                     max_size N, whole (not by octets)
 *     C: text         the client sends a line
 *     C 20: text      the same 20 times
 *     c: text         the client sends octets; \r \n \0 \t \\ \xNN stand for themselves; also c 20:
 *     S: text         the server answers a line; "*" at its end matches any rest
 *     J: result text  the journal gets a message: its octets, escaped as above, or "*"; the result
 *                     is ok, limit or io
 *     tls             the handshake the server asked for succeeds
 *     closed          the server has ended the session
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>

#include "ingest/smtp_session.h"

enum { TEXT_MAX = 4 * 1024 * 1024 };

struct script {
    const char *name;
    struct dsnd_str text;
    struct dsnd_str rest;    /* what was not run yet */
    struct dsnd_str journal; /* where the next J line is looked for */
    size_t step;             /* octets fed at once; SIZE_MAX: whole */
    unsigned line;
    bool skip;
    bool tls_wanted;
    struct smtp_session_settings settings;
    struct smtp_session_options options;
    struct smtp_budget budget;
    struct smtp_session session;
    struct dsnd_buf in;
    struct dsnd_buf out;
};

static void give_up(const struct script *self, const char *what, struct dsnd_str text)
{
    fail_msg("%s:%u (%s): %s: %.*s", self->name, self->line,
             self->step == SIZE_MAX ? "whole" : "by octets", what, DSND_STR_ARG(text));
}

static bool full_disk(const void *context)
{
    (void)context;
    return false;
}

/* Recipients tell by their first letters what they are. */
static enum smtp_verdict verify(void *context, struct dsnd_str address)
{
    (void)context;
    if (dsnd_str_istarts(address, DSND_STR("forged")))
        return SMTP_VERDICT_FORGED;
    if (dsnd_str_istarts(address, DSND_STR("expired")))
        return SMTP_VERDICT_EXPIRED;
    return dsnd_str_istarts(address, DSND_STR("r1.")) ? SMTP_VERDICT_OK : SMTP_VERDICT_UNSIGNED;
}

static unsigned hex(char c)
{
    return dsnd_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(dsnd_lower(c) - 'a') + 10;
}

static void unescape(struct dsnd_str text, struct dsnd_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\\' && ++i < text.len) {
            c = text.ptr[i];
            c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
            if (c == 'x') {
                assert_true(i + 2 < text.len);
                c = (char)(hex(text.ptr[i + 1]) << 4 | hex(text.ptr[i + 2]));
                i += 2;
            }
        }
        assert_int_equal(dsnd_buf_add_char(out, c), DSND_OK);
    }
}

static void set_submit(struct script *self)
{
    char error[200];

    self->options.submit = true;
    if (smtp_users_load(WIRE_DIR "/users", error, sizeof(error), &self->settings.users))
        fail_msg("%s", error);
}

static void set_option(struct script *self, struct dsnd_str word, struct dsnd_str value)
{
    if (dsnd_str_eq(word, DSND_STR("lmtp")))
        self->options.lmtp = true;
    else if (dsnd_str_eq(word, DSND_STR("starttls")))
        self->options.starttls = true;
    else if (dsnd_str_eq(word, DSND_STR("signed")))
        self->settings.require_signed = true;
    else if (dsnd_str_eq(word, DSND_STR("submit")))
        set_submit(self);
    else if (dsnd_str_eq(word, DSND_STR("normalize")))
        self->settings.normalizes = true;
    else if (dsnd_str_eq(word, DSND_STR("confirms")))
        self->settings.confirms = true;
    else if (dsnd_str_eq(word, DSND_STR("full")))
        self->settings.has_space = full_disk;
    else if (dsnd_str_eq(word, DSND_STR("whole")))
        self->skip = self->step != SIZE_MAX;
    else if (dsnd_str_eq(word, DSND_STR("max_size")))
        assert_int_equal(dsnd_str_to_u64(value, UINT64_MAX, &self->settings.max_size), DSND_OK);
    else
        give_up(self, "no such option", word);
}

/* The next J line decides over the message at hand. */
static void commit(struct script *self)
{
    struct journal_message message;
    struct dsnd_buf want = DSND_BUF_INIT(TEXT_MAX);
    struct dsnd_str line;
    struct dsnd_str result;
    enum dsnd_err err;

    do
        line = dsnd_str_line(&self->journal);
    while (dsnd_str_present(line) && !dsnd_str_starts(line, DSND_STR("J: ")));
    if (!dsnd_str_present(line))
        give_up(self, "a message that no J line expects", DSND_STR(""));
    line = dsnd_str_slice(line, 3, line.len);
    result = dsnd_str_cut(&line, ' ');
    smtp_session_message(&self->session, &message);
    unescape(line, &want);
    if (!dsnd_str_eq(line, DSND_STR("*")) &&
        !dsnd_str_eq(want.len ? dsnd_buf_str(&want) : DSND_STR(""),
                     message.octets.len ? message.octets : DSND_STR("")))
        give_up(self, "another message was handed out", message.octets);
    dsnd_buf_done(&want);
    err = dsnd_str_eq(result, DSND_STR("ok"))      ? DSND_OK
          : dsnd_str_eq(result, DSND_STR("limit")) ? DSND_ERR_LIMIT
                                                   : DSND_ERR_IO;
    smtp_session_handed_over(&self->session);
    smtp_session_result(&self->session, err, 0x2a, &self->out);
}

static void feed(struct script *self, struct dsnd_str *part)
{
    for (;;) {
        switch (smtp_session_feed(&self->session, part, &self->out)) {
        case SMTP_ACTION_READ:
            assert_int_equal(part->len, 0);
            return;
        case SMTP_ACTION_FLUSH:
            give_up(self, "too much output for a script", DSND_STR(""));
            return;
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
            self->tls_wanted = true;
            return;
        case SMTP_ACTION_CLOSE:
            return;
        }
    }
}

static void feed_all(struct script *self)
{
    struct dsnd_str in = dsnd_buf_str(&self->in);

    while (in.len) {
        size_t len = in.len < self->step ? in.len : self->step;
        struct dsnd_str part = dsnd_str_slice(in, 0, len);

        in = dsnd_str_slice(in, len, in.len);
        feed(self, &part);
    }
    dsnd_buf_clear(&self->in);
}

static void send_line(struct script *self, struct dsnd_str line)
{
    struct dsnd_str text = line;
    struct dsnd_str head = dsnd_str_cut(&text, ':');
    uint64_t times = 1;

    if (head.len > 2)
        assert_int_equal(dsnd_str_to_u64(dsnd_str_slice(head, 2, head.len), TEXT_MAX, &times),
                         DSND_OK);
    text = dsnd_str_slice(text, 1, text.len);
    while (times--) {
        if (head.ptr[0] == 'c') {
            unescape(text, &self->in);
        } else {
            assert_int_equal(dsnd_buf_add(&self->in, text), DSND_OK);
            assert_int_equal(dsnd_buf_add(&self->in, DSND_STR("\r\n")), DSND_OK);
        }
    }
}

static void expect_line(struct script *self, struct dsnd_str want)
{
    struct dsnd_str out = dsnd_buf_str(&self->out);
    size_t lf = dsnd_str_chr(out, '\n');
    struct dsnd_str got;

    if (lf == SIZE_MAX)
        give_up(self, "no answer, but expected", want);
    assert_true(lf < SMTP_REPLY_LINE_MAX && lf > 0 && out.ptr[lf - 1] == '\r');
    got = dsnd_str_slice(out, 0, lf - 1);
    if (want.len && want.ptr[want.len - 1] == '*'
            ? !dsnd_str_starts(got, dsnd_str_slice(want, 0, want.len - 1))
            : !dsnd_str_eq(got, want))
        give_up(self, "answered", got);
    dsnd_buf_consume(&self->out, lf + 1);
}

static void expect_silence(struct script *self)
{
    if (self->out.len)
        give_up(self, "unexpected answer", dsnd_buf_str(&self->out));
}

static void run_line(struct script *self, struct dsnd_str line)
{
    bool client = dsnd_str_starts(line, DSND_STR("C")) || dsnd_str_starts(line, DSND_STR("c:")) ||
                  dsnd_str_starts(line, DSND_STR("c "));

    if (!line.len || line.ptr[0] == '#' || dsnd_str_starts(line, DSND_STR("set ")) ||
        dsnd_str_starts(line, DSND_STR("J: ")))
        return;
    if (client) {
        if (!self->in.len)
            expect_silence(self);
        send_line(self, line);
        return;
    }
    feed_all(self);
    if (dsnd_str_starts(line, DSND_STR("S: "))) {
        expect_line(self, dsnd_str_slice(line, 3, line.len));
    } else if (dsnd_str_eq(line, DSND_STR("tls"))) {
        expect_silence(self);
        assert_true(self->tls_wanted);
        self->tls_wanted = false;
        smtp_session_secured(&self->session);
    } else if (dsnd_str_eq(line, DSND_STR("closed"))) {
        expect_silence(self);
        assert_int_equal(self->session.state, SMTP_STATE_CLOSED);
    } else {
        give_up(self, "what is this line", line);
    }
}

static void prepare(struct script *self)
{
    static const struct dsnd_str domains[] = {DSND_STR_INIT("bounce.test"),
                                              DSND_STR_INIT("other.bounce.test")};
    struct dsnd_str text = self->text;

    self->settings = (struct smtp_session_settings){
        .hostname = "mx.test",
        .domains = domains,
        .domain_count = 2,
        .max_size = 1000,
        .max_recipients = 100,
        .budget = &self->budget,
        .verify = verify,
    };
    atomic_store(&self->budget.max, TEXT_MAX);
    while (dsnd_str_present(text) && text.len) {
        struct dsnd_str line = dsnd_str_line(&text);

        if (!dsnd_str_starts(line, DSND_STR("set ")))
            continue;
        line = dsnd_str_slice(line, 4, line.len);
        while (dsnd_str_present(line)) {
            struct dsnd_str word = dsnd_str_cut(&line, ' ');
            bool number = dsnd_str_eq(word, DSND_STR("max_size"));

            set_option(self, word, number ? dsnd_str_cut(&line, ' ') : DSND_STR_ABSENT);
        }
    }
}

static void run(const char *name, struct dsnd_str text, size_t step)
{
    static struct script script;
    struct script *self = &script;

    *self =
        (struct script){.name = name, .text = text, .rest = text, .journal = text, .step = step};
    self->in = DSND_BUF_INIT(TEXT_MAX);
    self->out = DSND_BUF_INIT(SMTP_OUTPUT_MAX);
    prepare(self);
    if (self->skip)
        return;
    smtp_session_init(&self->session, &self->settings, &self->options);
    smtp_session_greet(&self->session, &self->out);
    while (self->rest.len) {
        self->line++;
        run_line(self, dsnd_str_line(&self->rest));
    }
    feed_all(self);
    expect_silence(self);
    smtp_session_done(&self->session);
    smtp_users_free(self->settings.users);
    /* Every octet went back to the budget, whatever the session went through. */
    assert_int_equal(atomic_load(&self->budget.used), 0);
    while (self->journal.len)
        if (dsnd_str_starts(dsnd_str_line(&self->journal), DSND_STR("J: ")))
            give_up(self, "a message that never came", DSND_STR(""));
    dsnd_buf_done(&self->in);
    dsnd_buf_done(&self->out);
}

static void run_file(const char *name)
{
    static char text[TEXT_MAX];
    FILE *file = fopen(name, "r");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof(text), file);
    assert_true(len > 0 && len < sizeof(text));
    assert_int_equal(fclose(file), 0);
    run(name, dsnd_str_make(text, len), SIZE_MAX);
    run(name, dsnd_str_make(text, len), 1);
}

static void scripts_hold_whole_and_octet_by_octet(void **state)
{
    glob_t found;

    (void)state;
    assert_int_equal(glob(WIRE_DIR "/*.smtp", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        run_file(found.gl_pathv[i]);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_hold_whole_and_octet_by_octet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
