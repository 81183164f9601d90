/*
 * What texts of the configuration must look like, one function a form, for the table of options:
 * each names what is wrong and what is allowed. They look at the text alone: no name is resolved
 * and no file is read (material.h does that). One thread, at start and at reload.
 */
#ifndef DSND_CMD_SETTINGS_CHECK_H
#define DSND_CMD_SETTINGS_CHECK_H

#include "base/config.h"

/* host:port, [v6]:port or /path/of/a/socket, comma-separated; or nothing. */
config_check settings_check_listen;
/* One host:port or [v6]:port; without a host: every address. */
config_check settings_check_http;
/* Names of domains, comma-separated; or nothing. */
config_check settings_check_domains;
/* What may stand in a greeting; or nothing. */
config_check settings_check_hostname;
/* IP addresses and networks, comma-separated; or nothing. */
config_check settings_check_networks;
/* smtp://host:port or smtps://host:port; or nothing. */
config_check settings_check_relay;
/* What libpq takes. Never repeated in the error: it may hold a password. */
config_check settings_check_url;
/* Names of header fields, comma-separated; or nothing. */
config_check settings_check_headers;
/* Something. */
config_check settings_check_dir;

#endif
