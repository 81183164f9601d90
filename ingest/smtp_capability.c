#include "ingest/smtp_capability.h"

#include <inttypes.h>

/* Keywords of the EHLO reply; STARTTLS is added where it is offered. */
static const char *const capabilities[] = {
    "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "CHUNKING", "BINARYMIME",
};

enum dsnd_err smtp_capability_list(const struct smtp_session_settings *settings,
                                   const struct smtp_session_options *options, struct dsnd_buf *out)
{
    enum dsnd_err err = smtp_reply_addf(out, 250, '-', "%s", settings->hostname);

    if (!err)
        err = smtp_reply_addf(out, 250, '-', "SIZE %" PRIu64, settings->max_size);
    for (size_t i = 0; !err && i < sizeof(capabilities) / sizeof(*capabilities); i++)
        err = smtp_reply_addf(out, 250, '-', "%s", capabilities[i]);
    if (!err && options->starttls && !options->tls)
        err = smtp_reply_addf(out, 250, '-', "STARTTLS");
    /* Where TLS can be had, nobody is to authenticate without it. */
    if (!err && options->submit && (options->tls || !options->starttls))
        err = smtp_reply_addf(out, 250, '-', "AUTH %s",
                              smtp_users_mechanisms(settings->users, options->tls));
    if (!err)
        err = smtp_reply_addf(out, 250, '-', "LIMITS RCPTMAX=%zu", settings->max_recipients);
    if (!err)
        err = smtp_reply_addf(out, 250, ' ', "HELP");
    return err;
}
