#include "ingest/smtp_session.h"

#include <assert.h>

#include "ingest/smtp_capability.h"
#include "ingest/smtp_envelope.h"
#include "ingest/smtp_path.h"
#include "ingest/smtp_session_parts.h"

#define IN(state) (1u << SMTP_STATE_##state)
#define IN_COMMANDS (IN(START) | IN(READY) | IN(MAIL) | IN(RCPT) | IN(BDAT))

/* ---- greeting and capabilities ---- */

/* EHLO, or LHLO in its place, lists capabilities; HELO does not. */
static void hello(struct smtp_session *self, struct dsnd_str argument, bool extended,
                  struct dsnd_buf *out)
{
    enum dsnd_err err;

    if (!smtp_command_helo_valid(argument) ||
        dsnd_str_copy(argument, self->helo, sizeof(self->helo))) {
        smtp_session_say(self, SMTP_REPLY_HELO_SYNTAX, out);
        return;
    }
    smtp_session_set_state(self, SMTP_STATE_READY);
    if (extended)
        err = smtp_capability_list(self->settings, &self->options, out);
    else
        err = smtp_reply_addf(out, 250, ' ', "%s", self->settings->hostname);
    if (err)
        smtp_session_set_state(self, SMTP_STATE_CLOSED);
}

static void on_ehlo(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    hello(self, argument, true, out);
}

static void on_helo(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    hello(self, argument, false, out);
}

/* ---- envelope ---- */

/* What this listener and this client may not, though the command is in order. */
static enum smtp_reply judge_sender(const struct smtp_session *self)
{
    if (self->transaction.params.auth && !self->options.submit)
        return SMTP_REPLY_UNKNOWN_PARAMETER;
    if (self->options.may_begin && !self->options.may_begin(self->options.context))
        return SMTP_REPLY_MESSAGE_RATE;
    return SMTP_REPLY_SENDER_OK;
}

static void on_mail(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    enum smtp_reply reply = SMTP_REPLY_AUTH_REQUIRED;

    if (!self->options.submit || self->authenticated)
        reply = smtp_envelope_mail(self->settings, &self->transaction, argument);
    if (reply == SMTP_REPLY_SENDER_OK)
        reply = judge_sender(self);
    self->transaction.confirms = self->options.submit && self->settings->confirms;
    if (reply == SMTP_REPLY_SENDER_OK)
        smtp_session_set_state(self, SMTP_STATE_MAIL);
    else
        smtp_transaction_clear(&self->transaction);
    smtp_session_say(self, reply, out);
}

static void on_rcpt(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    enum smtp_reply reply = smtp_envelope_rcpt(self->settings, &self->transaction, argument);

    if (reply == SMTP_REPLY_RECIPIENT_OK)
        smtp_session_set_state(self, SMTP_STATE_RCPT);
    smtp_session_say(self, reply, out);
}

/* ---- the rest ---- */

static void on_rset(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    (void)argument;
    if (self->state != SMTP_STATE_START)
        smtp_session_set_state(self, SMTP_STATE_READY);
    smtp_session_say(self, SMTP_REPLY_RESET, out);
}

static void on_quit(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    (void)argument;
    smtp_session_say(self, SMTP_REPLY_BYE, out);
    smtp_session_set_state(self, SMTP_STATE_CLOSED);
}

/* RFC 6531 section 3.7.4.2: SMTPUTF8 may stand behind the name, and must where it is not ASCII. */
static void on_vrfy(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    enum smtp_reply reply = SMTP_REPLY_CANNOT_VERIFY;

    if (!argument.len)
        reply = SMTP_REPLY_ARGUMENT_NEEDED;
    else if (smtp_path_is_8bit(argument) && !dsnd_str_iends(argument, DSND_STR(" SMTPUTF8")))
        reply = SMTP_REPLY_NEEDS_UTF8;
    smtp_session_say(self, reply, out);
}

static void on_starttls(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    (void)argument;
    if (!self->options.starttls || self->options.tls) {
        smtp_session_say(self, SMTP_REPLY_NOT_OFFERED, out);
    } else if (self->pipelined) {
        /* What follows was injected, or its sender breaks RFC 3207; either way nobody obeys it. */
        smtp_session_close(self, SMTP_REPLY_TLS_PIPELINED, out);
    } else {
        smtp_session_set_state(self, SMTP_STATE_TLS);
        smtp_session_say(self, SMTP_REPLY_START_TLS, out);
    }
}

