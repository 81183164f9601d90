#include "cmd/reload.h"
#include "cmd/settings.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/settings_check.h"
#include "lookup/question.h"

extern char **environ;

/* The file that the command line named, for a reload; set once, before any thread. */
static const char *config_path;

static const char *const log_levels[] = {"debug", "info", "warn", "err", "crit", NULL};
static const char *const bare_newlines[] = {"reject", "normalize", NULL};
static const char *const aways[] = {"defer", "accept", NULL};
/* In the order of enum store_evidence. */
static const char *const evidences[] = {"none",       "matched", "signed_other",
                                        "signed_ref", "signed",  NULL};

/* A member path cannot stand in parentheses: NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define AT(section, key) offsetof(struct settings, section.key)
#define TEXT(section, key, initial, help) CHECKED(section, key, initial, NULL, help)
#define CHECKED(section, key, initial, check, help)                                       \
    {                                                                                     \
#section, #key, CONFIG_STRING, AT(section, key), initial, 0, 0, NULL, help, check \
    }
#define YES_NO(section, key, initial, help)                                            \
    {                                                                                  \
#section, #key, CONFIG_BOOL, AT(section, key), initial, 0, 0, NULL, help, NULL \
    }
#define COUNT(section, key, initial, min, max, help)                                        \
    {                                                                                       \
#section, #key, CONFIG_COUNT, AT(section, key), initial, min, max, NULL, help, NULL \
    }
#define OCTETS(section, key, initial, min, max, help)                                        \
    {                                                                                        \
#section, #key, CONFIG_OCTETS, AT(section, key), initial, min, max, NULL, help, NULL \
    }
#define TIME(section, key, initial, min, max, help)                                            \
    {                                                                                          \
#section, #key, CONFIG_DURATION, AT(section, key), initial, min, max, NULL, help, NULL \
    }
#define CHOICE(section, key, initial, choices, help)                                        \
    {                                                                                       \
#section, #key, CONFIG_CHOICE, AT(section, key), initial, 0, 0, choices, help, NULL \
    }

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

/* Sections stand together: messages list them in this order. */
const struct config_option settings_options[] = {
    TEXT(process, user, "", "the account to become when root starts it; empty: it stays root"),
    CHECKED(smtp, listen, "0.0.0.0:25", settings_check_listen,
            "addresses to take mail on, host:port, comma-separated"),
    CHECKED(smtp, hostname, "", settings_check_hostname,
            "the name in greeting and replies; empty: the machine's own"),
    CHECKED(smtp, domains, "", settings_check_domains,
            "bounce domains whose recipients are taken, comma-separated"),
    OCTETS(smtp, max_size, "20M", KIB, 60 * MIB, "octets of one message"),
    COUNT(smtp, max_connections, "20000", 1, 1000000, "SMTP sessions at one time"),
    COUNT(smtp, max_per_client, "50", 1, 1000000, "sessions of one IPv4 address or IPv6 /64"),
    COUNT(smtp, connection_rate, "0", 0, 1000000, "connections of an address a minute; 0: any"),
    COUNT(smtp, message_rate, "0", 0, 10000000, "messages of an address a minute; 0: any"),
    COUNT(smtp, error_rate, "0", 0, 1000000,
          "refusals of an address a minute until it may not connect; 0: any"),
    COUNT(smtp, total_connection_rate, "0", 0, 100000000, "connections of all a minute; 0: any"),
    COUNT(smtp, total_message_rate, "0", 0, 100000000, "messages of all a minute; 0: any"),
    COUNT(smtp, max_recipients, "1000", 100, 1000, "recipients of one message"),
    OCTETS(smtp, memory, "256M", MIB, 1024 * GIB, "octets of all mail in progress"),
    TIME(smtp, idle_timeout, "300s", SECOND, HOUR, "how long a session may say nothing"),
    TIME(smtp, drain_timeout, "10s", 0, HOUR, "how long sessions may finish after SIGTERM"),
    COUNT(smtp, threads, "0", 0, 256, "event loops; 0: one a core"),
    CHECKED(smtp, tls_listen, "", settings_check_listen,
            "addresses with TLS from the first octet, host:port"),
    TEXT(smtp, tls_cert, "", "PEM files of certificate chains; with them STARTTLS is offered"),
    TEXT(smtp, tls_key, "", "PEM files of their keys, in the same order"),
    CHOICE(smtp, bare_newline, "reject", bare_newlines,
           "what becomes of a bare CR or LF in a message"),
    YES_NO(smtp, require_signed, "no", "refuse recipients that are no signed return path"),
    CHECKED(smtp, lmtp_listen, "", settings_check_listen,
            "LMTP: a path of a unix socket, or host:port"),
    CHECKED(smtp, proxy_from, "", settings_check_networks,
            "addresses or networks that must send a PROXY header"),
    CHECKED(submit, listen, "", settings_check_listen,
            "private submission listener, host:port; empty: off"),
    TEXT(submit, users_file, "", "who may authenticate there"),
    CHECKED(submit, relay, "", settings_check_relay,
            "smtp:// or smtps:// URL of the relay for receipts (NOTIFY=SUCCESS); empty: refused"),
    YES_NO(submit, relay_tls, "no", "the relay must offer TLS with a certificate that verifies"),
    TEXT(submit, relay_login_file, "", "file with name:password to authenticate to the relay"),
    TIME(submit, relay_retry, "3d", SECOND, 30 * DAY, "how long a receipt is tried"),
    CHECKED(journal, dir, "/var/lib/dsnd/journal", settings_check_dir, "the journal's directory"),
    OCTETS(journal, segment, "64M", MIB, 4 * GIB, "size of one segment file"),
    TIME(journal, keep, "24h", 0, 3650 * DAY, "how long stored segments are kept for replay"),
    OCTETS(journal, min_free, "1G", 0, 1024 * GIB, "disk space below which mail is deferred"),
    COUNT(pipeline, batch, "2000", 1, 100000, "records stored in one transaction at most"),
    TIME(pipeline, linger, "100ms", 0, 10 * SECOND, "how long a batch may wait to fill"),
    OCTETS(pipeline, memory, "2G", 256 * MIB, 1024 * GIB, "address space of the pipeline"),
    CHECKED(database, url, "postgresql:///dsnd", settings_check_url,
            "PostgreSQL, as libpq takes it"),
    CHECKED(http, listen, "127.0.0.1:8080", settings_check_http, "address of the API, host:port"),
    TEXT(http, tls_cert, "", "PEM file of the certificate chain; with it the API speaks TLS"),
    TEXT(http, tls_key, "", "PEM file of its private key"),
    COUNT(http, threads, "4", 1, 256, "answers made at one time"),
    COUNT(http, max_connections, "10000", 1, 1000000, "connections at one time"),
    COUNT(http, max_per_client, "1000", 1, 1000000, "connections of one address"),
    TIME(http, request_timeout, "30s", SECOND, HOUR, "from first octet to end of the answer"),
    TIME(http, idle_timeout, "60s", SECOND, HOUR, "how long a connection may ask nothing"),
    OCTETS(http, max_body, "4M", KIB, 64 * MIB, "octets of a request's body"),
    COUNT(http, rate, "1000", 0, 1000000, "requests a second of one address; 0: no limit"),
    COUNT(http, burst, "20000", 1, 1000000, "requests of one address at once"),
    CHECKED(metrics, listen, "127.0.0.1:9125", settings_check_http,
            "address of health, readiness and metrics"),
    YES_NO(webhooks, allow_private, "no", "post to addresses that are not public"),
    YES_NO(webhooks, allow_http, "no", "post without TLS"),
    TIME(webhooks, timeout, "10s", SECOND, 60 * SECOND, "how long an endpoint may take to answer"),
    TIME(webhooks, retry, "3d", HOUR, 30 * DAY, "how long an event is tried before it is given up"),
    CHECKED(lookup, socketmap_listen, "", settings_check_listen,
            "Postfix socketmap: host:port or /path, comma-separated"),
    CHECKED(lookup, tcp_table_listen, "", settings_check_listen, "Postfix tcp_table: the same"),
    CHECKED(lookup, readsocket_listen, "", settings_check_listen, "Exim readsocket: the same"),
    CHOICE(lookup, tcp_table_map, "access", lookup_map_names, "what a tcp_table answers"),
    CHOICE(lookup, when_away, "defer", aways, "what is said while the database is away"),
    COUNT(lookup, threads, "2", 1, 64, "connections to the database for lookups"),
    COUNT(lookup, max_connections, "1000", 1, 100000, "connections of mail servers at one time"),
    TIME(lookup, idle_timeout, "120s", SECOND, HOUR, "how long such a connection may ask nothing"),
    TIME(lookup, timeout, "2s", 50, 60 * SECOND, "after which a lookup is deferred"),
    TEXT(sign, keys_file, "", "return-path keys, a line a key: id hex; newest first"),
    TIME(sign, max_age, "60d", HOUR, 3650 * DAY, "how old a signed return path may be"),
    TIME(retain, raw, "30d", 0, 36500 * DAY, "how long raw messages are kept"),
    TIME(retain, status, "400d", DAY, 36500 * DAY, "how long status records are kept"),
    TIME(delay, horizon, "5d", HOUR, 365 * DAY, "when an open delay counts as expired"),
    CHOICE(counts, min_evidence, "none", evidences,
           "the least evidence with which a record is counted"),
    TEXT(classify, rules, "", "the operator's own rules file; empty: the built-in rules"),
    TEXT(classify, providers, "",
         "more hosts of providers, lines of \"family domain ...\"; empty: none"),
    CHECKED(classify, campaign_headers, "X-Campaign-ID, Feedback-ID, List-Id",
            settings_check_headers, "headers of the returned message that may name the campaign"),
    CHOICE(log, level, "info", log_levels, "the least level that is written"),
};
const size_t settings_option_count = sizeof(settings_options) / sizeof(*settings_options);

