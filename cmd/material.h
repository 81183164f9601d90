/*
 * What processes load from files that the settings name: return-path keys, classification rules and
 * others. A file that is missing or bad is a bad setting: DSND_ERR_SYNTAX, and `*ret_error` names
 * the setting and the file and says what is wrong. Loaded at start and at each reload; the old
 * stays in force where the new is bad.
 */
#ifndef DSND_CMD_MATERIAL_H
#define DSND_CMD_MATERIAL_H

#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "cmd/settings.h"
#include "parse/return_path.h"
#include "parse/rules.h"

/* The keys of sign.keys_file; none where it is empty. */
DSND_MUST_CHECK
enum dsnd_err material_keys(const struct settings *settings, struct return_path_keys *ret_keys,
                            struct config_error *ret_error);

/*
 * The machine's name in SMTP, into `ret_hostname` of CONFIG_STRING_SIZE: smtp.hostname, or the
 * kernel's. DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err material_hostname(const struct settings *settings, char *ret_hostname);

/*
 * The text of classify.providers, which is a good one, into `out`; nothing where the setting is
 * empty.
 */
DSND_MUST_CHECK
enum dsnd_err material_providers(const struct settings *settings, struct dsnd_buf *out,
                                 struct config_error *ret_error);

/* The rules of classify.rules (with the providers of classify.providers), or the built-in ones;
 * free with rule_set_free. */
DSND_MUST_CHECK
enum dsnd_err material_rules(const struct settings *settings, struct rule_set **ret_rules,
                             struct config_error *ret_error);

enum { MATERIAL_LOGIN_SIZE = 512 };
/* "name:password" of submit.relay_login_file, or "" where that is empty. */
DSND_MUST_CHECK
enum dsnd_err material_login(const struct settings *settings, char ret_login[MATERIAL_LOGIN_SIZE],
                             struct config_error *ret_error);

/* All files and whatever else the processes of a service would refuse at their start. */
DSND_MUST_CHECK
enum dsnd_err material_check(const struct settings *settings, struct config_error *ret_error);

#endif