static void on_foreign(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
{
    (void)argument;
    smtp_session_close(self, SMTP_REPLY_NOT_SMTP, out);
}

/* ---- commands ---- */

enum argument_rule { ARGUMENT_ANY, ARGUMENT_NONE };

struct smtp_verb_rule {
    unsigned states; /* in which the verb is taken */
    enum argument_rule argument;
    void (*handle)(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out);
    enum smtp_reply reply; /* where there is nothing to handle */
};

static const struct smtp_verb_rule rules[SMTP_VERB_COUNT] = {
    [SMTP_VERB_EHLO] = {IN_COMMANDS, ARGUMENT_ANY, on_ehlo, SMTP_REPLY_OK},
    [SMTP_VERB_HELO] = {IN_COMMANDS, ARGUMENT_ANY, on_helo, SMTP_REPLY_OK},
    [SMTP_VERB_LHLO] = {IN_COMMANDS, ARGUMENT_ANY, on_ehlo, SMTP_REPLY_OK},
    [SMTP_VERB_MAIL] = {IN(READY), ARGUMENT_ANY, on_mail, SMTP_REPLY_OK},
    [SMTP_VERB_RCPT] = {IN(MAIL) | IN(RCPT), ARGUMENT_ANY, on_rcpt, SMTP_REPLY_OK},
    [SMTP_VERB_DATA] = {IN(RCPT), ARGUMENT_NONE, smtp_session_on_data, SMTP_REPLY_OK},
    [SMTP_VERB_BDAT] = {IN_COMMANDS, ARGUMENT_ANY, smtp_session_on_bdat, SMTP_REPLY_OK},
    [SMTP_VERB_RSET] = {IN_COMMANDS, ARGUMENT_NONE, on_rset, SMTP_REPLY_OK},
    [SMTP_VERB_NOOP] = {IN_COMMANDS, ARGUMENT_ANY, NULL, SMTP_REPLY_OK},
    [SMTP_VERB_QUIT] = {IN_COMMANDS, ARGUMENT_NONE, on_quit, SMTP_REPLY_OK},
    [SMTP_VERB_VRFY] = {IN_COMMANDS, ARGUMENT_ANY, on_vrfy, SMTP_REPLY_OK},
    [SMTP_VERB_HELP] = {IN_COMMANDS, ARGUMENT_ANY, NULL, SMTP_REPLY_HELP},
    [SMTP_VERB_STARTTLS] = {IN_COMMANDS, ARGUMENT_NONE, on_starttls, SMTP_REPLY_OK},
    [SMTP_VERB_AUTH] = {IN_COMMANDS, ARGUMENT_ANY, smtp_session_on_auth, SMTP_REPLY_OK},
    [SMTP_VERB_REFUSED] = {IN_COMMANDS, ARGUMENT_ANY, NULL, SMTP_REPLY_NOT_OFFERED},
    [SMTP_VERB_FOREIGN] = {IN_COMMANDS, ARGUMENT_ANY, on_foreign, SMTP_REPLY_OK},
};

/* Why a verb is not taken in a state: what is missing, or what is too much. */
static enum smtp_reply sequence_refusal(enum smtp_state state, enum smtp_verb verb)
{
    if (state == SMTP_STATE_START)
        return SMTP_REPLY_NO_HELO;
    if (verb == SMTP_VERB_MAIL)
        return SMTP_REPLY_NESTED_MAIL;
    if (state == SMTP_STATE_READY)
        return SMTP_REPLY_NO_MAIL;
    return state == SMTP_STATE_MAIL ? SMTP_REPLY_NO_RECIPIENT : SMTP_REPLY_BAD_SEQUENCE;
}

/* LMTP is greeted by LHLO and by nothing else, SMTP never is (RFC 2033 section 4.1). */
static bool greets_right(const struct smtp_session *self, enum smtp_verb verb)
{
    if (self->options.lmtp)
        return verb != SMTP_VERB_EHLO && verb != SMTP_VERB_HELO;
    return verb != SMTP_VERB_LHLO;
}

static void do_command(struct smtp_session *self, struct dsnd_str line, struct dsnd_buf *out)
{
    struct smtp_command command;
    const struct smtp_verb_rule *rule;
    enum dsnd_err err = smtp_command_parse(line, &command);

    if (err) {
        smtp_session_say(
            self, err == DSND_ERR_SYNTAX ? SMTP_REPLY_BAD_LINE : SMTP_REPLY_UNKNOWN_COMMAND, out);
        return;
    }
    rule = &rules[command.verb];
    if (!greets_right(self, command.verb))
        smtp_session_say(self, SMTP_REPLY_UNKNOWN_COMMAND, out);
    else if (!(rule->states & 1u << self->state))
        smtp_session_say(self, sequence_refusal(self->state, command.verb), out);
    else if (rule->argument == ARGUMENT_NONE && command.argument.len)
        smtp_session_say(self, SMTP_REPLY_NO_ARGUMENT_ALLOWED, out);
    else if (!rule->handle)
        smtp_session_say(self, rule->reply, out);
    else
        rule->handle(self, command.argument, out);
}

/* RFC 4954 section 6 has a status of its own for lines of AUTH. */
static void on_long_line(struct smtp_session *self, struct dsnd_str start, struct dsnd_buf *out)
{
    bool auth = self->state == SMTP_STATE_AUTH || dsnd_str_istarts(start, DSND_STR("AUTH "));

    smtp_session_auth_leave(self);
    smtp_session_say(self, auth ? SMTP_REPLY_AUTH_TOO_LONG : SMTP_REPLY_LINE_TOO_LONG, out);
}

/* A client of HTTP that ends its lines with LF alone, and may never send the CR LF we wait for. */
static void on_bare_line(struct smtp_session *self, struct dsnd_str line, bool ended,
                         struct dsnd_buf *out)
{
    size_t lf = dsnd_str_chr(line, '\n');
    struct smtp_command command;

    smtp_session_auth_leave(self);
    if (!smtp_command_parse(dsnd_str_slice(line, 0, lf), &command) &&
        command.verb == SMTP_VERB_FOREIGN)
        on_foreign(self, line, out);
    else if (ended)
        smtp_session_say(self, SMTP_REPLY_BARE_IN_COMMAND, out);
}

static void feed_line(struct smtp_session *self, struct dsnd_str *in, struct dsnd_buf *out)
{
    struct dsnd_str line;

    switch (smtp_line_feed(&self->line, in, &line)) {
    case SMTP_LINE_MORE:
        if (self->line.bare)
            on_bare_line(self, dsnd_str_make(self->line.octets, self->line.len), false, out);
        break;
    case SMTP_LINE_READY:
        self->pipelined = in->len > 0;
        if (self->state == SMTP_STATE_AUTH)
            smtp_session_auth_put(self, line, false, out);
        else
            do_command(self, line, out);
        break;
    case SMTP_LINE_TOO_LONG:
        on_long_line(self, line, out);
        break;
    case SMTP_LINE_BARE:
        on_bare_line(self, line, true, out);
        break;
    case SMTP_LINE_TLS:
        smtp_session_close(self, SMTP_REPLY_NOT_TLS, out);
        break;
    }
}

/* ---- interface ---- */

void smtp_session_init(struct smtp_session *self, const struct smtp_session_settings *settings,
                       const struct smtp_session_options *options)
{
    self->settings = settings;
    self->options = *options;
    self->state = SMTP_STATE_START;
    self->after_chunk = SMTP_STATE_START;
    self->chunk_reply = SMTP_REPLY_CHUNK_OK;
    self->chunk_left = 0;
    self->chunk_last = false;
    self->pipelined = false;
    self->pause = false;
    self->authenticated = false;
    self->auth = (struct smtp_auth){0};
    self->errors = 0;
    self->helo[0] = '\0';
    smtp_line_clear(&self->line);
    smtp_dot_clear(&self->dot);
    smtp_transaction_init(&self->transaction, settings->budget, NULL);
}

void smtp_session_share(struct smtp_session *self, struct smtp_share *share)
{
    assert(!self->transaction.charged);
    self->transaction.share = share;
}

void smtp_session_done(struct smtp_session *self)
{
    smtp_transaction_clear(&self->transaction);
    smtp_auth_clear(&self->auth);
}

void smtp_session_greet(struct smtp_session *self, struct dsnd_buf *out)
{
    if (smtp_reply_addf(out, 220, ' ', "%s %s dsnd", self->settings->hostname,
                        self->options.lmtp ? "LMTP" : "ESMTP"))
        smtp_session_set_state(self, SMTP_STATE_CLOSED);
}

enum smtp_action smtp_session_feed(struct smtp_session *self, struct dsnd_str *in,
                                   struct dsnd_buf *out)
{
    for (;;) {
        if (self->state == SMTP_STATE_CLOSED)
            return SMTP_ACTION_CLOSE;
        if (self->state == SMTP_STATE_COMMIT)
            return SMTP_ACTION_COMMIT;
        if (self->state == SMTP_STATE_TLS)
            return SMTP_ACTION_TLS;
        if (self->state == SMTP_STATE_VERIFY)
            return SMTP_ACTION_VERIFY;
        if (self->pause) {
            self->pause = false;
            return SMTP_ACTION_PAUSE;
        }
        if (!in->len)
            return SMTP_ACTION_READ;
        if (out->len >= SMTP_OUTPUT_HIGH)
            return SMTP_ACTION_FLUSH;
        if (self->state == SMTP_STATE_DATA)
            smtp_session_feed_data(self, in, out);
        else if (self->state == SMTP_STATE_CHUNK)
            smtp_session_feed_chunk(self, in, out);
        else
            feed_line(self, in, out);
    }
}

void smtp_session_secured(struct smtp_session *self)
{
    assert(self->state == SMTP_STATE_TLS);
    self->options.tls = true;
    self->authenticated = false;
    self->helo[0] = '\0';
    smtp_line_clear(&self->line);
    smtp_session_set_state(self, SMTP_STATE_START);
}

bool smtp_session_idle(const struct smtp_session *self)
{
    return self->state == SMTP_STATE_START || self->state == SMTP_STATE_READY ||
           self->state == SMTP_STATE_AUTH;
}

bool smtp_session_in_content(const struct smtp_session *self)
{
    return self->state == SMTP_STATE_DATA || self->state == SMTP_STATE_CHUNK;
}