enum dsnd_err settings_load(const char *path, struct settings *ret_settings,
                            struct config_error *ret_error)
{
    static const char standard[] = "/etc/dsnd/dsnd.conf";

    if (!path)
        path = getenv("DSND_CONF");
    if (!path && access(standard, F_OK) == 0)
        path = standard;
    return config_load(settings_options, settings_option_count, path, environ, ret_settings,
                       ret_error);
}

int settings_from_arguments(int argc, char **argv, const char *help, struct settings *ret_settings)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    struct config_error error;
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)printf("%s\n  -c, --config FILE  the configuration; else $DSND_CONF or "
                         "/etc/dsnd/dsnd.conf\n",
                         help);
            return EXIT_DONE;
        }
        if (choice != 'c')
            return EXIT_USAGE;
        config_path = optarg;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "dsnd %s: unexpected argument \"%s\"\n", argv[0], argv[optind]);
        return EXIT_USAGE;
    }
    if (settings_load(config_path, ret_settings, &error)) {
        (void)fprintf(stderr, "dsnd %s: %s\n", argv[0], error.text);
        return EXIT_USAGE;
    }
    log_set_level((enum log_level)ret_settings->log.level);
    reload_begin(ret_settings);
    return -1;
}

enum dsnd_err settings_reload(struct settings *ret_settings, struct config_error *ret_error)
{
    return settings_load(config_path, ret_settings, ret_error);
}
