#include "cmd/material.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "parse/provider.h"

enum { MATERIAL_FILE_MAX = 1024 * 1024 };

/*
 * "key: path: inner" with the path cut where it is very long. A file that cannot be used is a bad
 * setting, whatever is wrong with it.
 */
static enum dsnd_err describe(struct config_error *error, const char *key, const char *path,
                              const char *inner)
{
    if (snprintf(error->text, sizeof(error->text), "%s: %.300s: %.600s", key, path, inner) < 0)
        error->text[0] = '\0';
    return DSND_ERR_SYNTAX;
}

static enum dsnd_err read_material(const char *key, const char *path, struct dsnd_buf *out,
                                   struct config_error *error)
{
    enum dsnd_err err = file_read(path, out);

    if (err == DSND_ERR_IO)
        return describe(error, key, path, strerror(errno));
    if (err)
        return describe(error, key, path, "larger than the 1 MiB allowed");
    return DSND_OK;
}

enum dsnd_err material_keys(const struct settings *settings, struct return_path_keys *ret_keys,
                            struct config_error *ret_error)
{
    struct dsnd_buf text = DSND_BUF_INIT(MATERIAL_FILE_MAX);
    const char *path = settings->sign.keys_file;
    char inner[600];
    enum dsnd_err err;

    if (!path[0]) {
        memset(ret_keys, 0, sizeof(*ret_keys));
        return DSND_OK;
    }
    err = read_material("sign.keys_file", path, &text, ret_error);
    if (err)
        goto out;
    err = return_path_keys_read(dsnd_buf_str(&text), inner, sizeof(inner), ret_keys);
    if (err)
        err = describe(ret_error, "sign.keys_file", path, inner);
out:
    dsnd_buf_wipe(&text);
    return err;
}

enum dsnd_err material_hostname(const struct settings *settings, char *ret_hostname)
{
    if (settings->smtp.hostname[0])
        return dsnd_str_copy(dsnd_str_of(settings->smtp.hostname), ret_hostname,
                             CONFIG_STRING_SIZE);
    if (gethostname(ret_hostname, CONFIG_STRING_SIZE) != 0)
        return DSND_ERR_IO;
    ret_hostname[CONFIG_STRING_SIZE - 1] = '\0';
    return DSND_OK;
}

enum dsnd_err material_login(const struct settings *settings, char ret_login[MATERIAL_LOGIN_SIZE],
                             struct config_error *ret_error)
{
    static const char key[] = "submit.relay_login_file";
    struct dsnd_buf text = DSND_BUF_INIT(MATERIAL_FILE_MAX);
    const char *path = settings->submit.relay_login_file;
    struct dsnd_str login = DSND_STR("");
    enum dsnd_err err = path[0] ? read_material(key, path, &text, ret_error) : DSND_OK;

    if (!err && path[0])
        login = dsnd_str_trim(dsnd_buf_str(&text));
    if (!err && ((path[0] && dsnd_str_chr(login, ':') == SIZE_MAX) ||
                 dsnd_str_copy(login, ret_login, MATERIAL_LOGIN_SIZE)))
        err = describe(ret_error, key, path, "want one line, name:password");
    dsnd_buf_wipe(&text);
    return err;
}

static enum dsnd_err read_providers(const struct settings *settings, struct dsnd_buf *text,
                                    struct provider_set **ret_set, struct config_error *ret_error)
{
    const char *path = settings->classify.providers;
    char inner[600];
    enum dsnd_err err;

    *ret_set = NULL;
    if (!path[0])
        return DSND_OK;
    err = read_material("classify.providers", path, text, ret_error);
    if (err)
        return err;
    err = provider_set_read(dsnd_buf_str(text), inner, sizeof(inner), ret_set);
    return err ? describe(ret_error, "classify.providers", path, inner) : DSND_OK;
}

enum dsnd_err material_providers(const struct settings *settings, struct dsnd_buf *out,
                                 struct config_error *ret_error)
{
    struct provider_set *set = NULL;
    enum dsnd_err err = read_providers(settings, out, &set, ret_error);

    provider_set_free(set);
    return err;
}

enum dsnd_err material_rules(const struct settings *settings, struct rule_set **ret_rules,
                             struct config_error *ret_error)
{
    struct dsnd_buf text = DSND_BUF_INIT(MATERIAL_FILE_MAX);
    struct dsnd_buf own = DSND_BUF_INIT(MATERIAL_FILE_MAX);
    struct provider_set *providers = NULL;
    const char *path = settings->classify.rules;
    char inner[600];
    enum dsnd_err err = read_providers(settings, &own, &providers, ret_error);

    if (err)
        goto out;
    if (path[0])
        err = read_material("classify.rules", path, &text, ret_error);
    if (err) {
        provider_set_free(providers);
        goto out;
    }
    err = rule_set_make(path[0] ? dsnd_buf_str(&text) : DSND_STR_ABSENT, providers, inner,
                        sizeof(inner), ret_rules);
    if (err)
        err = describe(ret_error, "classify.rules", path[0] ? path : "built-in rules",
                       err == DSND_ERR_NOMEM ? dsnd_err_text(err) : inner);
out:
    dsnd_buf_done(&own);
    dsnd_buf_done(&text);
    return err;
}
