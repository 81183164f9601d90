#include "ingest/smtp_command.h"

#include "base/utf8.h"

static const struct {
    struct dsnd_str name;
    enum smtp_verb verb;
} verbs[] = {
    {DSND_STR_INIT("MAIL"), SMTP_VERB_MAIL},         {DSND_STR_INIT("RCPT"), SMTP_VERB_RCPT},
    {DSND_STR_INIT("DATA"), SMTP_VERB_DATA},         {DSND_STR_INIT("EHLO"), SMTP_VERB_EHLO},
    {DSND_STR_INIT("QUIT"), SMTP_VERB_QUIT},         {DSND_STR_INIT("RSET"), SMTP_VERB_RSET},
    {DSND_STR_INIT("BDAT"), SMTP_VERB_BDAT},         {DSND_STR_INIT("NOOP"), SMTP_VERB_NOOP},
    {DSND_STR_INIT("HELO"), SMTP_VERB_HELO},         {DSND_STR_INIT("LHLO"), SMTP_VERB_LHLO},
    {DSND_STR_INIT("STARTTLS"), SMTP_VERB_STARTTLS}, {DSND_STR_INIT("VRFY"), SMTP_VERB_VRFY},
    {DSND_STR_INIT("HELP"), SMTP_VERB_HELP},         {DSND_STR_INIT("EXPN"), SMTP_VERB_REFUSED},
    {DSND_STR_INIT("AUTH"), SMTP_VERB_AUTH},         {DSND_STR_INIT("ETRN"), SMTP_VERB_REFUSED},
    {DSND_STR_INIT("TURN"), SMTP_VERB_REFUSED},      {DSND_STR_INIT("ATRN"), SMTP_VERB_REFUSED},
    {DSND_STR_INIT("SEND"), SMTP_VERB_REFUSED},      {DSND_STR_INIT("SOML"), SMTP_VERB_REFUSED},
    {DSND_STR_INIT("SAML"), SMTP_VERB_REFUSED},      {DSND_STR_INIT("BURL"), SMTP_VERB_REFUSED},
    {DSND_STR_INIT("XCLIENT"), SMTP_VERB_REFUSED},   {DSND_STR_INIT("XFORWARD"), SMTP_VERB_REFUSED},
    {DSND_STR_INIT("GET"), SMTP_VERB_FOREIGN},       {DSND_STR_INIT("POST"), SMTP_VERB_FOREIGN},
    {DSND_STR_INIT("HEAD"), SMTP_VERB_FOREIGN},      {DSND_STR_INIT("PUT"), SMTP_VERB_FOREIGN},
    {DSND_STR_INIT("DELETE"), SMTP_VERB_FOREIGN},    {DSND_STR_INIT("OPTIONS"), SMTP_VERB_FOREIGN},
    {DSND_STR_INIT("CONNECT"), SMTP_VERB_FOREIGN},   {DSND_STR_INIT("PATCH"), SMTP_VERB_FOREIGN},
    {DSND_STR_INIT("TRACE"), SMTP_VERB_FOREIGN},     {DSND_STR_INIT("PRI"), SMTP_VERB_FOREIGN},
    {DSND_STR_INIT("PROXY"), SMTP_VERB_FOREIGN},
};

static bool printable(struct dsnd_str line)
{
    bool ascii = true;

    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];

        /* HTAB is no separator of RFC 5321, but harmless, and some hosts send it. */
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
        ascii &= c < 0x80;
    }
    return ascii || utf8_valid(line);
}

/* Octets before the first blank. */
static size_t word_end(struct dsnd_str s)
{
    size_t end = 0;

    while (end < s.len && s.ptr[end] != ' ' && s.ptr[end] != '\t')
        end++;
    return end;
}

enum dsnd_err smtp_command_parse(struct dsnd_str line, struct smtp_command *ret_command)
{
    struct dsnd_str name;
    size_t end;

    if (!printable(line))
        return DSND_ERR_SYNTAX;
    end = word_end(line);
    name = dsnd_str_slice(line, 0, end);
    if (!name.len)
        return DSND_ERR_SYNTAX;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (!dsnd_str_ieq(name, verbs[i].name))
            continue;
        ret_command->verb = verbs[i].verb;
        ret_command->argument = dsnd_str_trim(dsnd_str_slice(line, end, line.len));
        return DSND_OK;
    }
    if (name.ptr[name.len - 1] == ':') {
        /* "Host:" and the like: the rest of a request whose first line was missed. */
        *ret_command = (struct smtp_command){SMTP_VERB_FOREIGN, DSND_STR("")};
        return DSND_OK;
    }
    return DSND_ERR_NOT_FOUND;
}

bool smtp_command_helo_valid(struct dsnd_str argument)
{
    if (argument.len < 1 || argument.len > 255)
        return false;
    for (size_t i = 0; i < argument.len; i++)
        if (argument.ptr[i] <= ' ' || argument.ptr[i] >= 0x7f)
            return false;
    return true;
}

enum dsnd_err smtp_command_chunk(struct dsnd_str argument, struct smtp_chunk *ret_chunk)
{
    size_t end = word_end(argument);
    struct dsnd_str number = dsnd_str_slice(argument, 0, end);
    struct dsnd_str rest = dsnd_str_trim(dsnd_str_slice(argument, end, argument.len));
    struct smtp_chunk chunk = {0, rest.len > 0, false};
    enum dsnd_err err;

    /* The size first: where it is unknown, what follows cannot be skipped. */
    err = dsnd_str_to_u64(number, UINT64_MAX / 2, &chunk.octets);
    if (err)
        return err;
    chunk.bad = chunk.last && !dsnd_str_ieq(rest, DSND_STR("LAST"));
    *ret_chunk = chunk;
    return DSND_OK;
}
