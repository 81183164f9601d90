/*
 * All that the settings name, tried as the processes will use it.
 */
#include <pwd.h>
#include <stdio.h>

#include "cmd/material.h"
#include "ingest/smtp_auth.h"
#include "ingest/tls.h"

static enum dsnd_err refuse(struct config_error *error, const char *what)
{
    if (snprintf(error->text, sizeof(error->text), "%s", what) < 0)
        error->text[0] = '\0';
    return DSND_ERR_SYNTAX;
}

/* Put the setting in front of what somebody else said of its file. */
static enum dsnd_err name_key(struct config_error *error, const char *key, const char *inner,
                              enum dsnd_err err)
{
    if (!err)
        return DSND_OK;
    if (snprintf(error->text, sizeof(error->text), "%s: %s", key, inner) < 0)
        error->text[0] = '\0';
    return DSND_ERR_SYNTAX;
}

static enum dsnd_err check_account(const struct settings *settings, struct config_error *error)
{
    const char *user = settings->process.user;
    const struct passwd *account = user[0] ? getpwnam(user) : NULL;

    return !user[0] || (account && account->pw_uid != 0)
               ? DSND_OK
               : refuse(error, "process.user: there is no such account beside root");
}

static enum dsnd_err check_keys(const struct settings *settings, struct config_error *error)
{
    struct return_path_keys keys = {0};
    enum dsnd_err err = material_keys(settings, &keys, error);

    explicit_bzero(&keys, sizeof(keys));
    return err;
}

static enum dsnd_err check_rules(const struct settings *settings, struct config_error *error)
{
    struct rule_set *rules = NULL;
    enum dsnd_err err = material_rules(settings, &rules, error);

    if (!err)
        rule_set_free(rules);
    return err;
}

static enum dsnd_err check_pair(const char *name, const char *cert, const char *key,
                                struct config_error *error)
{
    struct tls_context *context = NULL;
    char inner[512] = "";
    enum dsnd_err err = tls_context_new(cert, key, inner, sizeof(inner), &context);

    if (!err)
        tls_context_free(context);
    return name_key(error, name, inner, err);
}

static enum dsnd_err check_tls(const struct settings *settings, struct config_error *error)
{
    const char *cert = settings->smtp.tls_cert;
    const char *key = settings->smtp.tls_key;
    enum dsnd_err err = DSND_OK;

    if (cert[0])
        err = check_pair("smtp.tls_cert", cert, key[0] ? key : cert, error);
    else if (key[0])
        err = refuse(error, "smtp.tls_key: needs smtp.tls_cert");
    else if (settings->smtp.tls_listen[0])
        err = refuse(error, "smtp.tls_listen: needs smtp.tls_cert");
    if (err)
        return err;
    if (!settings->http.tls_cert[0] != !settings->http.tls_key[0])
        return refuse(error, "http.tls_cert: http.tls_cert and http.tls_key go together");
    if (settings->http.tls_cert[0])
        err = check_pair("http.tls_cert", settings->http.tls_cert, settings->http.tls_key, error);
    return err;
}

static enum dsnd_err check_submission(const struct settings *settings, struct config_error *error)
{
    struct smtp_users *users = NULL;
    char inner[512] = "";
    enum dsnd_err err = DSND_OK;

    if (!settings->submit.listen[0])
        return DSND_OK;
    if (!settings->submit.users_file[0])
        return refuse(error, "submit.listen: needs submit.users_file");
    err = smtp_users_load(settings->submit.users_file, inner, sizeof(inner), &users);
    if (!err)
        smtp_users_free(users);
    return name_key(error, "submit.users_file", inner, err);
}

static enum dsnd_err check_login(const struct settings *settings, struct config_error *error)
{
    char login[MATERIAL_LOGIN_SIZE];
    enum dsnd_err err = material_login(settings, login, error);

    explicit_bzero(login, sizeof(login));
    return err;
}

static enum dsnd_err check_listeners(const struct settings *settings, struct config_error *error)
{
    if (settings->smtp.listen[0] || settings->smtp.tls_listen[0] || settings->smtp.lmtp_listen[0] ||
        settings->submit.listen[0])
        return DSND_OK;
    return refuse(error, "smtp.listen: no address to listen on, nor any of smtp.tls_listen, "
                         "smtp.lmtp_listen and submit.listen");
}

enum dsnd_err material_check(const struct settings *settings, struct config_error *ret_error)
{
    static enum dsnd_err (*const checks[])(const struct settings *, struct config_error *) = {
        check_account, check_listeners,  check_keys,  check_rules,
        check_tls,     check_submission, check_login,
    };
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < sizeof(checks) / sizeof(*checks) && !err; i++)
        err = checks[i](settings, ret_error);
    return err;
}
