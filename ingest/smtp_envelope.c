#include "ingest/smtp_envelope.h"

#include "ingest/smtp_hops.h"
#include "ingest/smtp_path.h"

static enum smtp_reply parameter_refusal(enum dsnd_err err)
{
    if (err == DSND_ERR_NOT_FOUND)
        return SMTP_REPLY_UNKNOWN_PARAMETER;
    return err == DSND_ERR_LIMIT ? SMTP_REPLY_TOO_LARGE : SMTP_REPLY_PARAMETER_SYNTAX;
}

enum smtp_reply smtp_envelope_mail(const struct smtp_session_settings *settings,
                                   struct smtp_transaction *transaction, struct dsnd_str argument)
{
    struct smtp_mail_params params;
    struct smtp_path path;
    enum dsnd_err err;

    err = smtp_path_parse(DSND_STR("FROM:"), &argument, &path);
    if (err == DSND_ERR_LIMIT)
        return SMTP_REPLY_SENDER_TOO_LONG;
    /* A sender needs a domain; only RCPT knows the bare Postmaster. */
    if (err || (path.address.len && !path.domain.len))
        return SMTP_REPLY_SENDER_SYNTAX;
    err = smtp_param_mail(argument, &params);
    if (err)
        return parameter_refusal(err);
    if (params.size > settings->max_size)
        return SMTP_REPLY_TOO_LARGE;
    if (path.utf8 && !params.smtputf8)
        return SMTP_REPLY_NEEDS_UTF8;
    if (settings->has_space && !settings->has_space(settings->context))
        return SMTP_REPLY_NO_SPACE;
    err = smtp_transaction_begin(transaction, path.address, &params, settings->max_size);
    return err ? SMTP_REPLY_NO_MEMORY : SMTP_REPLY_SENDER_OK;
}

/* The recipient is one of ours: the policy of `smtp.domains` and `smtp.require_signed`. */
static enum smtp_reply judge_recipient(const struct smtp_session_settings *settings,
                                       const struct smtp_path *path)
{
    static const enum smtp_reply verdicts[] = {
        [SMTP_VERDICT_OK] = SMTP_REPLY_RECIPIENT_OK,
        [SMTP_VERDICT_UNSIGNED] = SMTP_REPLY_UNSIGNED,
        [SMTP_VERDICT_FORGED] = SMTP_REPLY_FORGED,
        [SMTP_VERDICT_EXPIRED] = SMTP_REPLY_EXPIRED,
    };
    bool ours = !path->domain.len; /* the bare Postmaster */

    for (size_t i = 0; !ours && i < settings->domain_count; i++)
        ours = dsnd_str_ieq(path->domain, settings->domains[i]);
    if (!ours)
        return SMTP_REPLY_RELAY_DENIED;
    /* RFC 5321 section 4.5.1: postmaster always. */
    if (!settings->require_signed || dsnd_str_ieq(path->local, DSND_STR("postmaster")))
        return SMTP_REPLY_RECIPIENT_OK;
    return verdicts[settings->verify(settings->context, path->address)];
}

enum smtp_reply smtp_envelope_rcpt(const struct smtp_session_settings *settings,
                                   struct smtp_transaction *transaction, struct dsnd_str argument)
{
    struct smtp_rcpt_params params;
    struct smtp_path path;
    enum smtp_reply reply;
    enum dsnd_err err;

    err = smtp_path_parse(DSND_STR("TO:"), &argument, &path);
    if (err == DSND_ERR_LIMIT)
        return SMTP_REPLY_PATH_TOO_LONG;
    if (err || !path.address.len)
        return SMTP_REPLY_RECIPIENT_SYNTAX;
    err = smtp_param_rcpt(argument, &params);
    if (err)
        return parameter_refusal(err);
    /* RFC 6533 section 3: ORCPT too. */
    if (!transaction->params.smtputf8 &&
        (path.utf8 || smtp_path_is_8bit(params.original_recipient)))
        return SMTP_REPLY_NEEDS_UTF8;
    reply = judge_recipient(settings, &path);
    if (reply != SMTP_REPLY_RECIPIENT_OK)
        return reply;
    /* We send nothing to strangers, so a wish that we would must not be accepted. */
    if ((params.notify & JOURNAL_NOTIFY_SUCCESS) && transaction->mail_from.len &&
        !transaction->confirms)
        return SMTP_REPLY_NOTIFY_SUCCESS;
    if (transaction->recipient_count >= settings->max_recipients)
        return SMTP_REPLY_TOO_MANY_RECIPIENTS;
    err = smtp_transaction_recipient(transaction, path.address, &params);
    return err ? SMTP_REPLY_NO_MEMORY : SMTP_REPLY_RECIPIENT_OK;
}

enum smtp_reply smtp_envelope_content(const struct smtp_session_settings *settings,
                                      struct smtp_transaction *transaction,
                                      const struct smtp_dot *dot)
{
    bool bare = dot->bare_lf || dot->bare_cr;

    if (bare && !settings->normalizes)
        return dot->bare_lf ? SMTP_REPLY_BARE_LF : SMTP_REPLY_BARE_CR;
    if (bare)
        smtp_transaction_normalize(transaction);
    if (transaction->failure)
        return transaction->failure == DSND_ERR_LIMIT ? SMTP_REPLY_TOO_LARGE : SMTP_REPLY_NO_MEMORY;
    if (smtp_hops_count(dsnd_buf_str(&transaction->content)) >= SMTP_HOPS_MAX)
        return SMTP_REPLY_LOOP;
    return SMTP_REPLY_OK;
}
