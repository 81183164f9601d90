/*
 * Every setting of dsnd.conf as one struct, filled once at start and again at each reload. Sections
 * and members are named as in the file; durations are milliseconds, sizes octets.
 */
#ifndef DSND_CMD_SETTINGS_H
#define DSND_CMD_SETTINGS_H

#include "base/config.h"
#include "base/err.h"

/* What becomes of a bare CR or LF in content. */
enum settings_bare { SETTINGS_BARE_REJECT, SETTINGS_BARE_NORMALIZE };

/* What a mail server is told while the database is away. */
enum settings_away { SETTINGS_AWAY_DEFER, SETTINGS_AWAY_ACCEPT };

struct settings {
    struct {
        char user[CONFIG_STRING_SIZE];
    } process;
    struct {
        char listen[CONFIG_STRING_SIZE]; /* host:port[, host:port ...] */
        char hostname[CONFIG_STRING_SIZE];
        char domains[CONFIG_STRING_SIZE]; /* comma-separated */
        uint64_t max_size;
        uint64_t max_connections;
        uint64_t max_per_client;
        uint64_t connection_rate; /* of one address in a minute, as the next two; 0: no limit */
        uint64_t message_rate;
        uint64_t error_rate;
        uint64_t total_connection_rate; /* of all addresses together */
        uint64_t total_message_rate;
        uint64_t max_recipients;
        uint64_t memory; /* octets of all mail in progress */
        uint64_t idle_timeout;
        uint64_t drain_timeout;
        uint64_t threads; /* 0: one a core */
        char tls_listen[CONFIG_STRING_SIZE];
        char tls_cert[CONFIG_STRING_SIZE];
        char tls_key[CONFIG_STRING_SIZE];
        int bare_newline; /* enum settings_bare */
        bool require_signed;
        char lmtp_listen[CONFIG_STRING_SIZE];
        char proxy_from[CONFIG_STRING_SIZE];
    } smtp;
    struct {
        char listen[CONFIG_STRING_SIZE];
        char users_file[CONFIG_STRING_SIZE];
        char relay[CONFIG_STRING_SIZE]; /* smtp://host:port or smtps://host:port */
        bool relay_tls;                 /* nothing goes to it in the clear, nor unverified */
        char relay_login_file[CONFIG_STRING_SIZE];
        uint64_t relay_retry; /* how long one receipt is tried */
    } submit;
    struct {
        char dir[CONFIG_STRING_SIZE];
        uint64_t segment;
        uint64_t keep;
        uint64_t min_free;
    } journal;
    struct {
        uint64_t batch;  /* records a transaction at most */
        uint64_t linger; /* how long a batch may wait to fill */
        uint64_t memory; /* address space the pipeline may take */
    } pipeline;
    struct {
        char url[CONFIG_STRING_SIZE];
    } database;
    struct {
        char listen[CONFIG_STRING_SIZE];
        char tls_cert[CONFIG_STRING_SIZE];
        char tls_key[CONFIG_STRING_SIZE];
        uint64_t threads;
        uint64_t max_connections;
        uint64_t max_per_client;
        uint64_t request_timeout;
        uint64_t idle_timeout;
        uint64_t max_body;
        uint64_t rate; /* requests a second of one address */
        uint64_t burst;
    } http;
    struct {
        char listen[CONFIG_STRING_SIZE];
    } metrics;
    struct {
        bool allow_private;
        bool allow_http;
        uint64_t timeout; /* of one attempt */
        uint64_t retry;   /* how long events are tried */
    } webhooks;
    struct {
        char socketmap_listen[CONFIG_STRING_SIZE]; /* host:port or /path, comma-separated */
        char tcp_table_listen[CONFIG_STRING_SIZE];
        char readsocket_listen[CONFIG_STRING_SIZE];
        int tcp_table_map; /* enum lookup_map */
        int when_away;     /* enum settings_away */
        uint64_t threads;
        uint64_t max_connections;
        uint64_t idle_timeout;
        uint64_t timeout; /* of one question */
    } lookup;
    struct {
        char keys_file[CONFIG_STRING_SIZE];
        uint64_t max_age;
    } sign;
    struct {
        uint64_t raw;
        uint64_t status;
    } retain;
    struct {
        uint64_t horizon;
    } delay;
    struct {
        int min_evidence; /* index into settings_evidence */
    } counts;
    struct {
        char rules[CONFIG_STRING_SIZE];
        char providers[CONFIG_STRING_SIZE];
        char campaign_headers[CONFIG_STRING_SIZE];
    } classify;
    struct {
        int level; /* enum log_level */
    } log;
};

extern const struct config_option settings_options[];
extern const size_t settings_option_count;

/*
 * Read the file at `path` and the environment. Where `path` is NULL the file is $DSND_CONF, else
 * /etc/dsnd/dsnd.conf if it is there, else none. Errors as config_load.
 */
DSND_MUST_CHECK
enum dsnd_err settings_load(const char *path, struct settings *ret_settings,
                            struct config_error *ret_error);

/*
 * What most subcommands begin with: take `-c FILE` and `--help` from the arguments, load the
 * settings into `*ret_settings`, set the log level. Returns -1 to go on, else the exit status to
 * end with; what was wrong has been printed.
 */
DSND_MUST_CHECK
int settings_from_arguments(int argc, char **argv, const char *help, struct settings *ret_settings);

/*
 * Read again what settings_from_arguments read: the same file, or the one that is now in its place.
 * Errors as config_load; `*ret_settings` must not be used then.
 */
DSND_MUST_CHECK
enum dsnd_err settings_reload(struct settings *ret_settings, struct config_error *ret_error);

#endif
