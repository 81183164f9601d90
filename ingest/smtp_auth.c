#include "ingest/smtp_auth.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/smtp_users.h"

static const struct {
    struct dsnd_str name;
    const char *sasl;
    bool clear;        /* the password itself is sent: only under TLS */
    bool readable;     /* needs a secret that can be read back */
    bool server_first; /* an initial response is an error (RFC 4954 section 4) */
} mechanisms[] = {
    {DSND_STR_INIT("PLAIN"), "PLAIN", true, false, false},
    {DSND_STR_INIT("LOGIN"), "LOGIN", true, false, false},
    {DSND_STR_INIT("SCRAM-SHA-256"), "SCRAM-SHA-256", false, false, false},
    {DSND_STR_INIT("CRAM-MD5"), "CRAM-MD5", false, true, true},
};

static void drop_line(struct smtp_auth *self)
{
    if (self->line)
        explicit_bzero(self->line, strlen(self->line));
    free(self->line);
    self->line = NULL;
}

void smtp_auth_clear(struct smtp_auth *self)
{
    drop_line(self);
    if (self->sasl)
        gsasl_finish(self->sasl);
    gsasl_free(self->challenge);
    *self = (struct smtp_auth){0};
}

static enum smtp_reply end(struct smtp_auth *self, enum smtp_reply reply)
{
    smtp_auth_clear(self);
    return reply;
}

/* Base64 of RFC 4648 section 4, padded; the library would take more. */
static bool is_base64(struct dsnd_str text)
{
    size_t padding = 0;

    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '=' && i + 2 >= text.len)
            padding++;
        else if (padding || !(dsnd_is_alpha(c) || dsnd_is_digit(c) || c == '+' || c == '/'))
            return false;
    }
    return true;
}

/* Who a client wants to act for can only be himself. */
static bool acts_for_itself(Gsasl_session *session)
{
    const char *as = gsasl_property_fast(session, GSASL_AUTHZID);
    const char *is = gsasl_property_fast(session, GSASL_AUTHID);

    return !as || !*as || (is && strcmp(as, is) == 0);
}

static enum smtp_reply step(struct smtp_auth *self, const char *base64)
{
    int result;

    gsasl_free(self->challenge);
    self->challenge = NULL;
    result = gsasl_step64(self->sasl, base64, &self->challenge);
    if (result == GSASL_OK && !acts_for_itself(self->sasl))
        result = GSASL_AUTHENTICATION_ERROR;
    if (result == GSASL_MALLOC_ERROR)
        return end(self, SMTP_REPLY_AUTH_UNAVAILABLE);
    if (result != GSASL_OK && result != GSASL_NEEDS_MORE)
        return end(self, SMTP_REPLY_AUTH_FAILED);
    if (result == GSASL_OK && (!self->challenge || !*self->challenge))
        return end(self, SMTP_REPLY_AUTH_OK);
    /* 235 carries no data: what the mechanism says at its end goes as one challenge more. */
    self->finished = result == GSASL_OK;
    return SMTP_REPLY_AUTH_CHALLENGE;
}

static enum smtp_reply answer(struct smtp_auth *self, struct dsnd_str line)
{
    char base64[2049]; /* of a command line */

    if (dsnd_str_eq(line, DSND_STR("*")))
        return end(self, SMTP_REPLY_AUTH_CANCELLED);
    if (!is_base64(line) || dsnd_str_copy(line, base64, sizeof(base64)))
        return end(self, SMTP_REPLY_AUTH_SYNTAX);
    if (self->finished)
        return end(self, line.len ? SMTP_REPLY_AUTH_FAILED : SMTP_REPLY_AUTH_OK);
    /* Who is to begin, and says nothing, would be asked again for ever. */
    if (!line.len && (!self->challenge || !*self->challenge))
        return end(self, SMTP_REPLY_AUTH_FAILED);
    return step(self, base64);
}

/* The mechanism's row, or the count of them. */
static size_t find(struct dsnd_str name)
{
    size_t i = 0;

    while (i < sizeof(mechanisms) / sizeof(*mechanisms) && !dsnd_str_ieq(name, mechanisms[i].name))
        i++;
    return i;
}

static enum smtp_reply begin(struct smtp_auth *self, struct smtp_users *users, bool tls,
                             struct dsnd_str argument)
{
    struct dsnd_str initial = argument;
    size_t i = find(dsnd_str_cut(&initial, ' '));
    Gsasl_session *session;
    enum smtp_reply reply;

    if (i == sizeof(mechanisms) / sizeof(*mechanisms) ||
        (mechanisms[i].readable && !smtp_users_readable(users)))
        return SMTP_REPLY_AUTH_MECHANISM;
    if (mechanisms[i].clear && !tls)
        return SMTP_REPLY_AUTH_NEEDS_TLS;
    if (dsnd_str_present(initial) && mechanisms[i].server_first)
        return SMTP_REPLY_AUTH_SYNTAX;
    if (gsasl_server_start(smtp_users_sasl(users), mechanisms[i].sasl, &session) != GSASL_OK)
        return SMTP_REPLY_AUTH_UNAVAILABLE;
    self->sasl = session;
    /* Each mechanism has a first word of its own, empty where the client is to begin. */
    reply = step(self, "");
    if (reply != SMTP_REPLY_AUTH_CHALLENGE || !dsnd_str_present(initial))
        return reply;
    initial = dsnd_str_trim(initial);
    return answer(self, dsnd_str_eq(initial, DSND_STR("=")) ? DSND_STR("") : initial);
}

enum dsnd_err smtp_auth_put(struct smtp_auth *self, struct dsnd_str line, bool begins)
{
    bool whole = dsnd_str_chr(line, '\0') == SIZE_MAX;

    if (begins || !whole)
        smtp_auth_clear(self);
    if (!whole)
        return DSND_ERR_SYNTAX; /* a NUL would hide what stands behind it */
    self->line = strndup(line.ptr, line.len);
    self->begins = begins;
    return self->line ? DSND_OK : DSND_ERR_NOMEM;
}

enum smtp_reply smtp_auth_run(struct smtp_auth *self, struct smtp_users *users, bool tls)
{
    char *line = self->line;
    enum smtp_reply reply;

    self->line = NULL; /* the exchange may be cleared under it */
    if (self->begins)
        reply = begin(self, users, tls, dsnd_str_of(line));
    else
        reply = answer(self, dsnd_str_of(line));
    explicit_bzero(line, strlen(line));
    free(line);
    return reply;
}
