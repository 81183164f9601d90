#include "ingest/smtp_session.h"

#include <assert.h>
#include <inttypes.h>

#include "ingest/smtp_capability.h"
#include "ingest/smtp_envelope.h"
#include "ingest/smtp_path.h"
#include "ingest/smtp_session_parts.h"

#define IN(state) (1u << SMTP_STATE_##state)
#define IN_COMMANDS (IN(START) | IN(READY) | IN(MAIL) | IN(RCPT) | IN(BDAT))

enum { SKIP_FACTOR = 4, SKIP_EXTRA = 1024 * 1024 };

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

/* Content that is too much to be skipped: the session must end to stop it. */
static uint64_t skip_max(const struct smtp_session *self)
{
    return self->settings->max_size * SKIP_FACTOR + SKIP_EXTRA;
}

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

/* ---- content ---- */

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

static void on_data(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
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

static void feed_data(struct smtp_session *self, struct dsnd_str *in, struct dsnd_buf *out)
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

static void feed_chunk(struct smtp_session *self, struct dsnd_str *in, struct dsnd_buf *out)
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
static void on_bdat(struct smtp_session *self, struct dsnd_str argument, struct dsnd_buf *out)
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

/* Have the line looked at, aside: see smtp_session_verify. */
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
    [SMTP_VERB_DATA] = {IN(RCPT), ARGUMENT_NONE, on_data, SMTP_REPLY_OK},
    [SMTP_VERB_BDAT] = {IN_COMMANDS, ARGUMENT_ANY, on_bdat, SMTP_REPLY_OK},
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
            feed_data(self, in, out);
        else if (self->state == SMTP_STATE_CHUNK)
            feed_chunk(self, in, out);
        else
            feed_line(self, in, out);
    }
}

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

void smtp_session_secured(struct smtp_session *self)
{
    assert(self->state == SMTP_STATE_TLS);
    self->options.tls = true;
    self->authenticated = false;
    self->helo[0] = '\0';
    smtp_line_clear(&self->line);
    smtp_session_set_state(self, SMTP_STATE_START);
}

void smtp_session_close(struct smtp_session *self, enum smtp_reply reply, struct dsnd_buf *out)
{
    if (self->state == SMTP_STATE_CLOSED)
        return;
    smtp_session_set_state(self, SMTP_STATE_CLOSED);
    smtp_session_say(self, reply, out);
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
